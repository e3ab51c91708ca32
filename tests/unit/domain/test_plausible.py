"""The bounds of figures: what has the size of a price, of a total, of a change."""

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
    """From 10^-24 to 10^15, above or below zero, and zero itself."""
    assert is_plausible_price(Decimal(price))


@pytest.mark.parametrize("price", ["9.9e-25", "1e-30", "1.01e15", "1e30", "-1e30", "-1e-30"])
def test_a_number_beyond_the_bounds_is_no_price(price):
    """On either side of zero."""
    assert not is_plausible_price(Decimal(price))


def test_a_figure_is_at_most_ten_to_the_twentieth():
    """Volumes and capitalisations are larger than prices."""
    assert all(is_plausible(Decimal(one)) for one in ("0", "1e-24", "3.4e18", "1e20", "-1e20"))
    assert not any(
        is_plausible(Decimal(one)) for one in ("1e-25", "1.1e20", "-1e21", "1e99999999999")
    )


def test_a_percentage_is_that_of_a_factor_of_a_hundred_thousand():
    """A fall is by less than 100 %, unless the price may be zero or negative."""
    assert all(is_plausible_percent(Decimal(one)) for one in ("-99.999", "0", "9999900"))
    assert not any(is_plausible_percent(Decimal(one)) for one in ("-99.9991", "-250", "9999901"))
    assert is_plausible_percent(Decimal(-250), signed=True)
    assert not is_plausible_percent(Decimal("1e30"), signed=True)


def test_two_prices_of_a_day_differ_by_a_factor_of_a_hundred_thousand_at_most():
    """The price of a future or an index may pass zero, so only its size counts."""
    price = Decimal(50)
    assert all(is_near(price, Decimal(other)) for other in ("0.0005", "50", "5000000"))
    assert not any(is_near(price, Decimal(other)) for other in ("0.0004", "5000001", "0", "-5"))
    assert is_near(Decimal("-37.63"), Decimal("18.27"), signed=True)
    assert not is_near(Decimal("-37.63"), Decimal("1e30"), signed=True)
