"""Quotes as clients get them: stored bytes are joined without parsing.

The model `Quotes` only documents the answer. Reading 100 symbols with a model for each quote takes
more than 3.5 times as long (`make bench` measures both in one run).

A request usually costs one round trip. Missing symbols, and symbols that must be watched, cost one
more.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from marketdata.api.readers.conversion import Converter
from marketdata.api.readers.freshness import Freshness, freshness
from marketdata.api.readers.missing import errors_json
from marketdata.api.readers.symbol_lists import Requested, aliases_json
from marketdata.api.readers.watching import Noted, Watch
from marketdata.cache.quote_store import QuoteStore
from marketdata.cache.stored_quotes import fetched_ms, json_objects, timestamp_ms
from marketdata.clock import DAY_MS, SLOT_S, from_epoch_ms, slot_start_ms, utc_text
from marketdata.domain.outcomes import MissingQuote, Reason
from marketdata.domain.symbols import Symbol
from marketdata.domain.watch_rules import UNLISTED_WAIT_S
from marketdata.errors import CacheUnavailableError

if TYPE_CHECKING:
    from marketdata.cache.control import ControlState
    from marketdata.settings import Settings


@dataclass(frozen=True, slots=True)
class Reading:
    """The result of a request: `count` quotes as JSON objects with commas between them, and errors.

    Both are in request order.
    """

    quotes: bytes
    count: int
    errors: Sequence[MissingQuote] = ()
    aliases: Mapping[str, str] = field(default_factory=dict)

    @property
    def misses(self) -> int:
        """The number of valid symbols without a quote."""
        return sum(error.code is not Reason.INVALID_SYMBOL for error in self.errors)

    def body(self, market: str) -> bytes:
        """Return the answer as one JSON object. `market` is `live` or `simulated`."""
        return b'{"market":"%b","quotes":[%b],"errors":%b,"aliases":%b}' % (
            market.encode(),
            self.quotes,
            errors_json(self.errors) if self.errors else b"[]",
            aliases_json(self.aliases) if self.aliases else b"{}",
        )


class QuoteReader:
    """Reads quotes for clients, and keeps the symbols that they ask for on the watch list.

    Every method raises `CacheUnavailableError` when the cache does not answer.
    """

    def __init__(self, settings: Settings, quotes: QuoteStore, control: ControlState) -> None:
        self._ttl_ms = settings.quote_ttl * 1000
        self._active = frozenset(symbol.text for symbol in settings.active_symbols)
        self._quotes = quotes
        self._watch = Watch(control, self._active)

    def read(
        self,
        wanted: Requested,
        now_ms: int,
        max_age_s: int | None = None,
        currency: str | None = None,
    ) -> Reading:
        """Return each wanted symbol in one of two lists; see `symbol_lists.requested`.

        Ages are measured at the start of the current slot. A quote older than `max_age_s` seconds
        counts as missing; one older than `QUOTE_TTL` is marked stale. A price older than its market
        explains is stale, and too old for every `max_age_s`. With `currency`, each quote has its
        price in that currency under `converted`, or null and the reason.
        """
        limits = freshness(slot_start_ms(now_ms), self._ttl_ms, max_age_s)
        symbols, values = wanted.symbols, self._quotes.read(wanted.symbols)
        found, missing = _split(symbols, values, limits)
        quotes = self._quotes_json(found, limits, now_ms, currency)
        due = self._watch.due(symbols, missing, now_ms)
        if len(found) == len(wanted.names):
            self._watch.note(due, now_ms)
            return Reading(quotes, len(found), (), wanted.aliases)
        reasons, noted = self._reasons(list(missing), due, now_ms)
        errors = list(self._errors(wanted, missing, reasons, noted))
        return Reading(quotes, len(found), errors, wanted.aliases)

    def read_one(
        self,
        symbol: Symbol,
        now_ms: int,
        max_age_s: int | None = None,
        currency: str | None = None,
    ) -> bytes | MissingQuote:
        """Return the quote of one symbol as a JSON object, or why there is none."""
        wanted = Requested((symbol.text,), (symbol.text,), {})
        reading = self.read(wanted, now_ms, max_age_s, currency)
        return reading.quotes or reading.errors[0]

    def errors(self, wanted: Requested, missing: Sequence[str], now_ms: int) -> list[MissingQuote]:
        """Return why these symbols have nothing to show, and the errors of invalid ones.

        The symbols are watched from now on, if there is a place. At most one round trip.
        """
        due = self._watch.due(wanted.symbols, missing, now_ms)
        reasons, noted = self._reasons(missing, due, now_ms)
        return list(self._errors(wanted, dict.fromkeys(missing), reasons, noted))

    def _quotes_json(
        self, found: Sequence[bytes], limits: Freshness, now_ms: int, currency: str | None
    ) -> bytes:
        stale = limits.stale_places(found)
        if currency is None:
            return json_objects(found, stale)
        converter = Converter(self._quotes, limits, currency, partial(self._explain, now_ms))
        quotes, pairs = converter.json_objects(found, stale)
        self._watch.note(self._watch.due(pairs, (), now_ms), now_ms)
        return quotes

    def _explain(self, now_ms: int, symbols: Sequence[str]) -> dict[str, MissingQuote]:
        """Return why these symbols have no quote.

        They are watched from now on, if there is a place.
        """
        due = self._watch.due(symbols, symbols, now_ms)
        reasons, noted = self._reasons(symbols, due, now_ms)
        return {
            symbol: reason or self._unexplained(symbol, None, noted)
            for symbol, reason in reasons.items()
        }

    def _reasons(
        self, missing: Sequence[str], due: Sequence[str], now_ms: int
    ) -> tuple[dict[str, MissingQuote | None], Noted]:
        """Return why symbols are missing, and note the symbols that are due; one round trip."""
        if not missing or not due:
            noted = self._watch.note(due, now_ms)
            return dict(zip(missing, self._quotes.reasons(missing), strict=True)), noted
        try:
            command = self._watch.command(due, now_ms)
            found, (answer,) = self._quotes.reasons_beside(missing, [command])
        except CacheUnavailableError as error:
            # A cache that is too full for the note may still have the reasons.
            found = self._quotes.reasons(missing)
            noted = self._watch.lost(due, error)
        else:
            noted = self._watch.noted(due, answer)
        return dict(zip(missing, found, strict=True)), noted

    def _errors(
        self,
        wanted: Requested,
        missing: Mapping[str, bytes | None],
        reasons: Mapping[str, MissingQuote | None],
        noted: Noted,
    ) -> Iterator[MissingQuote]:
        for name in wanted.names:
            if name in wanted.invalid:
                yield MissingQuote(name, Reason.INVALID_SYMBOL, str(wanted.invalid[name]))
            elif name in missing:
                yield reasons[name] or self._unexplained(name, missing[name], noted)

    def _unexplained(self, symbol: str, value: bytes | None, noted: Noted) -> MissingQuote:
        if value is not None:
            return _too_old(symbol, value)
        if symbol in self._active:
            return MissingQuote(symbol, Reason.PENDING, f"{symbol} has no price yet", SLOT_S)
        if symbol in noted.without_place:
            message = (
                f"{symbol} is in no asset list, and no other such symbol can be looked for now; "
                "ask again later"
            )
            return MissingQuote(symbol, Reason.PENDING, message, UNLISTED_WAIT_S)
        message = (
            f"{symbol} is watched from now on; ask again soon"
            if noted.is_made
            else f"{symbol} has no price yet, and the request could not be noted; ask again soon"
        )
        return MissingQuote(symbol, Reason.PENDING, message, SLOT_S)


def _split(
    symbols: Sequence[str], values: Sequence[bytes | None], limits: Freshness
) -> tuple[list[bytes], dict[str, bytes | None]]:
    """Return the values that are recent enough, and the stored values of all other symbols."""
    found = [value for value in values if value is not None]
    if limits.wanted_from is None and len(found) == len(values):
        return found, {}
    wanted = [value is not None and limits.is_wanted(value) for value in values]
    missing = {
        symbol: value
        for symbol, value, is_wanted in zip(symbols, values, wanted, strict=True)
        if not is_wanted
    }
    return [v for v, is_wanted in zip(values, wanted, strict=True) if v and is_wanted], missing


def _too_old(symbol: str, value: bytes) -> MissingQuote:
    """Return the error of a quote that is too old for the request's `max_age`."""
    fetched, made = fetched_ms(value), timestamp_ms(value)
    message = f"the newest quote of {symbol} was fetched at {utc_text(from_epoch_ms(fetched))}"
    if made is not None and made < fetched - DAY_MS:
        message += f", and its price is of {utc_text(from_epoch_ms(made))}"
    return MissingQuote(symbol, Reason.STALE, message, SLOT_S)
