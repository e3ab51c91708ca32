"""What one quote alone can fail, and the limits that the design sets."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketdata.clock import epoch_ms
from marketdata.domain.acceptance import FUTURE_MS, JUMP_LIMITS, refusal
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


def test_a_sound_quote_is_not_refused():
    """A finite positive price of now has nothing against it."""
    assert refusal(QUOTE, NOW_MS) is None


@pytest.mark.parametrize("price", ["0", "-0", "-1", "-0.00000001"])
def test_a_price_that_is_not_positive_is_refused(price):
    """Zero means no price with many providers, and nothing here has a negative one."""
    assert refusal(replace(QUOTE, price=Decimal(price)), NOW_MS) == "not_positive"


@pytest.mark.parametrize("field", ["price", "change", "percent_change"])
@pytest.mark.parametrize("value", ["NaN", "sNaN", "Infinity", "-Infinity"])
def test_a_number_that_is_none_is_refused(field, value):
    """NaN and infinity would make the answer no JSON at all, whichever field they are in."""
    assert refusal(replace(QUOTE, **{field: Decimal(value)}), NOW_MS) == "not_finite"


@pytest.mark.parametrize("field", ["timestamp", "fetched_at"])
def test_more_than_a_minute_in_the_future_is_refused(field):
    """Clocks may differ by a minute; a time beyond that would stay fresh forever."""
    limit = NOW + timedelta(milliseconds=FUTURE_MS)
    assert refusal(replace(QUOTE, **{field: limit}), NOW_MS) is None
    beyond = limit + timedelta(milliseconds=1)
    assert refusal(replace(QUOTE, **{field: beyond}), NOW_MS) == "future"


def test_a_quote_without_a_time_of_its_own_is_not_refused():
    """Where the provider gives no time there is none to judge."""
    assert refusal(replace(QUOTE, timestamp=None), NOW_MS) is None


def test_every_class_has_its_limit():
    """Stocks may jump by 25 %, forex by 5 % and crypto by 30 %."""
    assert dict(JUMP_LIMITS) == {
        AssetClass.STOCKS: 0.25,
        AssetClass.FOREX: 0.05,
        AssetClass.CRYPTO: 0.30,
    }


@given(st.integers(min_value=0, max_value=9_999_999_999_999))
def test_milliseconds_are_exact(ms):
    """A time in milliseconds survives the way through datetime, which floats would not grant."""
    assert epoch_ms(datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms)) == ms
