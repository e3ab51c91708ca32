"""The market behind the servers: its clock, its prices, its faults, and its own record.

What a server shows of a symbol is a `Tick`; whether somebody's quote is right, `is_true` tells.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from local.simulator.faults import JUMP, Fault, Faults
from local.simulator.process import STEP_MS, Process, Series
from local.simulator.quotas import Quota
from local.simulator.records import Call, Jump, Planted, Tick
from local.simulator.rounding import told_by
from local.simulator.sessions import Hours, Sessions
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

    `clock` tells epoch milliseconds. `limits` (in the notation of `budget.parse_limits`) and
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
        self.sessions = Sessions(
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
        self.jumps: list[Jump] = []
        self._process = Process(seed, self.universe)

    @property
    def violations(self) -> dict[Source, int]:
        """Calls that came beyond a limit, by provider."""
        return {source: quota.violations for source, quota in self.quotas.items()}

    def peak(self, source: Source) -> dict[str, int]:
        """The highest number of calls in each window of a provider's limits."""
        return self.quotas[source].peaks()

    def price(self, symbol: str, at_ms: int) -> Decimal:
        """The price of a symbol at an instant, jumps included, whether trading or not.

        In the unit in which the exchange quotes it. Raises ValueError for an unknown symbol.
        """
        return self._price(self._traded(symbol), at_ms)

    def truth(self, symbol: str, at_ms: int) -> tuple[Decimal, int]:
        """Price and time of the last trade up to an instant.

        Raises ValueError for an unknown symbol.
        """
        series = self._traded(symbol)
        trade_ms = self._trade_ms(series, at_ms, 0)
        return self._price(series, trade_ms), trade_ms

    def is_true(
        self, symbol: str, price: Decimal, timestamp_ms: int | None, source: Source
    ) -> bool:
        """Whether a quote is right: there was a trade at that time, and that was its price.

        `price` is in the major unit (pounds, not pence), as `source` rounds it. A quote without a
        time is right if the symbol had that price within the last hour.
        """
        series = self._process.series(symbol)
        if series is None or series.blank:
            return False
        if timestamp_ms is None:
            now_ms = self._trade_ms(series, self.now_ms(), 0)
            times = range(now_ms, now_ms - 3_600_000, -STEP_MS)
            return any(self._was(series, price, at_ms, source) for at_ms in times)
        if self._trade_ms(series, timestamp_ms, 0) != timestamp_ms:
            return False
        return self._was(series, price, timestamp_ms, source)

    def tick(self, source: Source, symbol: str, path: str = "") -> Tick | None:
        """What a provider shows of a symbol now; None for nothing.

        Planted faults strike where a `path` is given; lists, which give none, are spared.
        """
        series = self._process.series(symbol)
        if series is None:
            return None
        now_ms = self.now_ms()
        struck = self.faults.of_price(source, path, symbol, now_ms) if path else []
        faults = {fault.kind: fault for fault in struck}
        if "unknown" in faults:
            return None
        age_s = faults["stale"].options["age_s"] if "stale" in faults else 0
        seen_ms = now_ms - int(age_s * 1000)
        trade_ms = self._trade_ms(series, seen_ms, self._update_ms[source])
        price = self._price(series, trade_ms)
        if "bad_tick" in faults:
            factor = Decimal(str(faults["bad_tick"].options["factor"]))
            price = (price * factor).quantize(price)
            self.planted.append(Planted(now_ms, source, symbol, price, trade_ms))
        if "nan" in faults:
            price = Decimal("NaN")
        session = self.sessions.at(series.hours, seen_ms)
        return Tick(series, session, trade_ms, price, lambda at_ms: self._price(series, at_ms))

    def control(self, fault: str, **options: Any) -> Fault | Jump:
        """Plant a fault of `faults.KINDS`, or a jump of the price itself.

        Options of each fault: `provider`, `path`, `symbol`, `start_in_s`, `duration_s` (by the
        market's clock), `answers`, and its own. A jump takes `symbol`, `factor` and `at_ms` (now).
        Raises ValueError for what does not exist.
        """
        with self.lock:
            if options.get("symbol"):
                options["symbol"] = _canonical(options["symbol"])
            if fault != "jump":
                return self.faults.plant(fault, self.now_ms(), options)
            if set(options) - set(JUMP) or not options.get("symbol"):
                raise ValueError(f"jump takes {', '.join(JUMP)}")
            self._traded(options["symbol"])
            options = {**JUMP, **options}
            at_ms = int(options["at_ms"] or self.now_ms())
            jump = Jump(options["symbol"], at_ms, float(options["factor"]))
            self.jumps.append(jump)
            return jump

    def clear(self, *, source: Source | None = None, number: int | None = None) -> int:
        """End the faults of a provider, one fault, or all; how many. Jumps stay."""
        with self.lock:
            return self.faults.clear(source=source, number=number)

    def _traded(self, symbol: str) -> Series:
        series = self._process.series(symbol)
        if series is None:
            raise ValueError(f"{symbol!r} is not traded here")
        return series

    def _price(self, series: Series, at_ms: int) -> Decimal:
        factor = 1.0
        for jump in self.jumps:
            if at_ms >= jump.at_ms and _same_asset(series, jump.symbol):
                factor *= jump.factor
        return self._process.price(series, at_ms, factor)

    def _trade_ms(self, series: Series, at_ms: int, update_ms: int) -> int:
        """The last trade up to an instant that a source shows which looks every `update_ms`."""
        if update_ms:
            at_ms -= at_ms % update_ms
        at_ms = self.sessions.last_trade_ms(series.hours, at_ms - at_ms % STEP_MS)
        return at_ms if series.frozen_ms is None else min(at_ms, series.frozen_ms)

    def _was(self, series: Series, price: Decimal, at_ms: int, source: Source) -> bool:
        if series.currency in MINOR_UNITS:
            price *= 10 ** MINOR_UNITS[series.currency].places
        return told_by(source, series.hours, price, self._price(series, at_ms))


def _same_asset(series: Series, symbol: str) -> bool:
    """Whether a jump of `symbol` moves a series too: a coin jumps against every currency."""
    if series.hours is Hours.CRYPTO:
        return series.label.rpartition("-")[0] == symbol.rpartition("-")[0]
    return series.label == symbol


def _canonical(symbol: str) -> str:
    try:
        return parse_symbol(symbol).text
    except InvalidSymbolError as error:
        raise ValueError(str(error)) from None
