"""What one quote alone can fail, and the limits that the design sets."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from marketdata.clock import epoch_ms
from marketdata.domain.acceptance import (
    FUTURE_MS,
    JUMP_LIMITS,
    rejection_message,
    rejection_reason,
    unit_factor,
)
from marketdata.domain.quotes import Quote, Source
from marketdata.domain.symbols import AssetClass

NOW = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
NOW_MS = epoch_ms(NOW)
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
    assert rejection_reason(QUOTE, NOW_MS) is None


@pytest.mark.parametrize("price", ["0", "-0", "-1", "-0.00000001"])
def test_a_price_that_is_not_positive_is_rejected(price):
    """Zero means no price with many providers, and no share has a negative one."""
    assert rejection_reason(replace(QUOTE, price=Decimal(price)), NOW_MS) == "not_positive"


@pytest.mark.parametrize(
    "field", ["price", "change", "percent_change", "open", "volume", "market_cap"]
)
@pytest.mark.parametrize("value", ["NaN", "sNaN", "Infinity", "-Infinity"])
def test_a_number_that_is_none_is_rejected(field, value):
    """NaN and infinity would make the answer no JSON at all, whichever field they are in."""
    assert rejection_reason(replace(QUOTE, **{field: Decimal(value)}), NOW_MS) == "not_finite"


@pytest.mark.parametrize("field", ["timestamp", "fetched_at"])
def test_more_than_a_minute_in_the_future_is_rejected(field):
    """Clocks may differ by a minute; a time beyond that would stay fresh forever."""
    limit = NOW + timedelta(milliseconds=FUTURE_MS)
    assert rejection_reason(replace(QUOTE, **{field: limit}), NOW_MS) is None
    beyond = limit + timedelta(milliseconds=1)
    assert rejection_reason(replace(QUOTE, **{field: beyond}), NOW_MS) == "future"


def test_a_quote_without_a_time_of_its_own_is_not_rejected():
    """Where the provider gives no time there is none to judge."""
    assert rejection_reason(replace(QUOTE, timestamp=None), NOW_MS) is None


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
    assert rejection_reason(replace(QUOTE, symbol=symbol, price=Decimal(price)), NOW_MS) is None


def test_a_rejection_is_explained():
    """The reason names the source and what is wrong with the quote."""
    early = replace(QUOTE, timestamp=NOW + timedelta(seconds=120))
    assert rejection_message(early, "future", NOW_MS) == (
        "yfinance: the price has a time that is 120 s ahead of our clock"
    )
    assert rejection_message(replace(QUOTE, price=Decimal(-1)), "not_positive", NOW_MS) == (
        "yfinance: the price is -1, not above zero"
    )


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
