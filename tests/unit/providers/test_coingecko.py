"""CoinGecko's formats: slugs, several currencies at once, three shapes of errors."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from marketdata import errors
from marketdata.domain.outcomes import Reason
from marketdata.domain.quotes import ChangeBasis, Source
from marketdata.domain.symbols import AssetClass
from marketdata.providers.coingecko import CoinGecko
from tests.support import provider_support as support

GECKO = CoinGecko("https://api.coingecko.com/api/v3", support.secret_key)
BTC = support.instrument("BTC-USD", coingecko="bitcoin")
BTC_EUR = support.instrument("BTC-EUR", coingecko="bitcoin")
ETH = support.instrument("ETH-USD", coingecko="ethereum")
PEPE = support.instrument("PEPE-USD", coingecko="pepe")


def parse(body, batch=(BTC,), status=200, **headers):
    """Return what the provider reads from an answer about a batch."""
    return GECKO.parse(batch, support.answer(body, status, **headers), support.NOW)


def test_one_request_asks_for_every_slug_and_currency_once():
    """Slugs and currencies of a batch are asked for together, each once, in full precision."""
    request = GECKO.build_request([BTC, BTC_EUR, ETH])
    assert request.url == "https://api.coingecko.com/api/v3/simple/price"
    assert request.params == {
        "ids": "bitcoin,ethereum",
        "vs_currencies": "usd,eur",
        "include_market_cap": "true",
        "include_24hr_vol": "true",
        "include_24hr_change": "true",
        "include_last_updated_at": "true",
        "precision": "full",
    }
    assert support.SECRET not in repr(request) + repr(GECKO)


def test_the_key_goes_in_the_header_that_its_host_wants():
    """The pro host gets the key in its header, any other host in the demo header."""

    def headers(base_url, key=support.SECRET):
        return CoinGecko(base_url, lambda: key).build_request([BTC]).headers

    assert headers("https://api.coingecko.com/api/v3") == {"x-cg-demo-api-key": support.SECRET}
    assert headers("http://127.0.0.1:9") == {"x-cg-demo-api-key": support.SECRET}
    assert headers("https://pro-api.coingecko.com/api/v3") == {"x-cg-pro-api-key": support.SECRET}
    assert headers("https://api.coingecko.com/api/v3", "") == {}


def test_each_currency_has_its_own_price_and_change():
    """One row yields a quote for every currency of the batch, over 24 hours, at its own time."""
    row = {
        "usd": 76975, "usd_24h_change": -1.4093297098441402,
        "usd_24h_vol": 29096603418.89408, "usd_market_cap": 1542226908349.8406,
        "eur": 66000.125, "eur_24h_change": None, "eur_24h_vol": 0,
        "eur_market_cap": 0, "last_updated_at": 1779092258,
    }  # fmt: skip
    dollars, euros = parse({"bitcoin": row}, [BTC, BTC_EUR]).quotes
    assert (dollars.symbol, dollars.currency, str(dollars.price)) == ("BTC-USD", "USD", "76975")
    assert str(dollars.percent_change) == "-1.409330"
    assert str(dollars.volume) == "29096603418.89408"
    assert str(dollars.market_cap) == "1542226908349.8406"
    assert dollars.change == Decimal("-1100.34")
    assert dollars.change_basis is ChangeBasis.ROLLING_24H
    assert dollars.source is Source.COINGECKO
    assert dollars.timestamp == datetime(2026, 5, 18, 8, 17, 38, tzinfo=UTC)
    assert (euros.symbol, euros.currency, str(euros.price)) == ("BTC-EUR", "EUR", "66000.125")
    assert (euros.change, euros.percent_change, euros.change_basis) == (None, None, None)
    assert (euros.volume, euros.market_cap) == (0, None)  # no coin has a capitalisation of 0


def test_a_tiny_price_keeps_its_digits():
    """A price with an exponent is the exact decimal that it stands for."""
    (quote,) = parse('{"pepe":{"usd":5.12e-06,"last_updated_at":1779092258}}', [PEPE]).quotes
    assert quote.price == Decimal("0.00000512")
    assert '"price":0.00000512,' in quote.to_json()


def test_null_empty_and_omitted_coins_are_not_found():
    """A coin that is null, empty, missing or priced at 0 is not found."""
    batch = [BTC, ETH, PEPE, BTC_EUR]
    body = {"bitcoin": {"usd": None, "usd_24h_change": None}, "ethereum": {}}
    parsed = parse(body, batch)
    assert parsed.quotes == ()
    assert set(support.reasons(parsed).values()) == {"not_found"}
    assert support.reasons(parse({}, batch)) == support.reasons(parsed)
    assert support.reasons(parse({"bitcoin": None})) == {"BTC-USD": "not_found"}
    assert support.reasons(parse({"bitcoin": {"usd": 0}})) == {"BTC-USD": "not_found"}


def test_a_bad_row_spoils_only_itself():
    """A price of the wrong type is a bad row of its coin, and the other coins have quotes."""
    body = {"bitcoin": {"usd": "many"}, "ethereum": {"usd": 1876.28, "last_updated_at": 1779092258}}
    parsed = parse(body, [BTC, ETH])
    assert [quote.symbol for quote in parsed.quotes] == ["ETH-USD"]
    assert parsed.missing == ()
    assert support.bad_rows(parsed) == {"BTC-USD": "coingecko: BTC-USD: not a number: 'many'"}


@pytest.mark.parametrize(
    "row",
    [
        '{"usd":NaN}', '{"usd":-1}', '{"usd":true}', '{"usd":Infinity}', "[]", '"x"',
        '{"usd":1e400}', '{"usd":1e99999999999999999999}', '{"usd":' + "9" * 100_000 + "}",
        '{"usd":1,"usd":2}', '{"usd":"' + "9" * 1_000_000 + '"}',
    ],
)  # fmt: skip
def test_a_row_that_cannot_be_used_is_a_defect_of_its_coin(row):
    """An unusable row is a bad row, and an answer of three unusable rows is a bad payload."""
    bad, slugs = f'"bitcoin":{row}', ("ethereum", "pepe")
    assert support.bad_rows(parse(f"{{{bad}}}")).keys() == {"BTC-USD"}
    body = ",".join([bad, *(f'"{slug}":{row}' for slug in slugs)])
    with pytest.raises(errors.BadPayloadError, match="coingecko: BTC-USD"):
        parse(f"{{{body}}}", [BTC, ETH, PEPE])
    body = ",".join([bad, *(f'"{slug}":{{"usd":1}}' for slug in slugs)])
    assert support.bad_rows(parse(f"{{{body}}}", [BTC, ETH, PEPE])).keys() == {"BTC-USD"}


def test_a_coin_that_comes_twice_with_different_prices_is_a_bad_row():
    """A coin with two different prices has no quote, and one with two equal prices has."""
    body = '{"bitcoin":{"usd":1},"ethereum":{"usd":5},"ethereum":{"usd":5},"bitcoin":{"usd":10}}'
    parsed = parse(body, [BTC, ETH])
    assert [str(quote.price) for quote in parsed.quotes] == ["5"]
    assert support.bad_rows(parsed) == {"BTC-USD": "coingecko: BTC-USD: not an object: TwoValues"}


@pytest.mark.parametrize("slug", ["Bitcoin", " bitcoin ", "bıtcoin", "bitcoin\u0000"])
def test_only_the_exact_id_is_the_coin(slug):
    """A row under an id in another spelling is not used for the coin."""
    assert support.reasons(parse({slug: {"usd": 1}})) == {"BTC-USD": "not_found"}


def test_a_small_change_is_not_rounded_to_zero():
    """A rise of 2 % to a price of 0.0005 is a change of 0.0000098."""
    (quote,) = parse({"bitcoin": {"usd": 0.0005, "usd_24h_change": 2}}).quotes
    assert '"change":0.0000098,"percent_change":2,' in quote.to_json()


def test_a_coin_may_be_called_status_or_error():
    """A slug that is also the name of an error's field is still a coin."""
    batch = [
        support.instrument("SNT-USD", coingecko="status"),
        support.instrument("ERR-USD", coingecko="error"),
    ]
    quotes = parse({"status": {"usd": 0.02}, "error": {"usd": 0.01}}, batch).quotes
    assert [str(quote.price) for quote in quotes] == ["0.02", "0.01"]


