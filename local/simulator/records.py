"""What the market shows and what it remembers: ticks, calls, planted prices, jumps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from local.simulator.process import Series
from local.simulator.sessions import DAY_MS, Session
from marketdata.domain.quotes import Source


class Call(NamedTuple):
    """One call that arrived: when, for what, how it was answered (0: not at all), symbols asked."""

    arrival_ms: int
    kind: str
    status: int
    symbols: int


class Planted(NamedTuple):
    """One wrong price that was served on purpose."""

    served_ms: int
    source: Source
    symbol: str
    price: Decimal
    timestamp_ms: int


class Jump(NamedTuple):
    """One true jump: from `at_ms` on, prices are multiplied by `factor`."""

    symbol: str
    at_ms: int
    factor: float


@dataclass(frozen=True, slots=True)
class Tick:
    """What a provider knows of one symbol: its last trade and what came before it."""

    series: Series
    session: Session
    at_ms: int
    price: Decimal
    price_at: Callable[[int], Decimal]

    @property
    def previous_close(self) -> Decimal:
        """The close of the session before the last one."""
        return self._earlier(self.session.previous_close_ms)

    @property
    def day_ago(self) -> Decimal:
        """The price 24 hours before this one."""
        return self._earlier(self.at_ms - DAY_MS)

    @property
    def opening(self) -> Decimal:
        """The first price of the session."""
        return self._earlier(self.session.open_ms)

    def _earlier(self, at_ms: int) -> Decimal:
        return self.price if self.series.frozen_ms is not None else self.price_at(at_ms)
