"""The bounds of prices, of other figures and of changes."""

from decimal import Decimal

import pytest

from marketdata.domain.plausible import (
    is_near,
    is_plausible,
    is_plausible_percent,
    is_plausible_price,
)


@pytest.mark.parametrize("price", ["0", "1e-24", "0.00000512", "712345.5", "1e15", "-37.63"])
def test_a_number_within_the_bounds_has_the_size_of_a_price(price):
    """Zero, and sizes from 10^-24 to 10^15 with either sign, are plausible prices."""
    assert is_plausible_price(Decimal(price))


@pytest.mark.parametrize("price", ["9.9e-25", "1e-30", "1.01e15", "1e30", "-1e30", "-1e-30"])
def test_a_number_beyond_the_bounds_is_no_price(price):
    """Sizes below 10^-24 or above 10^15, with either sign, are not plausible prices."""
    assert not is_plausible_price(Decimal(price))


def test_a_figure_is_at_most_ten_to_the_twentieth():
    """Figures such as volume and market capitalisation may be as large as 10^20."""
    assert all(is_plausible(Decimal(one)) for one in ("0", "1e-24", "3.4e18", "1e20", "-1e20"))
    assert not any(
        is_plausible(Decimal(one)) for one in ("1e-25", "1.1e20", "-1e21", "1e99999999999")
    )


def test_a_percentage_is_that_of_a_factor_of_a_hundred_thousand():
    """A percentage is from -99.999 to 9,999,900, unless the price may be negative."""
    assert all(is_plausible_percent(Decimal(one)) for one in ("-99.999", "0", "9999900"))
    assert not any(is_plausible_percent(Decimal(one)) for one in ("-99.9991", "-250", "9999901"))
    assert is_plausible_percent(Decimal(-250), signed=True)
    assert not is_plausible_percent(Decimal("1e30"), signed=True)


def test_two_prices_of_a_day_differ_by_a_factor_of_a_hundred_thousand_at_most():
    """Prices of futures and indices are compared by their size, because they may pass zero."""
    price = Decimal(50)
    assert all(is_near(price, Decimal(other)) for other in ("0.0005", "50", "5000000"))
    assert not any(is_near(price, Decimal(other)) for other in ("0.0004", "5000001", "0", "-5"))
    assert is_near(Decimal("-37.63"), Decimal("18.27"), signed=True)
    assert not is_near(Decimal("-37.63"), Decimal("1e30"), signed=True)
