"""What one quote alone can fail, and the limits that the design sets."""

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
    """A finite positive price of now has nothing against it."""
    assert rejection_reason(QUOTE) is None


@pytest.mark.parametrize("price", ["0", "-0", "-1", "-0.00000001"])
def test_a_price_that_is_not_positive_is_rejected(price):
    """Zero means no price with many providers, and no share has a negative one."""
    assert rejection_reason(replace(QUOTE, price=Decimal(price))) == "not_positive"


@pytest.mark.parametrize(
    "field", ["price", "change", "percent_change", "open", "volume", "market_cap"]
)
@pytest.mark.parametrize("value", ["NaN", "sNaN", "Infinity", "-Infinity"])
def test_a_number_that_is_none_is_rejected(field, value):
    """NaN and infinity would make the answer no JSON at all, whichever field they are in."""
    assert rejection_reason(replace(QUOTE, **{field: Decimal(value)})) == "not_finite"


@pytest.mark.parametrize(("ahead_ms", "expected"), [(FUTURE_MS, False), (FUTURE_MS + 1, True)])
def test_a_time_is_ahead_if_it_is_more_than_a_minute_later_than_the_fetch(ahead_ms, expected):
    """Clocks may differ by a minute."""
    quote = replace(QUOTE, timestamp=QUOTE.fetched_at + timedelta(milliseconds=ahead_ms))
    assert is_ahead(quote) is expected


def test_a_quote_without_a_time_of_its_own_is_not_ahead():
    """Where the provider gives no time there is none to judge."""
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
    """One symbol, or several with different times, have a defect of their own."""
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
    """Coins and pairs are never quoted in pence, and a share in dollars may split."""
    quote = replace(QUOTE, symbol=symbol, currency=currency, asset_class=asset_class)
    assert unit_factor(quote) == factor
