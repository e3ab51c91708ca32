"""The market behind the servers: its clock, its prices, its faults, and its records.

A `Tick` is what a provider shows of a symbol. `Market.is_true` says whether a quote is right.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from local.simulator.day_range import DayRanges
from local.simulator.faults import MOVES, Fault, Faults, read_move
from local.simulator.process import STEP_MS, Process, Series
from local.simulator.quotas import Quota
from local.simulator.records import Call, Move, Planted, Tick
from local.simulator.rounding import is_rounded
from local.simulator.trading_hours import TradingHours
from local.simulator.universe import Universe
from marketdata.domain.budget import parse_limits
from marketdata.domain.catalogue import FACTS
from marketdata.domain.quotes import Source
from marketdata.domain.symbols import parse_symbol
from marketdata.domain.units import MINOR_UNITS
from marketdata.errors import InvalidSymbolError

MAX_CALLS = 200_000  # remembered per provider
# How often a provider's prices change, in seconds, on its free plan.
UPDATE_S: Mapping[Source, float] = {Source.COINGECKO: 60, Source.COINMARKETCAP: 60}


class Market:
    """One simulated market. Its methods may be called from any thread.

    `clock` returns epoch milliseconds. `limits` (in the notation of `budget.parse_limits`) and
    `update_s` replace the free plans' by provider. `calls` and `violations` are by provider.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], int] | None = None,
        seed: int = 1,
        always_open: bool = True,
        holidays: Iterable[date] = (),
        early_closes: Iterable[date] = (),
        limits: Mapping[Source, str] | None = None,
        update_s: Mapping[Source, float] | None = None,
    ) -> None:
        self.seed = seed
        self.now_ms = clock or (lambda: time.time_ns() // 1_000_000)
        self.universe = Universe.build()
        self.trading_hours = TradingHours(
            always_open=always_open, holidays=holidays, early_closes=early_closes
        )
        own = {source: facts.free_limits for source, facts in FACTS.items()} | dict(limits or {})
        self.quotas = {source: Quota(parse_limits(own[source])) for source in Source}
        periods = {**UPDATE_S, **(update_s or {})}
        self._update_ms = {source: int(periods.get(source, 0) * 1000) for source in Source}
        self.lock = threading.RLock()
        self.faults = Faults()
        self.calls: dict[Source, deque[Call]] = {
            source: deque(maxlen=MAX_CALLS) for source in Source
        }
        self.planted: list[Planted] = []
        self.moves: list[Move] = []
        self._process = Process(seed, self.universe)
        self._ranges = DayRanges()
        # All shifts of the times of a provider so far, in milliseconds.
        self._offsets: defaultdict[Source, set[int]] = defaultdict(set)

    @property
    def violations(self) -> dict[Source, int]:
        """Return the number of calls that came beyond a limit, by provider."""
        return {source: quota.violations for source, quota in self.quotas.items()}

    def peak(self, source: Source) -> dict[str, int]:
        """Return the highest number of calls in each window of a provider's limits."""
        return self.quotas[source].peaks()

    def price(self, symbol: str, at_ms: int) -> Decimal:
        """Return the price of a symbol at an instant, moves included, whether it trades or not.

        It is in the unit in which the exchange quotes it. Raise ValueError for an unknown symbol.
        """
        return self._price(self._traded(symbol), at_ms)

    def truth(self, symbol: str, at_ms: int) -> tuple[Decimal, int]:
        """Return the price and the time of the last trade up to an instant.

        Raise ValueError for an unknown symbol.
        """
        series = self._traded(symbol)
        trade_ms = self._trade_ms(series, at_ms, 0)
        return self._price(series, trade_ms), trade_ms

    def is_true(
        self, symbol: str, price: Decimal, timestamp_ms: int | None, source: Source
    ) -> bool:
        """Return whether a quote is right: there was a trade at its time, and at its price.

        `price` is in the major unit (pounds, not pence), as `source` rounds it. A quote without a
        time is right if the symbol had its price within the last hour. A time that was shifted by a
        planted fault counts as the time that it stands for.
        """
        series = self._process.series(symbol)
        if series is None or series.blank:
            return False
        if timestamp_ms is None:
            now_ms = self._trade_ms(series, self.now_ms(), 0)
            times = range(now_ms, now_ms - 3_600_000, -STEP_MS)
            return any(self._was(series, price, at_ms, source) for at_ms in times)
        return any(
            self._trade_ms(series, at_ms, 0) == at_ms and self._was(series, price, at_ms, source)
            for at_ms in (timestamp_ms, *(timestamp_ms - ms for ms in self._offsets[source]))
        )

    def tick(self, source: Source, symbol: str, path: str = "") -> Tick | None:
        """Return what a provider shows of a symbol now; None for nothing.

        Planted faults apply only if a `path` is given. Lists give none.
        """
        series = self._process.series(symbol)
        if series is None:
            return None
        now_ms = self.now_ms()
        applied = self.faults.of_price(source, path, series.label, now_ms) if path else []
        faults = {fault.kind: fault.options for fault in applied}
        if "unknown" in faults:
            return None
        seen_ms = now_ms - int(faults.get("stale", {}).get("age_s", 0) * 1000)
        trade_ms = self._trade_ms(series, seen_ms, self._update_ms[source])
        session = self.trading_hours.at(series.hours, seen_ms)
        price = self._price(series, trade_ms)
        self._ranges.note(series.label, session, price)
        if "bad_tick" in faults:
            price = (price * Decimal(str(faults["bad_tick"]["factor"]))).quantize(price)
            self.planted.append(Planted(now_ms, source, series.label, price, trade_ms))
        if "nan" in faults:
            price = Decimal("NaN")
        offset_ms = int(faults.get("clock_offset", {}).get("offset_s", 0) * 1000)
        if offset_ms:
            self._offsets[source].add(offset_ms)

        def price_at(at_ms: int) -> Decimal:
            return self._price(series, at_ms)

        return Tick(
            series=series,
            session=session,
            at_ms=trade_ms,
            shown_ms=trade_ms + offset_ms,
            seen_ms=seen_ms,
            price=price,
            price_at=price_at,
            range_of=lambda session, at_ms: self._ranges.range_of(
                series.label, session, at_ms, price_at
            ),
            oddity=faults.get("odd_row", {}).get("oddity"),
        )

    def control(self, fault: str, **options: Any) -> Fault | Move:
        """Plant a fault of `faults.KINDS`, or a true move of a price of `faults.MOVES`.

        Every fault has the options `provider`, `path`, `symbol`, `start_in_s`, `duration_s` (by the
        market's clock) and `answers`, and the options of its kind. A move has only the options of
        its kind. Raise ValueError for anything else.
        """
        with self.lock:
            if options.get("symbol"):
                options["symbol"] = self._canonical(options["symbol"])
            if fault not in MOVES:
                return self.faults.plant(fault, self.now_ms(), options)
            move = read_move(fault, self.now_ms(), options)
            self._traded(move.symbol)
            self.moves.append(move)
            return move

    def clear(self, *, source: Source | None = None, number: int | None = None) -> int:
        """End the faults of a provider, one fault, or all; return how many. Moves stay."""
        with self.lock:
            return self.faults.clear(source=source, number=number)

    def _traded(self, symbol: str) -> Series:
        series = self._process.series(symbol)
        if series is None:
            raise ValueError(f"{symbol!r} is not traded here")
        return series

    def _canonical(self, spelling: str) -> str:
        series = self._process.series(spelling)
        if series is not None:
            return series.label
        try:
            symbol = parse_symbol(spelling).text
        except InvalidSymbolError as error:
            raise ValueError(str(error)) from None
        series = self._process.series(symbol)
        return symbol if series is None else series.label

    def _price(self, series: Series, at_ms: int) -> Decimal:
        factor = 1.0
        for move in self.moves:
            if self._traded(move.symbol).asset == series.asset:
                factor *= move.factor_at(at_ms)
        return self._process.price(series, at_ms, factor)

    def _trade_ms(self, series: Series, at_ms: int, update_ms: int) -> int:
        """Return the last trade that a source shows whose prices change every `update_ms`."""
        if update_ms:
            at_ms -= at_ms % update_ms
        at_ms = self.trading_hours.last_trade_ms(series.hours, at_ms - at_ms % STEP_MS)
        return at_ms if series.frozen_ms is None else min(at_ms, series.frozen_ms)

    def _was(self, series: Series, price: Decimal, at_ms: int, source: Source) -> bool:
        if series.currency in MINOR_UNITS:
            price *= 10 ** MINOR_UNITS[series.currency].places
        return is_rounded(source, series.asset_class, price, self._price(series, at_ms))
