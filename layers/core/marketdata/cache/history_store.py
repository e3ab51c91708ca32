"""The history of symbols in Redis, as `lua/quotes_put.lua` writes it with each accepted quote.

A symbol has two texts, one with a price for each minute and one with a price for each hour;
`domain/history.py` reads them. They expire with the quote of their symbol.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from marketdata.cache.client import Cache, mget_commands
from marketdata.cache.quote_keys import QuoteKeys
from marketdata.cache.stored_quotes import currency_of, is_sound
from marketdata.clock import MINUTE_MS
from marketdata.domain.history import RANGES, Point, read_points


@dataclass(frozen=True, slots=True)
class Recorded:
    """The points of one symbol, oldest first, and the currency of its quote if that is known."""

    points: tuple[Point, ...]
    currency: str | None


class HistoryStore:
    """The recorded prices of all symbols. Every method raises `CacheUnavailableError`."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache
        self._keys = QuoteKeys(cache)

    def read(self, symbols: Sequence[str], range_name: str, now_ms: int) -> Mapping[str, Recorded]:
        """Return the points of each symbol within a range that ends now. One round trip.

        `range_name` is one of `RANGES`. A symbol without any point has an empty tuple.
        """
        if not symbols:
            return {}
        wanted = RANGES[range_name]
        history = self._keys.minutes if wanted.step_ms == MINUTE_MS else self._keys.hours
        keys = [*map(history, symbols), *self._keys.quotes(symbols)]
        found = list(chain.from_iterable(self._cache.many(mget_commands(keys))))
        texts, quotes = found[: len(symbols)], found[len(symbols) :]
        # The time of a point is the start of its minute or hour, so it may be one step before its
        # price.
        oldest_ms = now_ms - wanted.length_ms - wanted.step_ms
        return {
            symbol: Recorded(
                tuple(
                    point
                    for point in read_points(text, wanted.step_ms)
                    if oldest_ms < point.at_ms <= now_ms
                ),
                currency_of(quote) if quote is not None and is_sound(symbol, quote) else None,
            )
            for symbol, text, quote in zip(symbols, texts, quotes, strict=True)
        }
