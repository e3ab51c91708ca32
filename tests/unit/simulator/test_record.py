"""The simulated market's own record: true prices, jumps, and the calls that quotas count."""

from __future__ import annotations

from decimal import Decimal

import pytest

from local.simulator import Market
from local.simulator.process import STEP_MS
from local.simulator.quotas import Quota
from marketdata.clock import HOUR_MS
from marketdata.domain.budget import parse_limits
from marketdata.domain.quotes import Source
from tests.support.simulated_market import WEDNESDAY_MS, Clock
from tests.support.trading_support import utc_ms

FRIDAY_CLOSE_MS = utc_ms("2026-03-20T20:00")


def test_is_true_needs_the_right_price_and_time():
    """A quote is true with its price at its time, and wrong if one of them is a little off."""
    market = Market(clock=Clock())
    for symbol in ("AAPL", "BTC-USD", "EUR/USD", "SHIB-USD"):
        price, at_ms = market.truth(symbol, WEDNESDAY_MS)
        tick = Decimal(1).scaleb(int(price.as_tuple().exponent))
        assert market.is_true(symbol, price, at_ms, Source.YFINANCE)
        assert market.is_true(symbol, price, None, Source.YFINANCE)
        assert not market.is_true(symbol, price + tick, at_ms, Source.YFINANCE)
        assert not market.is_true(symbol, price * 2, None, Source.YFINANCE)
        assert not market.is_true(symbol, price, at_ms + STEP_MS, Source.YFINANCE)
        assert not market.is_true(symbol, price, at_ms + 1, Source.YFINANCE)
    assert not market.is_true("NOPE123", Decimal(1), WEDNESDAY_MS, Source.YFINANCE)


def test_is_true_rejects_a_clock_in_place_of_a_closing_time():
    """Friday's close with Saturday's time is wrong."""
    market = Market(always_open=False)
    price = market.price("AAPL", FRIDAY_CLOSE_MS)
    assert market.is_true("AAPL", price, FRIDAY_CLOSE_MS, Source.YFINANCE)
    assert not market.is_true("AAPL", price, FRIDAY_CLOSE_MS + HOUR_MS, Source.YFINANCE)


def test_is_true_expects_pounds_for_pence():
    """A price in pence is right only as pounds."""
    market = Market()
    pence, at_ms = market.truth("OCDO.L", WEDNESDAY_MS)
    assert market.is_true("OCDO.L", pence / 100, at_ms, Source.YFINANCE)
    assert not market.is_true("OCDO.L", pence, at_ms, Source.YFINANCE)


def test_is_true_knows_how_providers_round():
    """CoinGecko rounds bitcoin to dollars, Yahoo does not."""
    market = Market()
    price, at_ms = market.truth("BTC-USD", WEDNESDAY_MS)
    whole = price.quantize(Decimal(1))
    assert market.is_true("BTC-USD", whole, at_ms, Source.COINGECKO)
    assert market.is_true("BTC-USD", price, at_ms, Source.COINGECKO)
    assert not market.is_true("BTC-USD", whole + 1, at_ms, Source.COINGECKO)
    assert not market.is_true("BTC-USD", whole, at_ms, Source.YFINANCE)
    shib, at_ms = market.truth("SHIB-USD", WEDNESDAY_MS)
    assert market.is_true("SHIB-USD", shib.quantize(Decimal("1e-8")), at_ms, Source.ALPHA_VANTAGE)


def test_a_jump_is_true_from_its_moment_on():
    """A jump changes all later prices of the coin, and no earlier one."""
    market, calm = Market(clock=Clock()), Market()
    later_ms = WEDNESDAY_MS + 24 * HOUR_MS
    market.control("jump", symbol="btc/usd", factor=0.5)
    for symbol in ("BTC-USD", "BTC-EUR"):
        assert market.price(symbol, WEDNESDAY_MS - 1) == calm.price(symbol, WEDNESDAY_MS - 1)
        assert market.price(symbol, later_ms) / calm.price(symbol, later_ms) == pytest.approx(
            Decimal("0.5"), abs=Decimal("0.0001")
        )
    assert market.price("ETH-USD", later_ms) == calm.price("ETH-USD", later_ms)


@pytest.mark.parametrize(
    ("fault", "options", "message"),
    [
        ("explode", {}, "no fault is called 'explode'"),
        ("stale", {"age": 3}, "stale does not take age; it takes provider, path"),
        ("bad_tick", {}, "bad_tick needs a symbol"),
        ("hang", {"provider": "reuters"}, "reuters"),
        ("rate_limited", {"form": "days"}, "form is one of seconds, date, none"),
        ("jump", {"factor": 2}, "jump takes symbol, factor, at_ms"),
        ("crash", {"symbol": "AAPL", "steps": 0}, "steps and every_s are above 0"),
        ("pump", {"symbol": "AAPL", "age_s": 1}, "pump takes symbol, factor, steps, every_s"),
        ("odd_row", {}, "odd_row needs a symbol"),
        ("odd_row", {"symbol": "AAPL", "oddity": "blue"}, "oddity is one of unknown_unit"),
        ("jump", {"symbol": "NOPE123"}, "not traded"),
        ("unknown", {"symbol": "A B"}, "not valid"),
    ],
)
def test_a_wrong_control_call_says_what_is_allowed(fault, options, message):
    """A fault that cannot be planted raises an error that names what is allowed."""
    with pytest.raises(ValueError, match=message):
        Market().control(fault, **options)


def test_a_quota_is_a_rolling_window():
    """A window admits its limit in any stretch of its length, to the millisecond."""
    quota = Quota(parse_limits("3/second,5/minute"))
    assert [quota.admit(now) for now in (0, 400, 999)] == [None] * 3
    assert str(quota.admit(999)) == "3/second"
    assert quota.frees_in_ms("second", 999) == 1
    assert quota.admit(1000) is None
    assert str(quota.admit(1399)) == "3/second"
    assert quota.admit(1400) is None
    assert str(quota.admit(59_999)) == "5/minute"
    assert quota.admit(60_000) is None
    assert quota.violations == 3
    assert quota.used("minute", 60_000) == 5
    assert quota.peaks() == {"second": 5, "minute": 8}
