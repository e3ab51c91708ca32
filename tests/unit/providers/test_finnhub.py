"""Finnhub's formats: one symbol a call, zeros for the unknown, limits in headers."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from marketdata import errors
from marketdata.domain.quotes import ChangeBasis, Source
from marketdata.domain.symbols import AssetClass
from marketdata.providers.finnhub import Finnhub
from tests.support import provider_support as support

FINNHUB = Finnhub("https://finnhub.io/api/v1", support.secret_key)
AAPL = support.instrument("AAPL")
QUOTE = {
    "c": 263.84, "d": -0.51, "dp": -0.1929, "h": 264.48, "l": 262.29, "o": 263.21,
    "pc": 264.35, "t": 1771519213,
}  # fmt: skip


def parse(body, status=200, of=AAPL, **headers):
    """Return what the provider reads from an answer about one instrument."""
    return FINNHUB.parse([of], support.answer(body, status, **headers), support.NOW)


def test_the_request_names_one_symbol_and_keeps_the_key_in_a_header():
    """The key is in no URL and in no repr, and a share class keeps its dot."""
    request = FINNHUB.build_request([support.instrument("BRK-B")])
    assert request.url == "https://finnhub.io/api/v1/quote"
    assert request.params == {"symbol": "BRK.B"}
    assert request.headers == {"X-Finnhub-Token": support.SECRET}
    assert support.SECRET not in repr(request) + repr(FINNHUB)


@pytest.mark.parametrize(
    ("row", "symbol"),
    [("BAC-L", "BAC.PR.L"), ("CCIV+", "CCIV.WS"), ("CCIV=", "CCIV.U"), ("MKC.V", "MKC-V")],
)
def test_finnhubs_list_is_read_in_its_own_spelling(row, symbol):
    """Preferred shares, warrants, units and classes are listed by their canonical symbols."""
    rows = [{"symbol": row, "description": "A PAPER", "mic": "XNYS", "currency": "USD"}]
    (listing,) = FINNHUB.parse_assets(AssetClass.STOCKS, [support.answer(rows)])
    assert (listing.symbol, listing.provider_id) == (symbol, row)


def test_a_preferred_share_is_asked_for_as_at_yahoo():
    """Finnhub's quote call takes a preferred share in Yahoo's spelling, not in its list's."""
    asked = FINNHUB.build_request([support.instrument("BAC.PR.L")])
    assert asked.params == {"symbol": "BAC-PL"}


def test_a_listed_spelling_comes_before_our_own():
    """If the asset list has Finnhub's own spelling, the request has that spelling."""
    pair = support.instrument("EUR/USD", finnhub="OANDA:EUR_USD")
    assert FINNHUB.build_request([pair]).params == {"symbol": "OANDA:EUR_USD"}


def test_a_quote_keeps_every_digit_and_its_own_time():
    """A quote has the exact price, change and percentage of Finnhub, and Finnhub's time."""
    (quote,) = parse(QUOTE).quotes
    assert (quote.symbol, quote.source, quote.currency) == ("AAPL", Source.FINNHUB, "USD")
    assert (str(quote.price), str(quote.change)) == ("263.84", "-0.51")
    assert str(quote.percent_change) == "-0.1929"
    assert quote.change_basis is ChangeBasis.PREVIOUS_CLOSE
    assert quote.timestamp == datetime(2026, 2, 19, 16, 40, 13, tzinfo=UTC)
    assert quote.fetched_at == support.NOW


def test_an_integer_price_without_change_is_a_quote():
    """A price may be an integer, and a change that is null or absent is null."""
    for extra in ({"d": None, "dp": None}, {}):
        (quote,) = parse({"c": 9588, "pc": 9500, "t": 1771519213, **extra}).quotes
        assert quote.price == Decimal(9588)
        assert (quote.change, quote.percent_change, quote.change_basis) == (None, None, None)


@pytest.mark.parametrize(
    "body",
    [
        {"c": 0, "d": None, "dp": None, "h": 0, "l": 0, "o": 0, "pc": 0, "t": 0},
        {**QUOTE, "c": 0, "t": 0},
        {**QUOTE, "c": 0},
        {**QUOTE, "c": None},
        {"pc": 264.35, "t": 1771519213},
        "Symbol not supported",
    ],
)
def test_zeros_and_absent_prices_are_not_found(body):
    """A symbol whose price is zero, null or absent is not found."""
    parsed = parse(body)
    assert parsed.quotes == ()
    assert support.reasons(parsed) == {"AAPL": "not_found"}


