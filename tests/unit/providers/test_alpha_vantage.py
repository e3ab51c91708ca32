"""Alpha Vantage's formats: the rate of a pair, and the tables of stocks and currencies."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from marketdata import errors
from marketdata.domain.quotes import Source
from marketdata.domain.symbols import AssetClass
from tests.support import provider_support as support
from tests.support.alpha_vantage_answers import ALPHA, HEADER, USD_JPY, parse, rate, stocks


def test_the_request_names_the_two_sides_of_a_pair():
    """A request has base, quote and key in its query, which is never shown."""
    request = ALPHA.build_request([USD_JPY])
    assert request.url == "https://www.alphavantage.co/query"
    assert request.params == {
        "function": "CURRENCY_EXCHANGE_RATE",
        "from_currency": "USD",
        "to_currency": "JPY",
        "apikey": support.SECRET,
    }
    assert support.SECRET not in request.url + repr(request) + repr(ALPHA)


def test_a_rate_is_a_quote_without_a_change():
    """A rate is a quote with all digits, its own time, and null for the change."""
    (quote,) = parse(rate()).quotes
    assert (quote.symbol, quote.currency, quote.source) == ("USD/JPY", "JPY", Source.ALPHA_VANTAGE)
    assert quote.price == Decimal("158.73166867")
    assert (quote.change, quote.percent_change, quote.change_basis) == (None, None, None)
    assert quote.timestamp == datetime(2026, 5, 17, 17, 12, 44, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "zone", "hour"),
    [
        ("2026-05-17 17:12:44", "US/Eastern", 21),
        ("2026-05-17 17:12:44+00:00", "UTC", 17),
        ("2026-05-17 17:12:44-04:00", "US/Eastern", 21),
        ("2026-05-17 17:12:44+02:00", "UTC", None),
        ("2026-05-17 17:12:44Z", "US/Eastern", None),
        ("2026-05-17 17:12:44", "Nowhere/Land", None),
        ("2026-05-17 17:12:44", "../../etc/passwd", None),
        ("2026-05-17 17:12:44", "", None),
        ("2026-05-17 17:12:44", None, None),
        ("2026-05-17", "UTC", None),
        ("2026-13-17 17:12:44", "UTC", None),
        ("-", "UTC", None),
        (None, "UTC", None),
    ],
)
def test_a_time_counts_in_its_own_zone(text, zone, hour):
    """A time is read in the zone that the answer names, and is null without a known zone."""
    timestamp = parse(rate(_6=text, _7=zone)).quotes[0].timestamp
    assert (timestamp and timestamp.hour) == hour


@pytest.mark.parametrize(
    "content",
    [
        {"Realtime Currency Exchange Rate": {}},
        {"Error Message": "Invalid API call. Please retry or visit the documentation."},
        rate(_5=None),
        rate(_5="0.00000000"),
        rate(_5="-"),
    ],
)
def test_an_unknown_pair_is_not_found(content):
    """An empty rate, an error about the parameters and an absent price mean not found."""
    assert support.reasons(parse(content)) == {"USD/JPY": "not_found"}


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"Realtime Currency Exchange Rate": "none"},
        {"Global Quote": {}},
        {"Error Message": "something else"},
        {"message": "something else", "data": []},
    ],
)
def test_an_answer_without_a_rate_is_a_bad_payload(content):
    """An empty answer, or an answer of another shape, is a bad payload."""
    with pytest.raises(errors.BadPayloadError, match="alpha_vantage"):
        parse(content)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (rate(_5="NaN"), "not a number: 'NaN'"),
        (rate(_5="-158.7"), "a price below zero: -158.7"),
        (rate(_5="1" * 1_000_000), "not a number: '11111"),
        (rate(_1="EUR"), "a price of 'EUR'/'JPY', not of USD in JPY"),
        (rate(_3="usd"), "a price of 'USD'/'usd', not of USD in JPY"),
        (rate(_1=None), "a price of None/'JPY', not of USD in JPY"),
    ],
)
def test_a_rate_that_cannot_be_used_is_a_bad_row_of_its_pair(content, problem):
    """A wrong price or another pair is a bad row, and the reason has the received value."""
    (message,) = support.bad_rows(parse(content)).values()
    assert message.startswith(f"alpha_vantage: USD/JPY: {problem}")


@pytest.mark.parametrize(
    "time", ["1970-01-01 00:00:00", "0001-01-01 00:00:00", "2190-01-01 00:00:00", "x" * 1_000_000]
)
def test_an_absurd_time_is_null(time):
    """A time at the beginning of the epoch or in the next century is null."""
    assert parse(rate(_6=time)).quotes[0].timestamp is None


@pytest.mark.parametrize(
    "content", support.BROKEN_BODIES.values(), ids=support.BROKEN_BODIES.keys()
)
def test_a_broken_body_is_a_bad_payload(content):
    """HTML, cut JSON and JSON of other shapes are a bad payload."""
    with pytest.raises(errors.BadPayloadError, match="alpha_vantage"):
        parse(content)


def test_the_lists_are_two_tables():
    """The table of stocks needs the key, that of currencies does not, and coins have none."""
    (listing,) = ALPHA.build_asset_requests(AssetClass.STOCKS)
    assert listing.params == {"function": "LISTING_STATUS", "apikey": support.SECRET}
    (currencies,) = ALPHA.build_asset_requests(AssetClass.FOREX)
    assert currencies.url == "https://www.alphavantage.co/physical_currency_list/"
    assert (currencies.params, currencies.headers) == ({}, {})
    assert ALPHA.build_asset_requests(AssetClass.CRYPTO) == ()


def test_listings_are_cleaned():
    """Names are cleaned, and delisted stocks, tests and invalid symbols are left out."""
    table = (
        HEADER
        + "BRK-B,Berkshire Hathaway Inc&NBSP;- Class B ,NYSE,Stock,1996-05-09,null,Active\r\n"
        "T,AT&amp;T Inc,NYSE,Stock,1984-01-01,null,Active\r\n"
        "AIV,Apartment Investment & Management Co.,NYSE,Stock,1994-07-22,null,Active\r\n"
        "NONAME,,,Stock,2020-01-01,null,Active\r\n"
        'COMMA,"Comma, Inc",BATS,ETF,2020-01-01,null,Active\r\n'
        "GONE,Gone Inc,NYSE,Stock,2020-01-01,2021-01-01,Delisted\r\n"
        "ZZZ,TEST TICKER FOR UTP,NASDAQ,Stock,2014-10-01,null,Active\r\n"
        "ZVZZT,Nasdaq Test Stock,NASDAQ,Stock,2014-10-01,null,Active\r\n"
        "ACWV:BAT,iShares,BATS,Stock,2026-03-31,null,Active\r\n"
        "MANY,one,too,many,cells,in,this,row\r\n"
        "AEHR,Aehr Test Systems,NASDAQ,Stock,1997-08-15,null,Active\r\n"
    )
    listed = [(one.symbol, one.provider_id, one.name, one.exchange) for one in stocks(table)]
    assert listed == [
        ("BRK.B", "BRK-B", "Berkshire Hathaway Inc - Class B", "NYSE"),
        ("T", "T", "AT&T Inc", "NYSE"),
        ("AIV", "AIV", "Apartment Investment & Management Co.", "NYSE"),
        ("NONAME", "NONAME", "NONAME", None),
        ("COMMA", "COMMA", "Comma, Inc", "BATS"),
        ("AEHR", "AEHR", "Aehr Test Systems", "NASDAQ"),
    ]


def test_currencies_are_codes():
    """The table of currencies becomes single currencies, only those of ISO 4217."""
    table = "currency code,currency name\r\nEUR,Euro\r\nGGP,Guernsey Pound\r\nUSD,\r\n"
    listings = ALPHA.parse_assets(AssetClass.FOREX, [support.answer(table)])
    assert [(one.symbol, one.name) for one in listings] == [("EUR", "Euro"), ("USD", "USD")]


@pytest.mark.parametrize(
    "table",
    [
        "",
        "{}",
        HEADER,
        HEADER + "E,r,r,o,r, ,M\r\n",
        HEADER + "AAPL,Apple Inc,NASDAQ,Stock,1980-12-12,null,Active\r\nMSFT,Micros",
        "symbol,name\r\nAAPL,Apple\r\n",
        support.CLOUDFLARE_PAGE,
        HEADER + '"' + "x" * 200_000,
        {"Error Message": "Invalid API call."},
    ],
)
def test_an_answer_that_is_not_a_whole_table_is_a_bad_payload(table):
    """An empty table, a cut table or an answer without a table is a bad payload."""
    with pytest.raises(errors.BadPayloadError):
        stocks(table)
