"""The highest and the lowest price of a session, for each symbol.

The range includes the prices at every quarter of an hour and all prices that were shown. So a shown
price is never outside of a range that is shown later. A symbol that is seldom shown takes little
time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from local.simulator.trading_hours import Session

GRID_MS = 900_000


@dataclass(slots=True)
class _Range:
    """The range of one session; the grid is evaluated up to `next_ms`, exclusive."""

    open_ms: int
    next_ms: int
    high: Decimal
    low: Decimal

    def add(self, price: Decimal) -> None:
        self.high, self.low = max(self.high, price), min(self.low, price)


class DayRanges:
    """The ranges of the latest session of each symbol."""

    def __init__(self) -> None:
        self._ranges: dict[str, _Range] = {}

    def note(self, label: str, session: Session, price: Decimal) -> None:
        """Note that a price of a session was shown."""
        known = self._ranges.get(label)
        if known is None or known.open_ms < session.open_ms:
            self._ranges[label] = _Range(session.open_ms, session.open_ms, price, price)
        elif known.open_ms == session.open_ms:
            known.add(price)

    def range_of(
        self, label: str, session: Session, at_ms: int, price_at: Callable[[int], Decimal]
    ) -> tuple[Decimal, Decimal]:
        """Return the highest and the lowest price of a session up to an instant."""
        known = self._ranges.get(label)
        price = price_at(at_ms)
        if known is None or known.open_ms != session.open_ms or at_ms < known.next_ms - GRID_MS:
            known = _Range(
                session.open_ms, session.open_ms, price, price
            )  # for an instant in the past
        for grid_ms in range(known.next_ms, at_ms + 1, GRID_MS):
            known.add(price_at(grid_ms))
            known.next_ms = grid_ms + GRID_MS
        known.add(price)
        return known.high, known.low
