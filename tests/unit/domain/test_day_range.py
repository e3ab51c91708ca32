"""The range of a day: figures that contradict the price or each other are null."""

from decimal import Decimal

import pytest

from marketdata.domain.day_range import DayRange, agreed_range


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (("101", "104", "99"), ("101", "104", "99")),
        (("100", "100", "100"), ("100", "100", "100")),
        ((None, "104", None), (None, "104", None)),
        (("101", "99", "104"), ("101", None, None)),
        (("98.5", "99", "98"), ("98.5", None, "98")),
        (("102", "104", "101"), ("102", "104", None)),
        (("105", "104", "99"), (None, "104", "99")),
        (("98", "104", "99"), (None, "104", "99")),
        (("1e30", "1e30", "1e-30"), (None, None, None)),
        (("10000001", "104", "0.0009"), (None, "104", None)),
        (("-5", "104", "-7"), (None, "104", None)),
    ],
)
def test_a_figure_that_cannot_be_right_is_null(given, expected):
    """At a price of 100, figures that contradict the price or each other are null."""

    def decimals(texts):
        return [None if text is None else Decimal(text) for text in texts]

    assert agreed_range(Decimal(100), *decimals(given)) == DayRange(*decimals(expected))
