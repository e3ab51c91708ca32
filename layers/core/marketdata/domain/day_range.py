"""The day range of a quote: only figures that agree with its price. Pure.

Providers update the price and the range of a day separately, and a single figure can be wrong. A
figure that the price or another figure contradicts is left out, because a client cannot know which
of the two is right. The price itself is checked elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from marketdata.domain.plausible import is_near


@dataclass(frozen=True, slots=True)
class DayRange:
    """The first, highest and lowest price of a day. A figure that is unknown or wrong is None."""

    open: Decimal | None
    high: Decimal | None
    low: Decimal | None


def agreed_range(
    price: Decimal,
    first: Decimal | None,
    high: Decimal | None,
    low: Decimal | None,
    *,
    signed: bool = False,
) -> DayRange:
    """Return the figures without those that cannot be right.

    A figure that is not plausible beside the price is left out; `signed` prices may be zero or
    negative. If the high is below the low, both are left out. A high below the price, a low above
    the price and a first price outside of the range are left out.
    """
    first, high, low = (
        None if figure is None or not is_near(price, figure, signed=signed) else figure
        for figure in (first, high, low)
    )
    if high is not None and low is not None and high < low:
        high = low = None
    if high is not None and high < price:
        high = None
    if low is not None and low > price:
        low = None
    if first is not None:
        above = high is not None and first > high
        below = low is not None and first < low
        first = None if above or below else first
    return DayRange(first, high, low)
