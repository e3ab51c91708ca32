"""Compares every price of the day, shown or written, with the market's record.

Once a slot it reads all quotes as a client does, through the API's reader. It also gets the
verdicts of each commit, so that a wrong price counts even if the next commit replaces it at once.
"""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple

from local.day.moves import LookWatch, MoveWatch
from local.day.script import Script
from local.day.watchlist import ALL, CLASS_OF
from local.simulator import MOVES, Market
from local.simulator.trading_hours import Hours
from marketdata.api.readers.quotes import QuoteReader
from marketdata.api.readers.symbol_lists import requested
from marketdata.cache.client import Cache
from marketdata.cache.quote_store import NO_COINS, QuoteStore
from marketdata.clock import MINUTE_MS, epoch_ms, parse_utc
from marketdata.domain.acceptance import FUTURE_MS, Result, Verdict
from marketdata.domain.catalogue import CHAINS
from marketdata.domain.messages import Report, Summary
from marketdata.domain.outcomes import MissingQuote
from marketdata.domain.quotes import Quote, Source
from marketdata.domain.symbols import AssetClass
from marketdata.errors import CacheUnavailableError

HOURS = {
    AssetClass.STOCKS: Hours.US,
    AssetClass.CRYPTO: Hours.CRYPTO,
    AssetClass.FOREX: Hours.FOREX,
}
# A price of an open market that is this old must not be shown as fresh. The service's own limits
# are stricter, but a price may be in the cache for five minutes before it counts as stale.
TOO_OLD_MS = 30 * MINUTE_MS

# The first price of a move is held until the next look, up to five minutes later. Meanwhile the
# stored price becomes stale, which is right.
HELD_MS = 10 * MINUTE_MS

Listener = Callable[[Sequence[Quote], Sequence[Verdict]], None]


class ObservedStore(QuoteStore):
    """The store that commits write to; it passes the verdicts to a listener as well."""

    def __init__(self, cache: Cache, *, retention_s: int, listener: Listener) -> None:
        super().__init__(cache, retention_s=retention_s)
        self._listener = listener

    def commit(
        self,
        quotes: Sequence[Quote],
        missing: Sequence[MissingQuote],
        now_ms: int,
        coins: Mapping[str, Mapping[str, str]] = NO_COINS,
    ) -> tuple[Verdict, ...]:
        """Commit as the store does, and pass on the verdicts."""
        verdicts = super().commit(quotes, missing, now_ms, coins)
        self._listener(quotes, verdicts)
        return verdicts


@dataclass(slots=True)
class Share:
    """How many quotes were read while their market was open, and how many of them were fresh."""

    looked: int = 0
    fresh: int = 0

    def value(self) -> float | None:
        """Return the share; None if no quote was read."""
        return self.fresh / self.looked if self.looked else None


@dataclass(frozen=True, slots=True)
class Turn:
    """One change of state of a breaker."""

    at_ms: int
    source: Source
    asset_class: AssetClass
    state: str
    reason: str | None


class _Shown(NamedTuple):
    price: Decimal
    time: datetime | None
    source: Source


@dataclass(slots=True)
class Seen:
    """The records of the judge. `fresh` excludes some quotes, `raw` does not.

    Excluded are those of moving prices, and those of forex in Yahoo's outage.

    `wrong` has each wrong price that was written or shown. `held` has the planted wrong prices that
    were held. `fallbacks` counts the commits that wrote quotes of a class's second provider.
    `same_tick` counts those of them in which the first provider failed in the same tick.
    """

    fresh: dict[AssetClass, Share]
    raw: dict[AssetClass, Share]
    wrong: list[str] = field(default_factory=list)
    held: set[tuple[Source, str, int]] = field(default_factory=set)
    counts: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[tuple[Source, str]] = field(default_factory=Counter)
    written: Counter[tuple[AssetClass, Source]] = field(default_factory=Counter)
    fallbacks: Counter[AssetClass] = field(default_factory=Counter)
    same_tick: Counter[AssetClass] = field(default_factory=Counter)
    turns: list[Turn] = field(default_factory=list)


