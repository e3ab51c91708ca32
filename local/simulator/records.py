"""The records of the market: ticks, calls, wrong prices, moves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import NamedTuple

from local.simulator.process import Series
from local.simulator.trading_hours import Session
from marketdata.clock import DAY_MS
from marketdata.domain.quotes import Source


class Call(NamedTuple):
    """One call that arrived. `status` is 0 if it was not answered; `symbols` is their number."""

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


class Move(NamedTuple):
    """One true move of a price: from `at_ms` on it is multiplied by `factor`, `steps` times.

    There are `every_ms` milliseconds between two steps. `kind` is jump, crash or pump.
    """

    kind: str
    symbol: str
    at_ms: int
    factor: float
    steps: int = 1
    every_ms: int = 1

    def factor_at(self, at_ms: int) -> float:
        """Return what the price is multiplied by at an instant."""
        if at_ms < self.at_ms:
            return 1.0
        steps: int = min(self.steps, 1 + (at_ms - self.at_ms) // self.every_ms)
        factor: float = self.factor**steps
        return factor

    @property
    def end_ms(self) -> int:
        """Return when the last step is made."""
        return self.at_ms + (self.steps - 1) * self.every_ms


@dataclass(frozen=True)
class Tick:
    """A symbol as a provider shows it: its last trade, and the figures of the day.

    `at_ms` is the time of the trade. `shown_ms` is the time that the provider gives for the trade.
    `seen_ms` is the time at which the provider was asked. `oddity` is the planted defect of its
    row, if any. `range_of` returns the highest and the lowest price of a session up to an instant.
    """

    series: Series
    session: Session
    at_ms: int
    shown_ms: int
    seen_ms: int
    price: Decimal
    price_at: Callable[[int], Decimal]
    range_of: Callable[[Session, int], tuple[Decimal, Decimal]]
    oddity: str | None = None

    @property
    def previous_close(self) -> Decimal:
        """Return the close of the session before the last one."""
        return self._earlier(self.session.previous_close_ms)

    @property
    def day_ago(self) -> Decimal:
        """Return the price 24 hours before this one."""
        return self._earlier(self.at_ms - DAY_MS)

    @property
    def opening(self) -> Decimal:
        """Return the first price of the session."""
        return self._earlier(self.session.open_ms)

    @property
    def high(self) -> Decimal:
        """Return the highest price of the session so far."""
        return max(self._range[0], self._finite_price)

    @property
    def low(self) -> Decimal:
        """Return the lowest price of the session so far."""
        return min(self._range[1], self._finite_price)

    @cached_property
    def _range(self) -> tuple[Decimal, Decimal]:
        if self.series.frozen_ms is not None:
            return self._finite_price, self._finite_price
        return self.range_of(self.session, self.at_ms)

    @property
    def _finite_price(self) -> Decimal:
        return self.price if self.price.is_finite() else self.price_at(self.at_ms)

    def _earlier(self, at_ms: int) -> Decimal:
        return self.price if self.series.frozen_ms is not None else self.price_at(at_ms)