@pytest.mark.parametrize("of", ["AAPL", "EUR/USD"])
@pytest.mark.parametrize("time", [0, "0", 0.0])
def test_a_price_with_a_time_of_zero_is_not_used(of, time):
    """A price with a time of 0 is a bad row, because the day of the price is unknown."""
    parsed = parse({**QUOTE, "t": time}, of=support.instrument(of))
    assert (parsed.quotes, parsed.missing) == ((), ())
    reason = f"finnhub: {of}: a price of 263.84 with a time of 0"
    assert support.bad_rows(parsed) == {of: reason}


@pytest.mark.parametrize("price", ["NaN", "abc", -1, True, [1], {"raw": 1}, float("nan"), 10**99])
def test_a_price_that_is_not_a_price_is_a_bad_row(price):
    """Text, booleans, objects, NaN, negative and huge numbers are bad rows."""
    parsed = parse({**QUOTE, "c": price})
    assert (parsed.quotes, parsed.missing) == ((), ())
    assert support.bad_rows(parsed)["AAPL"].startswith("finnhub: AAPL: ")


def test_a_quote_has_the_figures_of_the_day():
    """A quote has Finnhub's previous close, open, high and low, and null for a zero."""
    (quote,) = parse({**QUOTE, "h": 0}).quotes
    assert (quote.previous_close, quote.open) == (Decimal("264.35"), Decimal("263.21"))
    assert (quote.high, quote.low) == (None, Decimal("262.29"))
    assert (quote.volume, quote.market_cap, quote.market_state) == (None, None, None)


def test_a_contradicted_percentage_is_null():
    """A percentage that contradicts the change, such as a fraction, is null."""
    (quote,) = parse({**QUOTE, "dp": -0.001929}).quotes
    assert (quote.change, quote.percent_change) == (Decimal("-0.51"), None)


def test_a_price_as_text_is_a_price():
    """A price in quotation marks is the same price."""
    assert parse({**QUOTE, "c": "182.50"}).quotes[0].price == Decimal("182.5")


def test_a_time_that_cannot_be_right_is_null():
    """A missing or impossible time is null, and never our own time."""
    for time in (None, "soon", 10**20, 1, 86400, 4_200_000_000):
        assert parse({**QUOTE, "t": time}).quotes[0].timestamp is None


def test_the_time_of_a_pair_is_not_the_time_of_its_price():
    """For forex Finnhub gives the time when the daily candle opened, so the quote has no time."""
    (quote,) = parse(QUOTE, of=support.instrument("EUR/USD")).quotes
    assert (quote.timestamp, quote.currency) == (None, "USD")


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (401, {"error": "Invalid API key."}, errors.UnauthorizedError),
        (401, {"error": "Please use an API key."}, errors.UnauthorizedError),
        (403, {"error": "You don't have access to this resource."}, errors.NotEntitledError),
        (403, support.CLOUDFLARE_PAGE, errors.UnavailableError),
        (429, {"error": "API limit reached. Remaining Limit: 0"}, errors.RateLimitedError),
        (500, "oops", errors.UnavailableError),
        (502, support.CLOUDFLARE_PAGE, errors.UnavailableError),
        (302, "", errors.BadPayloadError),
        (404, "no such path", errors.BadPayloadError),
        (200, {"error": "something else"}, errors.BadPayloadError),
    ],
)
def test_each_kind_of_http_error_is_its_own_error(status, body, error):
    """Bad key, plan, limit, outage and other text are different errors; none shows the key."""
    with pytest.raises(error) as caught:
        parse(body, status)
    assert type(caught.value) is error
    assert support.SECRET not in str(caught.value)


@pytest.mark.parametrize("body", support.BROKEN_BODIES.values(), ids=support.BROKEN_BODIES.keys())
def test_a_broken_body_is_a_bad_payload(body):
    """HTML, cut JSON and JSON of other shapes are a bad payload."""
    with pytest.raises(errors.BadPayloadError, match="finnhub"):
        parse(body)


def test_an_excerpt_of_a_body_shows_no_key():
    """A page that repeats our key is quoted without it."""
    with pytest.raises(errors.BadPayloadError) as caught:
        parse(f"<html>token {support.SECRET} of https://finnhub.io/?token=abc</html>")
    assert "abc" not in str(caught.value)
    assert support.SECRET not in str(caught.value)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, 60.0),
        ({"retry_after": "17"}, 17.0),
        ({"retry_after": "17", "x_ratelimit_reset": "9999999999"}, 17.0),
        ({"retry_after": "Sun, 22 Nov 2026 13:06:00 GMT"}, 50.0),
        (
            {
                "retry_after": "Sun, 22 Nov 2026 13:06:00 GMT",
                "date": "Sun, 22 Nov 2026 13:05:30 GMT",
            },
            30.0,
        ),
        ({"x_ratelimit_reset": str(int(support.NOW.timestamp()) + 42)}, 42.0),
        ({"x_ratelimit_reset": str(int(support.NOW.timestamp()) - 42)}, 60.0),
        ({"retry_after": "soon", "x_ratelimit_reset": "later"}, 60.0),
        ({"retry_after": "-5"}, 60.0),
        ({"retry_after": "0"}, 1.0),
        ({"retry_after": "99999999999"}, 31 * 86400.0),
    ],
)
def test_a_limit_says_for_how_long(headers, seconds):
    """A rate limit lasts until Retry-After, else until the reset header, else for a minute."""
    with pytest.raises(errors.RateLimitedError) as caught:
        parse({"error": "API limit reached."}, 429, **headers)
    assert caught.value.retry_after_s == seconds


