"""Texts of 1 MB in every place of an answer: each is read or rejected in linear time."""

import itertools
import json

import pytest

from marketdata.domain.symbols import AssetClass
from marketdata.errors import ProviderError
from marketdata.providers.alpha_vantage import AlphaVantage
from marketdata.providers.answers import AnswerReader
from marketdata.providers.coingecko import CoinGecko
from marketdata.providers.coinmarketcap import CoinMarketCap
from marketdata.providers.contract import Response
from marketdata.providers.finnhub import Finnhub
from marketdata.providers.holds import http_date, retry_after_s
from marketdata.providers.values import (
    iso_time,
    name_of,
    number_or_none,
    shown,
    text_or_none,
    unix_time,
    zoned_time,
)
from marketdata.providers.yahoo import Yahoo
from tests.support.provider_support import NOW, answer, instrument, secret_key

BASE = "http://127.0.0.1:9"
MB = 1_000_000
# Each text repeats the start of a pattern, so that a slow pattern tries again at each place.
LONG_TEXTS = {
    "digits": "9" * MB,
    "point": "1." * (MB // 2),
    "exponent": "1e" * (MB // 2),
    "blanks": " " * MB,
    "dates": "2026-01-01T00:00" * (MB // 16),
    "invalid": 'Invalid value for "id": "' * (MB // 25),
    "word": 'Invalid value for "' + "a" * MB,
    "entities": "&nbsp" * (MB // 5),
    "test": "TEST " * (MB // 5),
    "notice": "api key as " * (MB // 11),
    "query": "x_cg_" * (MB // 5),
    "url": "redis://:" * (MB // 9),
}
STOCK, PAIR = instrument("AAPL"), instrument("EUR/USD")
COIN = instrument("BTC-USD", coingecko="bitcoin", coinmarketcap="1")
QUOTES = {
    "yahoo": (Yahoo(), STOCK, {"quoteResponse": {"error": None, "result": [
        {"symbol": "AAPL", "quoteType": "X", "currency": "USD", "regularMarketPrice": "X",
         "regularMarketTime": "X", "marketState": "X", "marketCap": "X",
         "postMarketPrice": "X"}]}}),
    "finnhub": (Finnhub(BASE, secret_key), STOCK,
                {"c": "X", "d": "X", "dp": "X", "t": "X", "error": "X"}),
    "coingecko": (CoinGecko(BASE, secret_key), COIN, {
        "bitcoin": {"usd": "X", "usd_24h_change": "X", "last_updated_at": "X"},
        "status": {"error_code": "X", "error_message": "X"}, "error": "X"}),
    "coinmarketcap": (CoinMarketCap(BASE, secret_key), COIN, {
        "status": {"error_code": "X", "error_message": "X", "timestamp": "X"},
        "data": [{"id": "X", "is_active": 1, "quote": [{"symbol": "X", "price": "X",
                  "percent_change_24h": "X", "last_updated": "X"}]}]}),
    "alpha_vantage": (AlphaVantage(BASE, secret_key), PAIR, {
        "Information": "X", "Note": "X", "Error Message": "X", "message": "X",
        "Realtime Currency Exchange Rate": {
            "1. From_Currency Code": "X", "3. To_Currency Code": "X", "5. Exchange Rate": "X",
            "6. Last Refreshed": "X", "7. Time Zone": "X"}}),
}  # fmt: skip
LISTS = {
    "yahoo": (Yahoo(), AssetClass.STOCKS, {"finance": {"error": None, "result": [{"quotes": [
        {"symbol": "X", "longName": "X", "currency": "X", "fullExchangeName": "X"}]}]}}),
    "finnhub": (Finnhub(BASE, secret_key), AssetClass.STOCKS, [
        {"symbol": "X", "description": "X", "currency": "X", "mic": "X"}]),
    "coingecko": (CoinGecko(BASE, secret_key), AssetClass.CRYPTO, [
        {"id": "X", "symbol": "X", "name": "X", "market_cap_rank": "X"}]),
    "coinmarketcap": (CoinMarketCap(BASE, secret_key), AssetClass.CRYPTO, {
        "status": {"error_code": 0}, "data": [
            {"id": 1, "symbol": "X", "name": "X", "slug": "X", "rank": "X"}]}),
}  # fmt: skip
HEADERS = ("retry_after", "date", "x_ratelimit_reset", "x_ratelimit_remaining", "content_type")


def result_of(call, *args):
    """Return a call's result, or None for one of our errors, and the error's message."""
    try:
        return call(*args), ""
    except ProviderError as error:
        return None, str(error)


def leaves(value, path=()):
    """Yield the path of each member that is "X"."""
    if value == "X":
        yield path
    elif isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(inner, (*path, key))


def planted(value, path, text):
    """Return a copy of a value with a text at a path, and null for the other "X"."""
    copy = json.loads(json.dumps(value).replace('"X"', "null"))
    place = copy
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = text
    return copy


@pytest.mark.parametrize("text", LONG_TEXTS.values(), ids=LONG_TEXTS)
@pytest.mark.parametrize("name", QUOTES)
def test_a_long_text_in_any_member_of_a_quote_is_bounded(name, text):
    """A text of 1 MB in any member of a quote gives a short reason or error."""
    provider, one, body = QUOTES[name]
    for path, status in itertools.product(leaves(body), (200, 400)):
        response = answer(planted(body, path, text), status)
        parsed, message = result_of(provider.parse, [one], response, NOW)
        messages = [message]
        if parsed:
            messages += [reason.message for reason in (*parsed.missing, *parsed.bad_rows)]
            assert all(quote.currency in ("USD", None) for quote in parsed.quotes)
        assert max(map(len, messages)) < 300


@pytest.mark.parametrize("text", LONG_TEXTS.values(), ids=LONG_TEXTS)
@pytest.mark.parametrize("name", LISTS)
def test_a_long_text_in_any_member_of_a_list_is_bounded(name, text):
    """A text of 1 MB in any member of a list is rejected, or cut to 200 characters."""
    provider, asset_class, body = LISTS[name]
    for path in leaves(body):
        good = json.loads(json.dumps(body).replace('"X"', '"AB"'))
        place = good
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] = text
        listings, message = result_of(provider.parse_assets, asset_class, [answer(good)])
        assert len(message) < 300
        for one in listings or ():
            kept = (one.symbol, one.name, one.provider_id, one.exchange, one.currency, one.slug)
            assert max(len(value or "") for value in kept) <= 200


@pytest.mark.parametrize("text", LONG_TEXTS.values(), ids=LONG_TEXTS)
def test_a_long_csv_cell_is_bounded(text):
    """A name of 1 MB in a CSV table is cut, or makes the table invalid."""
    rows = f"symbol,name,exchange,assetType,ipoDate,delistingDate,status\nAB,{text},NYSE,,,,Active"
    provider = AlphaVantage(BASE, secret_key)
    listings, message = result_of(provider.parse_assets, AssetClass.STOCKS, [answer(rows)])
    assert len(message) < 300
    assert listings is None or len(listings[0].name) <= 200


@pytest.mark.parametrize("text", LONG_TEXTS.values(), ids=LONG_TEXTS)
def test_a_long_header_is_bounded(text):
    """A 429 with a header of 1 MB gives a short error and no Retry-After."""
    for name in HEADERS:
        response = answer({}, 429, **{name: text})
        assert retry_after_s(response, NOW) is None
        for provider, one, _ in QUOTES.values():
            with pytest.raises(ProviderError) as caught:
                provider.parse([one], response, NOW)
            assert len(str(caught.value)) < 300


@pytest.mark.parametrize("text", LONG_TEXTS.values(), ids=LONG_TEXTS)
def test_each_reader_of_a_value_rejects_a_long_text(text):
    """Each function that reads a value rejects a text of 1 MB, and a name is cut."""
    for read in (number_or_none, unix_time, iso_time, text_or_none, http_date):
        assert read(text) is None
    assert zoned_time(text, "UTC") is zoned_time("2026-01-01 00:00:00", text) is None
    assert len(name_of(text) or "") <= 200
    assert len(shown(text)) < 50


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 1_000_000,
        b'{"a":' * 200_000,
        b"[" + b"1," * 1_000_000 + b"1]",
        b"[" + b"{}," * 600_000 + b"{}]",
        b'{"a":' + b"9" * 1_000_000 + b"}",
        b'{"a":-0.' + b"9" * 1_000_000 + b"}",
        b'{"a":1e' + b"9" * 1_000_000 + b"}",
        b'"' + b"\\u0000" * 300_000,
        b"\xff" * 1_000_000,
        b"",
    ],
    ids=["deep", "deep objects", "values", "objects", "int", "float", "exponent", "cut", "bytes",
         "empty"],
)  # fmt: skip
def test_json_of_a_hostile_shape_is_rejected_or_read(body):
    """JSON of extreme depth, size or number of digits is rejected or read."""
    found, message = result_of(AnswerReader(Yahoo.source).json_object, Response(200, {}, body))
    assert len(message) < 300
    assert found is None or number_or_none(found["a"]) is None