class Judge:
    """Compares what a service shows and writes with a market. `reader` is set before `look`."""

    def __init__(self, market: Market, script: Script) -> None:
        self.seen = Seen(
            {asset_class: Share() for asset_class in AssetClass},
            {asset_class: Share() for asset_class in AssetClass},
        )
        self.moves = MoveWatch(market)
        self.looks = LookWatch()
        self.reader: QuoteReader | None = None
        self._market = market
        self._outage_ms = script.outage_ms
        self._moves = [planned for planned in script.planned if planned.kind in MOVES]
        self._suspects = {(p.source, p.symbol) for p in script.planned if p.kind == "bad_tick"}
        self._wanted = requested(",".join(ALL))
        self._shown: dict[str, _Shown] = {}
        self._lock = threading.Lock()
        self._was = lru_cache(maxsize=1024)(market.is_true)

    def store(self, cache: Cache, retention_s: int) -> QuoteStore:
        """Return a store whose verdicts the judge gets."""
        return ObservedStore(cache, retention_s=retention_s, listener=self.note_verdicts)

    def look(self, now_ms: int) -> None:
        """Read every quote as a client would, and note what is fresh and what is wrong."""
        if self.reader is None:
            raise ValueError("the judge has no reader")
        try:
            body = self.reader.read(self._wanted, now_ms).body("simulated")
        except CacheUnavailableError:
            self.count("looks that Redis did not answer")
            return
        shown = {q["symbol"]: q for q in json.loads(body, parse_float=Decimal)["quotes"]}
        open_since = {c: self._open_since(c, now_ms) for c in AssetClass}
        for symbol in ALL:
            asset_class, quote = CLASS_OF[symbol], shown.get(symbol)
            if quote is not None:
                self._check(symbol, quote, now_ms)
                with self._lock:
                    self.looks.served(symbol, epoch_ms(parse_utc(quote["fetched_at"])))
            if open_since[asset_class] is not None:
                self._weigh(symbol, quote, open_since[asset_class] or 0, now_ms)

    def fetched(self, report: Report, *, lost: bool) -> bool:
        """Return whether a report has a planted price; a `lost` report is never committed."""
        wrong = [
            quote
            for quote in report.quotes
            if (quote.source, quote.symbol) in self._suspects and not self._is_true(quote)
        ]
        self.count("bad ticks lost with a worker", len(wrong) if lost else 0)
        return bool(wrong)

    def committed(self, summary: Summary, now_ms: int) -> None:
        """Note a commit's summary."""
        asset_class = summary.asset_class
        for provider, quotes in summary.written.items():
            self.seen.written[asset_class, provider] += quotes
        answered = [step.provider for step in summary.outcomes if step.quotes]
        if answered and answered[0] is not summary.outcomes[0].provider:
            self.seen.same_tick[asset_class] += 1
        if set(summary.written) - {CHAINS[asset_class][0]}:
            self.seen.fallbacks[asset_class] += 1
        for step in summary.outcomes:
            self.seen.outcomes[step.provider, step.outcome.value] += 1
        for change in summary.transitions:
            self.seen.turns.append(
                Turn(
                    now_ms,
                    change.provider,
                    change.asset_class,
                    change.after.value,
                    change.reason,
                )
            )

    def claimed(self, workers: int) -> None:
        """Note how many workers won a slot."""
        self.count("slots" if workers == 1 else "slots that not exactly one worker won")

    def count(self, what: str, times: int = 1) -> None:
        """Count something that happened."""
        with self._lock:
            self.seen.counts[what] += times

    def note_verdicts(self, quotes: Sequence[Quote], verdicts: Sequence[Verdict]) -> None:
        """Note the verdicts of one commit."""
        judged = [(q, v, self._is_true(q)) for q, v in zip(quotes, verdicts, strict=True)]
        with self._lock:
            for quote, verdict, is_true in judged:
                if is_true:
                    self.moves.note(quote, verdict.result)
                    self.looks.note(quote, verdict.result)
                elif verdict.result is Result.WRITTEN:
                    self.seen.wrong.append(f"written: {quote.symbol} {quote.price} {quote.source}")
                else:
                    at_ms = epoch_ms(quote.fetched_at)
                    self.seen.held.add((quote.source, quote.symbol, at_ms))

    def _check(self, symbol: str, quote: Mapping[str, Any], now_ms: int) -> None:
        text = quote["timestamp"]
        time = None if text is None else parse_utc(text)
        shown = _Shown(Decimal(quote["price"]), time, Source(quote["source"]))
        before = self._shown.get(symbol)
        if shown == before:
            return
        self._shown[symbol] = shown
        if not self._was_true(symbol, shown.price, time, shown.source):
            self.seen.wrong.append(f"shown: {symbol} {shown.price} {shown.source} {text}")
        if time is not None and epoch_ms(time) > now_ms + FUTURE_MS:
            self.count("prices of the future that were shown")
        if before and before.time and time and time < before.time:
            self.count("quotes that went back in time")

    def _weigh(
        self, symbol: str, quote: Mapping[str, Any] | None, since_ms: int, now_ms: int
    ) -> None:
        asset_class = CLASS_OF[symbol]
        is_fresh = quote is not None and not quote["stale"]
        in_outage = self._outage_ms[0] <= now_ms < self._outage_ms[1]
        is_moving = any(
            move.from_ms <= now_ms < move.until_ms + HELD_MS
            for move in self._moves
            if move.symbol == symbol
        )
        shares = [self.seen.raw]
        if not is_moving and not (asset_class is AssetClass.FOREX and in_outage):
            shares.append(self.seen.fresh)
        for share in shares:
            share[asset_class].looked += 1
            share[asset_class].fresh += is_fresh
        if is_fresh and quote is not None and quote["timestamp"] is not None:
            expected_ms = max(epoch_ms(parse_utc(quote["timestamp"])), since_ms)
            if now_ms - expected_ms > TOO_OLD_MS:
                self.count("old prices shown as fresh")

    def _open_since(self, asset_class: AssetClass, now_ms: int) -> int | None:
        session = self._market.trading_hours.at(HOURS[asset_class], now_ms)
        return session.open_ms if session.is_open else None

    def _is_true(self, quote: Quote) -> bool:
        return self._was_true(quote.symbol, quote.price, quote.timestamp, quote.source)

    def _was_true(self, symbol: str, price: Decimal, time: datetime | None, source: Source) -> bool:
        if time is None:  # the answer then depends on the present time
            return self._market.is_true(symbol, price, None, source)
        return self._was(symbol, price, epoch_ms(time), source)
