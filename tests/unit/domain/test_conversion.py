"""Rates between currencies: quoted, inverse and over USD, with their source and time."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketdata.domain.conversion import QuotedRate, find_rate, rate_pairs

EARLY, LATE = datetime(2026, 3, 18, 12, tzinfo=UTC), datetime(2026, 3, 18, 13, tzinfo=UTC)


def quotes(*rows):
    """Forex quotes by symbol, from rows: symbol, price, and perhaps source, time, staleness."""
    return {
        symbol: QuotedRate(symbol, Decimal(price), *(more or ("yfinance", EARLY, False)))
        for symbol, price, *more in rows
    }


def test_the_quote_of_the_pair_is_the_rate():
    """The quote of the pair is the rate, with all its digits."""
    rate = find_rate("USD", "EUR", quotes(("USD/EUR", "0.9123456789012345")))
    assert (rate.value, rate.symbol) == (Decimal("0.9123456789012345"), "USD/EUR")
    assert rate.convert(Decimal(100)) == Decimal("91.2345678901")


def test_the_inverse_pair_gives_the_rate():
    """An inverse rate has 12 significant digits, and amounts are converted with these."""
    rate = find_rate("USD", "EUR", quotes(("EUR/USD", "1.08")))
    assert (rate.value, rate.symbol) == (Decimal("0.925925925926"), "EUR/USD")
    assert rate.convert(Decimal("232.89")) == Decimal("215.638888889")


@pytest.mark.parametrize(
    ("rows", "symbol", "value"),
    [
        ((("GBP/USD", "1.25"), ("USD/JPY", "150")), "GBP/USD,USD/JPY", "187.5"),
        ((("GBP/USD", "1.25"), ("JPY/USD", "0.0064")), "GBP/USD,JPY/USD", "195.3125"),
        ((("USD/GBP", "0.8"), ("USD/JPY", "150")), "USD/GBP,USD/JPY", "187.5"),
        ((("USD/GBP", "0.3"), ("JPY/USD", "0.007")), "USD/GBP,JPY/USD", "476.190476190"),
    ],
)
def test_two_rates_over_the_dollar_give_the_rate(rows, symbol, value):
    """A rate over USD is the rounded product of two rates, each quoted or inverse."""
    rate = find_rate("GBP", "JPY", quotes(*rows))
    assert (rate.symbol, str(rate.value.normalize())) == (symbol, str(Decimal(value).normalize()))


def test_a_pair_comes_before_its_inverse_and_before_a_cross():
    """The pair is used before its inverse, and the inverse before a cross over USD."""
    rows = [("GBP/EUR", "1.1"), ("EUR/GBP", "0.9"), ("GBP/USD", "1.3"), ("EUR/USD", "1.1")]
    for first in ("GBP/EUR", "EUR/GBP", "GBP/USD,EUR/USD"):
        assert find_rate("GBP", "EUR", quotes(*rows)).symbol == first
        rows.pop(0)
    assert find_rate("GBP", "EUR", quotes(("EUR/USD", "1.1"))) is None


def test_a_fresh_rate_comes_before_a_stale_one():
    """A stale rate is used, and marked as stale, only if there is no fresh rate."""
    stale = ("USD/EUR", "0.9", "yfinance", EARLY, True)
    assert find_rate("USD", "EUR", quotes(stale, ("EUR/USD", "1.1"))).symbol == "EUR/USD"
    assert find_rate("USD", "EUR", quotes(stale)).stale


def test_a_cross_names_both_sources_and_the_older_time():
    """A cross has both sources and the older time, and is stale if one of its quotes is."""
    first = ("GBP/USD", "1.25", "alpha_vantage", LATE, True)
    rate = find_rate("GBP", "JPY", quotes(first, ("USD/JPY", "150")))
    assert (rate.source, rate.timestamp, rate.stale) == ("alpha_vantage,yfinance", EARLY, True)
    untimed = ("USD/JPY", "150", "yfinance", None, False)
    assert find_rate("GBP", "JPY", quotes(first, untimed)).timestamp is None


def test_one_currency_needs_no_rate():
    """An amount that is in the wanted currency already keeps every digit."""
    rate = find_rate("EUR", "EUR", {})
    assert (rate.value, rate.symbol, rate.source, rate.stale) == (1, None, None, False)
    amount = Decimal("0.000005120000000000001")
    assert rate.convert(amount) == amount


def test_the_pairs_of_a_rate_begin_with_the_pair_itself():
    """The pair itself comes first among the pairs that can give a rate."""
    assert rate_pairs("USD", "EUR") == ("USD/EUR", "EUR/USD")
    assert rate_pairs("GBP", "JPY")[0] == "GBP/JPY"
    assert {"GBP/USD", "USD/JPY", "JPY/USD", "USD/GBP"} < set(rate_pairs("GBP", "JPY"))


def test_a_rate_of_zero_or_less_is_no_rate():
    """A quote of zero or less is not used as pair, inverse or part of a cross."""
    for bad in ("0", "-1.1"):
        assert find_rate("USD", "EUR", quotes(("USD/EUR", bad))) is None
        assert find_rate("USD", "EUR", quotes(("EUR/USD", bad))) is None
        assert find_rate("GBP", "EUR", quotes(("GBP/USD", bad), ("EUR/USD", "1.1"))) is None
    rate = find_rate("USD", "EUR", quotes(("USD/EUR", "0"), ("EUR/USD", "1.25")))
    assert (rate.value, rate.symbol) == (Decimal("0.8"), "EUR/USD")


AMOUNTS = st.decimals(-(10**9), 10**9, allow_nan=False, allow_infinity=False, places=9)
RATES = st.decimals("0.000001", "1000000", allow_nan=False, allow_infinity=False, places=8)


def is_rounded(found, exact):
    """Whether a number is a fraction that is rounded to 12 significant digits."""
    if exact == 0:
        return found == 0
    last = Fraction(10) ** (found.adjusted() - 11)
    return (
        abs(Fraction(found) - exact) <= last / 2 and len(found.normalize().as_tuple().digits) <= 12
    )


@given(amount=AMOUNTS, first=RATES, second=RATES)
def test_converted_amounts_are_the_exact_products_with_twelve_digits(amount, first, second):
    """Rates and amounts are the exact fractions, rounded to twelve significant digits."""
    rate = find_rate("GBP", "USD", quotes(("GBP/USD", first)))
    assert rate.value == first
    assert is_rounded(rate.convert(amount), Fraction(amount) * Fraction(first))
    rate = find_rate("USD", "GBP", quotes(("GBP/USD", first)))
    assert is_rounded(rate.value, 1 / Fraction(first))
    assert is_rounded(rate.convert(amount), Fraction(amount) * Fraction(rate.value))
    rate = find_rate("GBP", "EUR", quotes(("GBP/USD", first), ("EUR/USD", second)))
    assert is_rounded(rate.value, Fraction(first) / Fraction(second))
    assert is_rounded(rate.convert(amount), Fraction(amount) * Fraction(rate.value))
