"""Why a quote is rejected without a look at the stored one, and the limits of each class."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from marketdata.domain.acceptance import (
    FUTURE_MS,
    JUMP_LIMITS,
    Result,
    Verdict,
    is_ahead,
    rejection_message,
    rejection_reason,
    times_ahead,
    unit_factor,
)
from marketdata.domain.quotes import Quote, Source
from marketdata.domain.symbols import AssetClass

NOW = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
QUOTE = Quote(
    symbol="AAPL",
    asset_class=AssetClass.STOCKS,
    price=Decimal("182.5"),
    currency="USD",
    change=None,
    percent_change=None,
    change_basis=None,
    source=Source.YFINANCE,
    timestamp=NOW,
    fetched_at=NOW,
)


def test_a_sound_quote_is_not_rejected():
    """A quote with a finite positive price has no rejection reason."""
    assert rejection_reason(QUOTE) is None


@pytest.mark.parametrize("price", ["0", "-0", "-1", "-0.00000001"])
def test_a_price_that_is_not_positive_is_rejected(price):
    """A share's price of zero or less is rejected; many providers send 0 for no price."""
    assert rejection_reason(replace(QUOTE, price=Decimal(price))) == "not_positive"


@pytest.mark.parametrize(
    "field", ["price", "change", "percent_change", "open", "volume", "market_cap"]
)
@pytest.mark.parametrize("value", ["NaN", "sNaN", "Infinity", "-Infinity"])
def test_a_number_that_is_not_finite_is_rejected(field, value):
    """NaN and infinity are rejected in any field, because JSON has no such numbers."""
    assert rejection_reason(replace(QUOTE, **{field: Decimal(value)})) == "not_finite"


@pytest.mark.parametrize(("ahead_ms", "expected"), [(FUTURE_MS, False), (FUTURE_MS + 1, True)])
def test_a_time_is_ahead_if_it_is_more_than_a_minute_later_than_the_fetch(ahead_ms, expected):
    """A time one minute later than the fetch is not ahead; one millisecond more is."""
    quote = replace(QUOTE, timestamp=QUOTE.fetched_at + timedelta(milliseconds=ahead_ms))
    assert is_ahead(quote) is expected


def test_a_quote_without_a_time_of_its_own_is_not_ahead():
    """A quote is not ahead if its provider gives no time."""
    assert not is_ahead(replace(QUOTE, timestamp=None))


def test_every_class_has_its_limit():
    """Stocks may jump by 25 %, forex by 5 % and crypto by 30 %."""
    assert dict(JUMP_LIMITS) == {
        AssetClass.STOCKS: Decimal("0.25"),
        AssetClass.FOREX: Decimal("0.05"),
        AssetClass.CRYPTO: Decimal("0.30"),
    }


@pytest.mark.parametrize("symbol", ["CL=F", "^TNX"])
@pytest.mark.parametrize("price", ["0", "-37.63"])
def test_futures_and_indices_may_be_zero_or_negative(symbol, price):
    """Oil was traded at -37.63 dollars, and a yield may be negative."""
    assert rejection_reason(replace(QUOTE, symbol=symbol, price=Decimal(price))) is None


def test_a_rejection_is_explained():
    """The reason names the source, the symbol and what is wrong with the quote."""
    rejected = Verdict(QUOTE.symbol, QUOTE.source, Result.REJECTED, "future", 120_400)
    assert rejection_message(QUOTE, rejected) == (
        "yfinance: AAPL: the price has a time that is 120 s ahead of our clock"
    )
    negative = replace(QUOTE, price=Decimal(-1))
    assert rejection_message(negative, replace(rejected, reason="not_positive")) == (
        "yfinance: AAPL: the price is -1, not above zero"
    )


@pytest.mark.parametrize(
    ("ahead_s", "expected_s"),
    [
        ([120, 121, 90], 121),
        ([7200, 7200, 0], 7200),
        ([120, 0, 0], 0),
        ([120, 3600, 0], 0),
        ([120], 0),
        ([0, 0, 0], 0),
    ],
)
def test_a_clock_is_behind_if_most_times_of_a_source_are_ahead_by_about_the_same(
    ahead_s, expected_s
):
    """Our clock is not behind if one symbol is ahead, or several by different times."""
    quotes = [replace(QUOTE, symbol=f"S{place}") for place in range(len(ahead_s))]
    verdicts = [
        Verdict(quote.symbol, quote.source, Result.REJECTED, "future", seconds * 1000)
        for quote, seconds in zip(quotes, ahead_s, strict=True)
    ]
    assert times_ahead(quotes, verdicts) == {QUOTE.source: expected_s * 1000}


@pytest.mark.parametrize(
    ("symbol", "currency", "asset_class", "factor"),
    [
        ("OCDO.L", "GBP", AssetClass.STOCKS, 100),
        ("NBK.KW", "KWD", AssetClass.STOCKS, 1000),
        ("ZC=F", "USD", AssetClass.STOCKS, 100),
        ("AAPL", "USD", AssetClass.STOCKS, 0),
        ("AAPL", None, AssetClass.STOCKS, 0),
        ("BTC-GBP", "GBP", AssetClass.CRYPTO, 0),
        ("EUR/GBP", "GBP", AssetClass.FOREX, 0),
    ],
)
def test_only_shares_in_a_currency_with_a_minor_unit_have_a_factor(
    symbol, currency, asset_class, factor
):
    """Coins, pairs and shares in dollars have no factor between a major and a minor unit."""
    quote = replace(QUOTE, symbol=symbol, currency=currency, asset_class=asset_class)
    assert unit_factor(quote) == factor
