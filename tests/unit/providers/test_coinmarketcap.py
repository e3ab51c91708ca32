"""CoinMarketCap's formats: numbers of coins, arrays or objects, and its lists."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from marketdata import errors
from marketdata.domain.quotes import ChangeBasis, Source
from marketdata.domain.symbols import AssetClass
from tests.support import provider_support as support
from tests.support.coinmarketcap_answers import (
    BITCOIN,
    BTC,
    CMC,
    DOLLARS,
    ETH,
    ETHER,
    body,
    error,
    parse,
)


def test_one_request_asks_for_every_number():
    """All ids of a batch are in one call of version 3, with the key in a header."""
    request = CMC.build_request([BTC, ETH])
    assert request.url == "https://pro-api.coinmarketcap.com/v3/cryptocurrency/quotes/latest"
    assert request.params == {"id": "1,1027", "convert": "USD", "skip_invalid": "true"}
    assert request.headers == {"X-CMC_PRO_API_KEY": support.SECRET}
    assert support.SECRET not in repr(request) + repr(CMC)
    euros = support.instrument("BTC-EUR", coinmarketcap="1")
    assert CMC.build_request([euros]).params["convert"] == "EUR"


def test_a_quote_has_the_time_of_its_price():
    """A quote has its price's own time, and a change that is derived from the percentage."""
    (quote,) = parse(body([BITCOIN], "0")).quotes
    assert (quote.symbol, quote.currency, quote.source) == ("BTC-USD", "USD", Source.COINMARKETCAP)
    assert str(quote.price) == "76993.18239851118"
    assert quote.percent_change == Decimal("-2.476449")
    assert quote.change == Decimal("-1955.11417468672")
    assert quote.change_basis is ChangeBasis.ROLLING_24H
    assert quote.timestamp == datetime(2026, 9, 15, 17, 53, 4, tzinfo=UTC)


@pytest.mark.parametrize(
    "data",
    [
        [BITCOIN, ETHER],
        [ETHER, BITCOIN],
        {"1": BITCOIN, "1027": ETHER},
        {"BTC": [BITCOIN], "ETH": [ETHER]},
        [{**BITCOIN, "id": "1"}, {**ETHER, "quote": {"USD": ETHER["quote"][0]}}],
        {"1": {**BITCOIN, "quote": {"USD": DOLLARS}}, "1027": [ETHER]},
        {"1": {**BITCOIN, "id": 1}, "1027": {key: ETHER[key] for key in ("symbol", "quote")}},
    ],
)
def test_data_and_quote_may_be_arrays_or_objects(data):
    """Every shape of versions 1 to 3 gives the same prices, joined by id."""
    quotes = {quote.symbol: str(quote.price) for quote in parse(body(data), [BTC, ETH]).quotes}
    assert quotes == {"BTC-USD": "76993.18239851118", "ETH-USD": "1876"}


def test_a_time_without_milliseconds_is_a_time():
    """A time is read with or without milliseconds, and any other text is null."""
    for text, minute in (("2026-09-01T18:59:05Z", 59), ("2026-09-01T18:59:05.123Z", 59)):
        row = {**BITCOIN, "quote": [{**DOLLARS, "last_updated": text}]}
        assert parse(body([row])).quotes[0].timestamp.minute == minute
    row = {**BITCOIN, "quote": [{**DOLLARS, "last_updated": "2026-09-01"}]}
    assert parse(body([row])).quotes[0].timestamp is None


@pytest.mark.parametrize(
    "row",
    [
        {**BITCOIN, "is_active": 0},
        {**BITCOIN, "is_active": "0"},
        {**BITCOIN, "quote": [{**DOLLARS, "price": None}]},
        {**BITCOIN, "quote": [{**DOLLARS, "price": 0}]},
        {**BITCOIN, "quote": []},
        {**BITCOIN, "quote": None},
        {**BITCOIN, "id": 2},
        None,
    ],
)
def test_inactive_priceless_and_omitted_coins_are_not_found(row):
    """An inactive coin, a coin without a price and an omitted coin are not found."""
    parsed = parse(body([row, ETHER]), [BTC, ETH])
    assert [quote.symbol for quote in parsed.quotes] == ["ETH-USD"]
    assert support.reasons(parsed) == {"BTC-USD": "not_found"}


@pytest.mark.parametrize(
    "row",
    [
        {**BITCOIN, "quote": [{**DOLLARS, "price": "NaN"}]},
        {**BITCOIN, "quote": [{**DOLLARS, "price": -5}]},
        {**BITCOIN, "quote": "USD"},
        {**BITCOIN, "quote": {"USD": 7}},
        {**BITCOIN, "quote": [{**DOLLARS, "symbol": "EUR"}]},
        {**BITCOIN, "quote": {"EUR": DOLLARS}},
    ],
)
def test_a_bad_row_spoils_only_itself(row):
    """A row that cannot be used is a bad row of its coin, with other rows or alone."""
    parsed = parse(body([row, ETHER]), [BTC, ETH])
    assert [quote.symbol for quote in parsed.quotes] == ["ETH-USD"]
    assert support.reasons(parsed) == {}
    assert (
        support.bad_rows(parsed).keys()
        == support.bad_rows(parse(body([row]))).keys()
        == {"BTC-USD"}
    )