def envelope_a(code):
    """The shape with everything under `status`."""
    return {"status": {"error_code": code, "error_message": "sorry"}}


def envelope_b(code):
    """The shape with the code beside `status`."""
    return {"timestamp": "t", "error_code": code, "status": {"error_message": "sorry"}}


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (429, envelope_a(429), errors.RateLimitedError),
        (200, envelope_a(429), errors.RateLimitedError),
        (429, support.CLOUDFLARE_PAGE, errors.RateLimitedError),
        (401, envelope_a(10002), errors.UnauthorizedError),
        (400, envelope_b(10010), errors.UnauthorizedError),
        (400, envelope_b(10011), errors.UnauthorizedError),
        (200, envelope_b(10010), errors.UnauthorizedError),
        (401, envelope_b(10005), errors.NotEntitledError),
        (403, {"error": "plan"}, errors.NotEntitledError),
        (400, envelope_b(10012), errors.BadPayloadError),
        (200, envelope_b(10012), errors.BadPayloadError),
        (422, {"error": "Missing parameter vs_currencies"}, errors.BadPayloadError),
        (200, {"error": "invalid vs_currency"}, errors.BadPayloadError),
        (404, "no such path", errors.BadPayloadError),
        (404, {"error": "Incorrect path"}, errors.BadPayloadError),
        (403, support.CLOUDFLARE_PAGE, errors.UnavailableError),
        (403, "error code: 1020", errors.UnavailableError),
        (403, envelope_a(1020), errors.UnavailableError),
        (503, support.CLOUDFLARE_PAGE, errors.UnavailableError),
        (500, envelope_a(500), errors.UnavailableError),
        (200, envelope_a(503), errors.UnavailableError),
        (301, "", errors.BadPayloadError),
    ],
)
def test_each_kind_of_http_error_is_its_own_error(status, body, error):
    """Errors are read in all three shapes, with an error status or with a status of 200."""
    with pytest.raises(error) as caught:
        parse(body, status=status)
    assert type(caught.value) is error


