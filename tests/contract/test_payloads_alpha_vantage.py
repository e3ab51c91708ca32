"""Alpha Vantage's recorded answers, read through its formats to exact values."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from marketdata.domain.assets import Listing
from marketdata.domain.outcomes import MissingQuote, Reason
from marketdata.domain.quotes import Quote, Source
from marketdata.domain.symbols import AssetClass
from marketdata.errors import RateLimitedError, UnauthorizedError
from marketdata.providers.alpha_vantage import AlphaVantage
from marketdata.providers.contract import Parsed
from tests.support.provider_support import NOW, bad_rows, instrument, secret_key

ALPHA = AlphaVantage("https://www.alphavantage.co", secret_key)
USD_JPY = instrument("USD/JPY")
FOLDER = "alphavantage"

QUOTES = {
    "currency_exchange_rate_USD_JPY.json": Parsed(
        (
            Quote(
                symbol="USD/JPY",
                asset_class=AssetClass.FOREX,
                price=Decimal("158.73166867"),
                currency="JPY",
                change=None,
                percent_change=None,
                change_basis=None,
                source=Source.ALPHA_VANTAGE,
                timestamp=datetime(2026, 5, 17, 17, 12, 44, tzinfo=UTC),
                fetched_at=NOW,
            ),
        )
    ),
    "error_200_invalid_call_currency_exchange_rate.json": Parsed(
        (), (MissingQuote("USD/JPY", Reason.NOT_FOUND, "alpha_vantage: no quote for USD/JPY"),)
    ),
}
ERRORS = {
    "error_200_information_burst_1_per_second.json": (RateLimitedError, 2.0),
    "error_200_information_daily_limit_thankyou.json": (
        RateLimitedError,
        (datetime(2026, 11, 23, tzinfo=UTC) - NOW).total_seconds(),
    ),
    "error_200_invalid_apikey.json": (UnauthorizedError, None),
}
LISTING_STATUS = "listing_status_head400.csv"
CURRENCIES = "physical_currency_list_partial.csv"


def test_every_recorded_answer_is_replayed(payloads):
    """Each recorded answer of Alpha Vantage is read by a test of this file."""
    recorded = {path.name for path in (payloads / FOLDER).iterdir()}
    assert recorded == QUOTES.keys() | ERRORS.keys() | {LISTING_STATUS, CURRENCIES}


@pytest.mark.parametrize("name", QUOTES)
def test_a_recorded_quote_is_read_exactly(replay, name):
    """A recorded rate is read with every digit and its time, or as a missing quote."""
    params = ALPHA.build_request([USD_JPY]).params
    assert (params["from_currency"], params["to_currency"]) == ("USD", "JPY")
    assert ALPHA.parse([USD_JPY], replay(FOLDER, name), NOW) == QUOTES[name]


def test_a_recorded_rate_is_no_answer_about_another_pair(replay):
    """The recorded rate of USD/JPY is rejected as an answer to EUR/USD."""
    recorded = replay(FOLDER, "currency_exchange_rate_USD_JPY.json")
    parsed = ALPHA.parse([instrument("EUR/USD")], recorded, NOW)
    assert bad_rows(parsed) == {
        "EUR/USD": "alpha_vantage: EUR/USD: a price of 'USD'/'JPY', not of EUR in USD"
    }


@pytest.mark.parametrize("name", ERRORS)
def test_a_recorded_notice_has_its_own_outcome(replay, name):
    """Each recorded notice raises its own error, for quotes and for lists."""
    kind, retry_after_s = ERRORS[name]
    with pytest.raises(kind) as caught:
        ALPHA.parse([USD_JPY], replay(FOLDER, name), NOW)
    assert getattr(caught.value, "retry_after_s", None) == retry_after_s
    with pytest.raises(kind):
        ALPHA.parse_assets(AssetClass.STOCKS, [replay(FOLDER, name)])


def test_the_recorded_listings_are_read_exactly(replay):
    """Of 399 recorded rows 396 are read; the three with a colon have no symbol."""
    listings = ALPHA.parse_assets(AssetClass.STOCKS, [replay(FOLDER, LISTING_STATUS)])
    by_id = {listing.provider_id: listing for listing in listings}
    assert len(listings) == len(by_id) == 396
    assert not by_id.keys() & {"ACWV:BAT", "AEGN:BAT", "AGZ:BAT"}
    assert [listing.symbol for listing in listings[:4]] == ["-P-HIZ", "A", "AA", "AAA"]
    assert by_id["AGM-A"] == Listing(
        "AGM.A",
        "Federal Agricultural Mortgage Corp - Class A",
        Source.ALPHA_VANTAGE,
        "AGM-A",
        "NYSE",
        "USD",
    )
    assert by_id["AAA"].name == "ALTERNATIVE ACCESS FIRST PRIORITY CLO BOND ETF"
    assert by_id["AIV"].name == "Apartment Investment & Management Co. - Class A"
    assert {listing.exchange for listing in listings} == {
        "AMEX", "BATS", "NASDAQ", "NYSE", "NYSE ARCA", "NYSE MKT",
    }  # fmt: skip


def test_the_recorded_currencies_are_read_exactly(replay):
    """Each row of the recorded currencies is read with symbol, name and id."""
    listings = ALPHA.parse_assets(AssetClass.FOREX, [replay(FOLDER, CURRENCIES)])
    assert [(one.symbol, one.name, one.provider_id) for one in listings] == [
        ("AUD", "Australian Dollar", "AUD"),
        ("EUR", "Euro", "EUR"),
        ("USD", "United States Dollar", "USD"),
    ]