def test_of_two_rows_of_a_coin_the_live_one_counts():
    """Of two rows of a coin the one with a price is used, and neither if prices differ."""
    dead = {**BITCOIN, "quote": [{**DOLLARS, "price": None}]}
    other = {**BITCOIN, "quote": [{**DOLLARS, "price": 7699}]}
    for rows in ([BITCOIN, dead], [dead, BITCOIN], [BITCOIN, BITCOIN]):
        assert [str(quote.price) for quote in parse(body(rows)).quotes] == ["76993.18239851118"]
    reason = support.bad_rows(parse(body([BITCOIN, other])))["BTC-USD"]
    assert reason.endswith("contradict each other: 76993.18239851118 USD and 7699 USD")


@pytest.mark.parametrize(
    "quotes",
    [
        [{**DOLLARS, "symbol": "EUR", "price": 66000}, DOLLARS],
        {"EUR": {**DOLLARS, "price": 66000}, "USD": DOLLARS},
        [7, DOLLARS],
        [{**DOLLARS, "symbol": None}],
    ],
)
def test_of_the_quotes_of_a_row_the_one_in_the_currency_counts(quotes):
    """A row's quote in the wanted currency is found among other currencies and odd values."""
    (quote,) = parse(body([{**BITCOIN, "quote": quotes}])).quotes
    assert (str(quote.price), quote.currency) == ("76993.18239851118", "USD")


def test_a_price_in_another_currency_is_named_in_the_reason():
    """A coin with a price in another currency only is a bad row that names this currency."""
    bad = support.bad_rows(parse(body([{**BITCOIN, "quote": {"EUR": DOLLARS}}])))
    assert bad == {"BTC-USD": "coinmarketcap: BTC-USD: a price in 'EUR', not USD"}


@pytest.mark.parametrize("data", [[7, ETHER], [["x"], ETHER], {"1": 7, "1027": ETHER}])
def test_a_value_in_the_place_of_a_row_spoils_no_other_row(data):
    """A value that is not a row costs at most the coin under whose id the value is."""
    parsed = parse(body(data), [BTC, ETH])
    assert [quote.symbol for quote in parsed.quotes] == ["ETH-USD"]
    assert support.bad_rows(parsed).keys() <= {"BTC-USD"}


def test_an_answer_without_any_row_that_is_an_object_is_a_bad_payload():
    """An answer in which no row is an object is a bad payload."""
    with pytest.raises(errors.BadPayloadError, match="coinmarketcap: no row is an object"):
        parse(body([7, "x"]))


@pytest.mark.parametrize("number", ["１", " 1", "1 ", "01", "1.0", True])
def test_only_the_exact_number_is_the_coin(number):
    """A row whose id has another spelling is not used for the coin."""
    assert support.reasons(parse(body([{**BITCOIN, "id": number}]))) == {"BTC-USD": "not_found"}


def test_the_list_is_two_pages_by_rank():
    """The list of coins is two pages of 5,000 active coins, and that of currencies one call."""
    first, second = CMC.build_asset_requests(AssetClass.CRYPTO)
    assert first.url.endswith("/v1/cryptocurrency/map")
    assert first.params == {
        "listing_status": "active", "start": "1", "limit": "5000", "sort": "cmc_rank",
    }  # fmt: skip
    assert second.params["start"] == "5001"
    (fiat,) = CMC.build_asset_requests(AssetClass.FOREX)
    assert fiat.url.endswith("/v1/fiat/map")
    assert fiat.params == {"include_metals": "false"}
    assert CMC.build_asset_requests(AssetClass.STOCKS) == ()


def test_listed_coins_keep_number_slug_and_rank():
    """Two coins of one ticker stay two, any ticker is kept, and inactive coins are left out."""
    rows = [
        {"id": 1, "rank": 1, "name": "Bitcoin", "symbol": "BTC", "slug": "bitcoin", "is_active": 1},
        {"id": 9, "rank": None, "name": "Other", "symbol": "BTC", "slug": "other", "is_active": 1},
        {"id": 3, "rank": 3, "name": "Gone", "symbol": "GONE", "slug": "gone", "is_active": 0},
        {"id": 4, "rank": 4, "name": "Like a currency", "symbol": "EUR", "slug": "eur"},
        {"id": 5, "rank": 5, "name": "Odd", "symbol": "币安", "slug": "odd"},
        {"id": None, "rank": 6, "name": "No number", "symbol": "NON", "slug": "non"},
        {"rank": 7, "name": "No number either", "symbol": "NOT", "slug": "not"},
    ]
    pages = [support.answer(body(rows)), support.answer(body([]))]
    listings = CMC.parse_assets(AssetClass.CRYPTO, pages)
    assert [(one.symbol, one.provider_id, one.slug, one.rank) for one in listings] == [
        ("BTC-USD", "1", "bitcoin", 1),
        ("BTC-USD", "9", "other", None),
        ("EUR-USD", "4", "eur", 4),
        ("币安-USD", "5", "odd", 5),
    ]


def test_listed_currencies_are_codes():
    """The fiat map lists single currencies; merging the lists makes the pairs."""
    rows = [
        {"id": 2790, "name": "Euro", "sign": "€", "symbol": "EUR"},
        {"id": 1, "name": "Bitcoin", "symbol": "BTC"},
    ]
    (euro,) = CMC.parse_assets(AssetClass.FOREX, [support.answer(body(rows))])
    assert (euro.symbol, euro.name, euro.provider_id) == ("EUR", "Euro", "2790")


@pytest.mark.parametrize("content", [body({}), body([]), error(0), support.CLOUDFLARE_PAGE])
def test_an_answer_that_is_not_a_list_is_a_bad_payload(content):
    """An answer that is empty or not a list is a bad payload."""
    with pytest.raises(errors.BadPayloadError):
        CMC.parse_assets(AssetClass.CRYPTO, [support.answer(content)])