def test_the_last_call_of_a_window_is_reported():
    """A good answer after which no call remains pauses Finnhub until the reset."""
    reset = str(int(support.NOW.timestamp()) + 23)
    used = {"x_ratelimit_limit": "60", "x_ratelimit_reset": reset}
    assert parse(QUOTE, **used, x_ratelimit_remaining="0").hold_s == 23.0
    assert parse(QUOTE, **used, x_ratelimit_remaining="1").hold_s is None
    assert parse(QUOTE, x_ratelimit_remaining="0").hold_s == 60.0
    assert parse(QUOTE).hold_s is None


def test_the_us_list_tells_exchange_and_currency():
    """Rows become listings by canonical symbol; market codes become names."""
    (request,) = FINNHUB.build_asset_requests(AssetClass.STOCKS)
    assert request.url.endswith("/stock/symbol")
    assert (request.params, request.headers) == (
        {"exchange": "US"},
        {"X-Finnhub-Token": support.SECRET},
    )
    rows = [
        {"currency": "USD", "description": "APPLE INC", "symbol": "AAPL", "mic": "XNGS"},
        {"currency": "", "description": "", "symbol": "BRK.B", "mic": "XXXX"},
        {"description": "twice", "symbol": "AAPL"},
        {"description": "no spelling of ours", "symbol": "A:B"},
        {"description": "no symbol", "symbol": None},
    ]
    apple, berkshire = FINNHUB.parse_assets(AssetClass.STOCKS, [support.answer(rows)])
    assert (apple.symbol, apple.name, apple.exchange) == ("AAPL", "APPLE INC", "NASDAQ")
    assert (apple.currency, apple.provider_id, apple.rank) == ("USD", "AAPL", None)
    assert (berkshire.name, berkshire.exchange, berkshire.currency) == ("BRK.B", "XXXX", None)


def test_the_forex_list_is_of_pairs():
    """A pair is known by `displaySymbol`, and a row that is not a pair is left out."""
    (request,) = FINNHUB.build_asset_requests(AssetClass.FOREX)
    assert request.params == {"exchange": "oanda"}
    rows = [
        {"description": "Euro", "displaySymbol": "EUR/USD", "symbol": "IC MARKETS:1"},
        {"description": "Index", "displaySymbol": "NAS100/USD", "symbol": "OANDA:NAS100_USD"},
    ]
    (pair,) = FINNHUB.parse_assets(AssetClass.FOREX, [support.answer(rows)])
    assert (pair.symbol, pair.provider_id, pair.currency) == ("EUR/USD", "IC MARKETS:1", "USD")


def test_finnhub_lists_no_coins():
    """No list of coins is requested, because Finnhub's are pairs of single exchanges."""
    assert FINNHUB.build_asset_requests(AssetClass.CRYPTO) == ()


@pytest.mark.parametrize("body", ["{}", "[]", "[1]", support.CLOUDFLARE_PAGE, '[{"symbol":"A'])
def test_an_answer_that_is_not_a_list_is_a_bad_payload(body):
    """An answer that is empty, cut or not a list is an error, and so is a 429."""
    with pytest.raises(errors.BadPayloadError):
        FINNHUB.parse_assets(AssetClass.STOCKS, [support.answer(body)])
    with pytest.raises(errors.RateLimitedError):
        FINNHUB.parse_assets(AssetClass.STOCKS, [support.answer(body, 429)])


@pytest.mark.parametrize("text", ["12.3%", "1,234.5", "NaN", "", "12 USD"])
def test_text_that_is_not_a_plain_number_is_not_a_figure(text):
    """Text that is not a plain number is null as a figure, and gives no quote as a price."""
    (quote,) = parse(QUOTE | {"h": text, "l": text, "pc": text, "d": None, "dp": None}).quotes
    assert quote.price == Decimal("263.84")
    assert (quote.high, quote.low, quote.previous_close) == (None, None, None)
    assert parse(QUOTE | {"c": text}).quotes == ()
