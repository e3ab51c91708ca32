"""Finnhub's recorded answers, read through its formats to exact values."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from marketdata.domain.assets import Listing
from marketdata.domain.outcomes import MissingQuote, Reason
from marketdata.domain.quotes import ChangeBasis, Quote, Source
from marketdata.domain.symbols import AssetClass
from marketdata.errors import RateLimitedError, UnauthorizedError
from marketdata.providers.contract import Parsed
from marketdata.providers.finnhub import Finnhub
from tests.support.provider_support import NOW, instrument, secret_key

FINNHUB = Finnhub("https://finnhub.io/api/v1", secret_key)
AAPL = instrument("AAPL")

QUOTES = {
    "quote_2026-02-19.json": Parsed(
        (
            Quote(
                symbol="AAPL",
                asset_class=AssetClass.STOCKS,
                price=Decimal("263.84"),
                currency="USD",
                change=Decimal("-0.51"),
                percent_change=Decimal("-0.1929"),
                change_basis=ChangeBasis.PREVIOUS_CLOSE,
                source=Source.FINNHUB,
                timestamp=datetime(2026, 2, 19, 16, 40, 13, tzinfo=UTC),
                fetched_at=NOW,
                previous_close=Decimal("264.35"),
                open=Decimal("263.21"),
                high=Decimal("264.48"),
                low=Decimal("262.29"),
            ),
        )
    ),
    "quote_unknown_symbol_200.json": Parsed(
        (), (MissingQuote("AAPL", Reason.NOT_FOUND, "finnhub: no quote for AAPL"),)
    ),
}
ERRORS = {
    "error_401_invalid_key.json": (UnauthorizedError, None),
    "error_401_no_key.json": (UnauthorizedError, None),
    "error_429_limit.json": (RateLimitedError, 60.0),
}


def _stock(symbol, name, exchange):
    return Listing(symbol, name, Source.FINNHUB, symbol, exchange, "USD")


def _pair(symbol, number, name):
    name = f"IC MARKETS {name} {symbol.replace('/', '')}"
    return Listing(symbol, name, Source.FINNHUB, f"IC MARKETS:{number}", None, "USD")


LISTS = {
    "stock_symbol_US_sample.json": (
        AssetClass.STOCKS,
        (
            _stock("UPOW", "UAN POWER CORP", "OTC"),
            _stock("AAPL", "APPLE INC", "NASDAQ"),
            _stock("EXCOF", "EXCO TECHNOLOGIES LTD", "OTC"),
        ),
    ),
    "forex_symbol_sample.json": (
        AssetClass.FOREX,
        (
            _pair("EUR/USD", 1, "Euro vs US Dollar"),
            _pair("AUD/USD", 5, "Australian vs US Dollar"),
            _pair("GBP/USD", 2, "British Pound vs US Dollar"),
        ),
    ),
}


def test_every_recorded_answer_is_replayed(payloads):
    """Each recorded answer of Finnhub is read by a test of this file."""
    recorded = {path.name for path in (payloads / "finnhub").iterdir()}
    assert recorded == QUOTES.keys() | ERRORS.keys() | LISTS.keys()


@pytest.mark.parametrize("name", QUOTES)
def test_a_recorded_quote_is_read_exactly(replay, name):
    """A recorded quote is read with every digit and its time, or as a missing quote."""
    assert FINNHUB.build_request([AAPL]).params == {"symbol": "AAPL"}
    assert FINNHUB.parse([AAPL], replay("finnhub", name), NOW) == QUOTES[name]


@pytest.mark.parametrize("name", ERRORS)
def test_a_recorded_error_has_its_own_outcome(replay, name):
    """Each recorded error raises its own error, for quotes and for lists."""
    kind, retry_after_s = ERRORS[name]
    response = replay("finnhub", name)
    with pytest.raises(kind) as caught:
        FINNHUB.parse([AAPL], response, NOW)
    assert getattr(caught.value, "retry_after_s", None) == retry_after_s
    with pytest.raises(kind):
        FINNHUB.parse_assets(AssetClass.STOCKS, [response])


@pytest.mark.parametrize("name", LISTS)
def test_a_recorded_list_is_read_exactly(replay, name):
    """Each row of a recorded list is read."""
    asset_class, expected = LISTS[name]
    assert len(FINNHUB.build_asset_requests(asset_class)) == 1
    assert FINNHUB.parse_assets(asset_class, [replay("finnhub", name)]) == expected
