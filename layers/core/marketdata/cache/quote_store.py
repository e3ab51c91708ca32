"""Quotes in Redis: written only if newer and accepted, read as bytes without parsing.

`stored_quotes` describes a stored value. Only an accepted quote changes a stored quote or its time
to live.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from types import MappingProxyType
from typing import Any

from marketdata.cache.client import AT_ONCE, Cache, Command, ScriptCall, mget_commands
from marketdata.cache.quote_codec import arguments_of, rules_json, verdict_of
from marketdata.cache.quote_keys import QuoteKeys
from marketdata.cache.stored_quotes import fetched_ms, is_sound, price_of, timestamp_ms
from marketdata.cache.stored_reasons import held_reason, reason_of, reason_text
from marketdata.clock import MINUTE_MS
from marketdata.domain.acceptance import Result, Verdict, rejection_reason
from marketdata.domain.history import needs_day_change, read_points, with_day_change
from marketdata.domain.outcomes import MissingQuote, Reason
from marketdata.domain.quotes import Quote
from marketdata.domain.symbols import AssetClass

# How long a reason is kept. It is longer than the time between two calls in any free tier, so that
# the reason of an attempt is kept until the next attempt.
REASON_S = 600
NOT_FOUND_REASON_S = 900
# For how long a report about the coin that a ticker named before may still arrive.
COIN_KEPT_S = 3600
# Quotes in one script call: so few that the call takes much less time than the time limit of a
# client, and has fewer arguments than a request may have.
CHUNK = 200
# For how many symbols the last sound value is remembered. A quote is read far more often than it is
# written.
MOST_KNOWN = 4_096
NO_COINS: Mapping[str, Mapping[str, str]] = MappingProxyType({})

log = logging.getLogger("marketdata.quotes")


@dataclass(frozen=True, slots=True)
class LastQuote:
    """The facts of a stored quote that planning and fetching need; times in epoch milliseconds."""

    price: str
    timestamp_ms: int | None
    fetched_ms: int


class QuoteStore:
    """The quotes of all symbols, their quarantine, and the reasons for what is missing.

    Quotes are kept for `retention_s` seconds. Every method raises `CacheUnavailableError`.
    """

    def __init__(self, cache: Cache, *, retention_s: int) -> None:
        self._cache = cache
        self._rules = rules_json(retention_s)
        self._keys = QuoteKeys(cache)
        # The last value of each symbol that was found to be a quote.
        self._known: dict[str, bytes] = {}

    def put(self, quotes: Sequence[Quote], now_ms: int) -> tuple[Verdict, ...]:
        """Write the quotes that are newer and accepted; return a verdict for each, in their order.

        Quotes are judged one after the other, each atomically, so two sources that agree in one
        call confirm each other. The first price of a symbol is accepted, because there is nothing
        to compare it with. An hour after the stored quote was fetched any price is accepted, except
        one that may be in another unit.
        """
        return self.commit(quotes, (), now_ms)

    def explain(self, missing: Sequence[MissingQuote]) -> None:
        """Store for some minutes why symbols are missing. No quote is changed.

        A stored reason is not replaced, because these reasons say only why no provider was asked.
        """
        self._cache.many([(*self._reason(one), "NX") for one in missing])

    def commit(
        self,
        quotes: Sequence[Quote],
        missing: Sequence[MissingQuote],
        now_ms: int,
        coins: Mapping[str, Mapping[str, str]] = NO_COINS,
    ) -> tuple[Verdict, ...]:
        """`put` and `explain` in one; a symbol whose quote is written keeps no reason.

        `coins`: the ids, by source, with which the coins among the symbols were asked for. A quote
        of another coin than the one that `name_coin` noted is not written.
        """
        reasons = [rejection_reason(quote) for quote in quotes]
        judged = self._with_changes(
            [quote for quote, reason in zip(quotes, reasons, strict=True) if reason is None]
        )
        # Reasons first: a quote that is written right after removes the reason of its symbol.
        commands: list[Command] = [self._reason(one) for one in missing]
        commands += [
            self._judgement(judged[start : start + CHUNK], now_ms, coins)
            for start in range(0, len(judged), CHUNK)
        ]
        answers = self._cache.many(commands)[len(missing) :] if commands else ()
        verdicts = (text.decode() for answer in answers for text in answer)
        return tuple(
            Verdict(quote.symbol, quote.source, Result.REJECTED, reason)
            if reason
            else verdict_of(quote, next(verdicts))
            for quote, reason in zip(quotes, reasons, strict=True)
        )

    def read(self, symbols: Sequence[str]) -> list[bytes | None]:
        """Return the stored values, in order; None for a symbol without one. One round trip.

        A value that is not a quote is removed and counts as missing.
        """
        answers = self._cache.many(self.read_commands(symbols))
        return self.values_of(symbols, answers)

    def read_commands(self, symbols: Sequence[str]) -> list[Command]:
        """Return `read` as commands for `Cache.many`; see `values_of`."""
        return mget_commands(self._keys.quotes(symbols))

    def values_of(
        self, symbols: Sequence[str], answers: Sequence[Sequence[bytes | None]]
    ) -> list[bytes | None]:
        """Return the stored values in the answers to `read_commands`, in order."""
        values = list(chain.from_iterable(answers))
        # Usually nothing has changed since the last request. To compare all values at once takes a
        # tenth of the time of comparing each value.
        known = list(map(self._known.get, symbols))
        if values == known:
            return values
        sound = [
            value if value in (None, last) or self._is_sound(symbol, value) else None
            for symbol, value, last in zip(symbols, values, known, strict=True)
        ]
        damaged = [
            self._keys.quote(symbol)
            for symbol, value, kept in zip(symbols, values, sound, strict=True)
            if value is not kept
        ]
        if damaged:
            self._drop(damaged)
        return sound

    def last(self, symbols: Sequence[str]) -> dict[str, LastQuote]:
        """Return the facts of the stored quotes, for the symbols that have one. One MGET."""
        return {
            symbol: LastQuote(price_of(value), timestamp_ms(value), fetched_ms(value))
            for symbol, value in zip(symbols, self.read(symbols), strict=True)
            if value is not None
        }

    def reasons(self, symbols: Sequence[str]) -> list[MissingQuote | None]:
        """Return why each symbol has no newer quote, in order; None if nothing is known. One MGET.

        A symbol with a held price has the code `quarantined`, even if another reason is stored.
        """
        return self.reasons_beside(symbols, ())[0] if symbols else []

    def reasons_beside(
        self, symbols: Sequence[str], others: Sequence[Command]
    ) -> tuple[list[MissingQuote | None], list[Any]]:
        """Return `reasons`, and the answers to other commands that share the round trip."""
        keys = [*map(self._keys.held, symbols), *map(self._keys.reason, symbols)]
        commands = mget_commands(keys)
        answers = self._cache.many((*commands, *others))
        texts = list(chain.from_iterable(answers[: len(commands)]))
        damaged: list[str] = []
        reasons: list[MissingQuote | None] = []
        for place, symbol in enumerate(symbols):
            held, reason = texts[place], texts[place + len(symbols)]
            why = None if reason is None else reason_of(symbol, reason)
            waits = None if held is None else held_reason(symbol, held)
            damaged += [keys[place]] if held is not None and waits is None else []
            damaged += [keys[place + len(symbols)]] if reason is not None and why is None else []
            reasons.append(waits or why)
        if damaged:
            self._drop(damaged)
        return reasons, answers[len(commands) :]

    def name_coin(self, base: str, ids: Mapping[str, str]) -> None:
        """Note the ids, by source, of the coin that a ticker (`HOT`) names from now on.

        The note outlasts every job that was planned for the coin before.
        """
        self._cache.command("SET", self._keys.coin(base), json.dumps(dict(ids)), "EX", COIN_KEPT_S)

    def forget(self, symbols: Sequence[str]) -> None:
        """Remove everything that is stored of these symbols: quote, held prices, reason, history.

        Used when a symbol becomes another asset, whose prices must not continue the old ones.
        """
        if symbols:
            keys = list(chain.from_iterable(map(self._keys.all_of, symbols)))
            self._cache.many(
                [
                    ("UNLINK", *keys[start : start + AT_ONCE])
                    for start in range(0, len(keys), AT_ONCE)
                ]
            )

    def _is_sound(self, symbol: str, value: bytes) -> bool:
        if not is_sound(symbol, value):
            return False
        if len(self._known) >= MOST_KNOWN:
            self._known.clear()
        self._known[symbol] = value
        return True

    def _drop(self, keys: Sequence[str]) -> None:
        """Remove values that cannot be read."""
        for key in keys:
            log.error("unreadable value removed", extra={"key": key})
        self._cache.many([("UNLINK", key) for key in keys])

    def _with_changes(self, quotes: Sequence[Quote]) -> list[Quote]:
        """Return the quotes; where the source gives no change, with our own one over 24 hours.

        This is for forex only. One MGET, and none if every quote has a change.
        """
        without = [
            quote.symbol
            for quote in quotes
            if quote.asset_class is AssetClass.FOREX and needs_day_change(quote)
        ]
        if not without:
            return list(quotes)
        answers = self._cache.many(mget_commands(list(map(self._keys.minutes, without))))
        texts = chain.from_iterable(answers)
        minutes = {
            symbol: read_points(text, MINUTE_MS)
            for symbol, text in zip(without, texts, strict=True)
        }
        return [
            with_day_change(quote, minutes[quote.symbol]) if quote.symbol in minutes else quote
            for quote in quotes
        ]

    def _judgement(
        self, quotes: Sequence[Quote], now_ms: int, coins: Mapping[str, Mapping[str, str]]
    ) -> Command:
        keys = [
            key
            for quote in quotes
            for key in (
                *self._keys.all_of(quote.symbol),
                self._keys.coin(quote.symbol.rpartition("-")[0]),
            )
        ]
        arguments = (arguments_of(quote, coins.get(quote.symbol, {})) for quote in quotes)
        head = (self._cache.time_argument(now_ms), self._rules)
        return ScriptCall("quotes_put", keys, (*head, *chain.from_iterable(arguments)))

    def _reason(self, missing: MissingQuote) -> tuple[Any, ...]:
        life_s = NOT_FOUND_REASON_S if missing.code is Reason.NOT_FOUND else REASON_S
        return "SET", self._keys.reason(missing.symbol), reason_text(missing), "EX", life_s
