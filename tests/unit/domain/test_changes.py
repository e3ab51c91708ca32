"""Changes and percentages: they agree with the price, or are null."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketdata.domain.changes import agreed_change, change_from_percent, rounded_percent


def figures(price, change, percent, close=None, *, signed=False):
    """Return change, percentage and previous close after the check, as text."""
    given = [None if x is None else Decimal(x) for x in (price, change, percent, close)]
    found = agreed_change(*given, signed=signed)
    return tuple(
        None if x is None else format(x, "f")
        for x in (found.change, found.percent, found.previous_close)
    )


@pytest.mark.parametrize(
    ("price", "change", "percent", "close"),
    [
        ("263.84", "-0.51", "-0.1929", "264.35"),
        ("244.6", "3.0700073", "1.271067", "241.53"),
        ("1.0489877", "-0.0005505085", "-0.052457", "1.0495383"),
        ("96077.45", "-1225.8906", "-1.259863", None),
        ("0.0523", "0.01", "12.3", None),
        ("10", "0", "0", "10"),
        ("10", "0.5", None, "9.5"),
        ("10", None, "5.263158", "9.5"),
        ("10", None, "5.25", None),
    ],
)
def test_figures_that_agree_stay_as_they_came(price, change, percent, close):
    """Figures that differ only by rounding or single precision do not contradict each other."""
    assert figures(price, change, percent, close) == (change, percent, close)


@pytest.mark.parametrize(
    ("price", "change", "percent", "close"),
    [("-37.63", "-55.9", None, "18.27"), ("20.9", "20.8999999", None, "0.0000001")],
)
def test_a_signed_price_may_be_far_from_the_price_before(price, change, percent, close):
    """A change as large as the price is kept for futures and indices, and null for others."""
    assert figures(price, change, percent, close, signed=True) == (change, percent, close)
    assert figures(price, change, percent, close) == (None, None, None)


@pytest.mark.parametrize(
    ("price", "change", "percent", "close"),
    [
        ("100", "1e30", None, None),
        ("100", "100", None, None),
        ("100", "-10000000", None, None),
        ("100", None, "1e30", None),
        ("100", None, "9999901", None),
        ("100", None, "-99.9991", None),
        ("100", None, None, "1e30"),
        ("100", None, None, "0.0009"),
    ],
)
def test_a_figure_beyond_its_bounds_is_null(price, change, percent, close):
    """A figure beyond its bounds is null, also if no other figure contradicts it."""
    assert figures(price, change, percent, close) == (None, None, None)


@pytest.mark.parametrize(
    ("price", "change", "percent", "close", "expected"),
    [
        # a fraction in place of a percentage
        ("412.34", "4.34", "0.010638", "408.0", ("4.34", None, "408.0")),
        # a change that is not plausible, beside a close and a percentage that agree
        ("100", "1e30", "1.010101", "99", (None, "1.010101", "99")),
        # a change of another day, against a close and a percentage that agree
        ("100", "7", "1.010101", "99", (None, "1.010101", "99")),
        # a close from before a split, against a change and a percentage that agree
        ("100", "1", "1.010101", "990", ("1", "1.010101", None)),
        # no two figures agree
        ("100", "7", "30", "99", (None, None, "99")),
        ("100", "5", "-5.263158", None, ("5", None, None)),
        ("100", "0", "5", None, ("0", None, None)),
        ("100", None, "-100", None, (None, None, None)),
        ("100", None, "-250", None, (None, None, None)),
        ("50", "40", "600", None, ("40", None, None)),
        ("100", None, "30", "99", (None, None, "99")),
    ],
)
def test_a_contradicted_figure_is_left_out(price, change, percent, close, expected):
    """A figure that two others contradict is null, and those two are kept."""
    assert figures(price, change, percent, close) == expected


def test_a_change_that_was_rounded_to_zero_is_derived():
    """A change of 0 beside a percentage that is not 0 only lost its digits."""
    assert figures("0.0004", "0", "2", None) == ("0.00000784", "2", None)


def test_change_follows_from_percent_as_precisely_as_the_price():
    """A derived change has the price's decimal places, and at least two."""
    assert change_from_percent(Decimal("100.00"), Decimal(25)) == Decimal("20.00")
    assert change_from_percent(Decimal(76975), Decimal("-1.4093297098441402")) == Decimal(
        "-1100.34"
    )
    assert change_from_percent(Decimal("0.00000512"), Decimal(28)) == Decimal("0.00000112")


def test_a_small_change_has_three_digits():
    """A change derived from a small price has three digits, so it is not 0."""
    assert change_from_percent(Decimal("0.0005"), Decimal(2)) == Decimal("0.0000098")


def test_a_total_loss_implies_no_change():
    """No change is derived from a percentage of -100 %."""
    assert change_from_percent(Decimal(1), Decimal(-100)) is None


def test_a_percentage_has_at_most_six_places():
    """A percentage is rounded to six places, and one with fewer places is unchanged."""
    assert rounded_percent(Decimal("-1.4093297098441402")) == Decimal("-1.409330")
    assert rounded_percent(Decimal("1.5")) == Decimal("1.5")
    assert rounded_percent(None) is None


@given(
    price=st.decimals("0.00000001", "10000000", places=8),
    percent=st.decimals("-99", "5000", places=6),
)
def test_a_derived_change_always_agrees_with_its_percentage(price, percent):
    """A derived change agrees with its percentage, and is 0 only if the percentage is 0."""
    change = change_from_percent(price, percent)
    assert (change == 0) == (percent == 0)
    assert agreed_change(price, change, percent).percent == rounded_percent(percent)
