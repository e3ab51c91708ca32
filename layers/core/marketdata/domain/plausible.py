"""The bounds of the figures of a quote, the same for all providers. Pure.

A number beyond the bounds is a mistake of the source, for example an amount in another unit. The
highest prices are those of bitcoin in weak currencies, about 10^11. The lowest are those of coins
in bitcoin, about 10^-20. Bitcoin's market capitalisation in a weak currency is about 10^18.
"""

from __future__ import annotations

from decimal import Decimal

# Of every figure. A figure may also be zero.
SMALLEST = Decimal("1e-24")
LARGEST = Decimal("1e20")
LARGEST_PRICE = Decimal("1e15")
# A price of the same day or of the day before is at most this many times as large or as small. The
# fastest fall of a large coin, of LUNA in 2022, was by a factor of about 20,000 in a day.
LARGEST_FACTOR = 100_000
# The percentages of these two factors.
LARGEST_PERCENT = (LARGEST_FACTOR - 1) * Decimal(100)
SMALLEST_PERCENT = Decimal(100) / LARGEST_FACTOR - 100


def is_plausible(figure: Decimal) -> bool:
    """Return whether a finite number has a possible size for a figure, above or below zero."""
    # `abs` fails for the largest exponents.
    return not figure or SMALLEST <= figure.copy_abs() <= LARGEST


def is_plausible_price(price: Decimal) -> bool:
    """Return whether a number has a possible size for a price, above or below zero."""
    return is_plausible(price) and abs(price) <= LARGEST_PRICE


def is_plausible_percent(percent: Decimal, *, signed: bool = False) -> bool:
    """Return whether a percentage can be the change of a price.

    `signed`: the price may be zero or negative, so a fall may be larger than 100 %.
    """
    smallest = -LARGEST_PERCENT if signed else SMALLEST_PERCENT
    return smallest <= percent <= LARGEST_PERCENT


def is_near(price: Decimal, other: Decimal, *, signed: bool = False) -> bool:
    """Return whether one asset can have these two prices within a day.

    `signed` prices may be zero or negative, so only their size is checked.
    """
    if signed:
        return is_plausible_price(other)
    return price / LARGEST_FACTOR <= other <= price * LARGEST_FACTOR