def test_a_currency_that_coingecko_does_not_have_is_not_found():
    """The error about a currency that CoinGecko does not have means not found."""
    parsed = parse({"error": "invalid vs_currency"}, status=400)
    assert {missing.code for missing in parsed.missing} == {Reason.NOT_FOUND}


@pytest.mark.parametrize("text", ["coin not found", "Could not find coin with the given id"])
def test_a_404_about_a_coin_is_not_found(text):
    """A 404 about a coin means not found for every coin of the batch."""
    parsed = parse({"error": text}, [BTC, ETH], status=404)
    assert support.reasons(parsed) == {"BTC-USD": "not_found", "ETH-USD": "not_found"}


def test_a_limit_says_for_how_long():
    """A rate limit lasts for the time of Retry-After, or for a minute without that header."""
    for headers, seconds in (({"retry_after": "45"}, 45.0), ({}, 60.0)):
        with pytest.raises(errors.RateLimitedError) as caught:
            parse(envelope_a(429), status=429, **headers)
        assert caught.value.retry_after_s == seconds


@pytest.mark.parametrize("body", support.BROKEN_BODIES.values(), ids=support.BROKEN_BODIES.keys())
def test_a_broken_body_is_a_bad_payload(body):
    """HTML, cut JSON and JSON of other shapes are a bad payload."""
    with pytest.raises(errors.BadPayloadError, match="coingecko"):
        parse(body)


def test_the_list_is_four_ranked_pages_and_the_list_of_all():
    """The list takes five calls: four pages of ranked coins, and the list of all coins."""
    requests = GECKO.build_asset_requests(AssetClass.CRYPTO)
    assert [request.params.get("page") for request in requests] == ["1", "2", "3", "4", None]
    assert requests[0].params == {
        "vs_currency": "usd", "order": "market_cap_desc", "per_page": "250", "page": "1",
    }  # fmt: skip
    assert requests[4].url.endswith("/coins/list")
    assert all(request.headers == {"x-cg-demo-api-key": support.SECRET} for request in requests)
    assert GECKO.build_asset_requests(AssetClass.STOCKS) == ()
    assert GECKO.build_asset_requests(AssetClass.FOREX) == ()


def test_listed_coins_keep_slug_and_rank():
    """A ranked coin stays ranked when the list of all repeats it; any ticker is kept as it is."""
    ranked = [
        {"id": "bitcoin", "symbol": "btc", "name": "Bitcoin", "market_cap_rank": 1},
        {"id": "nobody", "symbol": "nob", "name": "Nobody", "market_cap_rank": None},
    ]
    everything = [
        {"id": "fake-btc", "symbol": "BTC", "name": "Fake"},
        {"id": "bitcoin", "symbol": "btc", "name": "Bitcoin"},
        {"id": "gold", "symbol": "xau", "name": "ticker of a currency"},
        {"id": "odd", "symbol": "$ odd", "name": "not to be spelled"},
        {"id": "nameless", "symbol": "nml", "name": ""},
        {"id": None, "symbol": "nil", "name": "no id"},
        {"id": "no-ticker", "symbol": "", "name": "No ticker"},
    ]
    listings = GECKO.parse_assets(
        AssetClass.CRYPTO, [support.answer(ranked), support.answer(everything)]
    )
    assert [(one.symbol, one.provider_id, one.slug, one.rank) for one in listings] == [
        ("BTC-USD", "bitcoin", "bitcoin", 1),
        ("NOB-USD", "nobody", "nobody", None),
        ("BTC-USD", "fake-btc", "fake-btc", None),
        ("XAU-USD", "gold", "gold", None),
        ("$ ODD-USD", "odd", "odd", None),
        ("NML-USD", "nameless", "nameless", None),
    ]
    assert listings[5].name == "NML-USD"
    assert {one.currency for one in listings} == {"USD"}


@pytest.mark.parametrize("body", [{}, [], envelope_b(10012), support.CLOUDFLARE_PAGE])
def test_an_answer_that_is_not_a_list_is_a_bad_payload(body):
    """An answer that is empty or not a list is an error, and so is a 429."""
    with pytest.raises(errors.BadPayloadError):
        GECKO.parse_assets(AssetClass.CRYPTO, [support.answer(body)])
    with pytest.raises(errors.RateLimitedError):
        GECKO.parse_assets(AssetClass.CRYPTO, [support.answer(envelope_a(429), 429)])
