"""Conversion, history and search over HTTP: what each route takes and answers."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from marketdata.domain.outcomes import MissingQuote, Reason
from marketdata.domain.symbols import AssetClass
from tests.support.api_service import Service


def exact(reply):
    """Return the parsed body, its numbers as decimals."""
    return json.loads(reply.body, parse_float=Decimal, parse_int=Decimal)


def test_prices_come_in_another_currency(cache):
    """Both quote routes convert a price; the result is price times rate to the last digit."""
    service = Service(cache)
    service.price("AAPL", price="232.89")
    service.price("EUR/USD", price="1.0812")
    (found,) = exact(service.get("/v1/quotes?symbols=AAPL&currency=EUR"))["quotes"]
    converted = found["converted"]
    assert converted["rate_symbol"] == "EUR/USD"
    assert converted["price"] == (found["price"] * converted["rate"]).quantize(converted["price"])
    single = service.get("/v1/quotes/AAPL?currency=eur")
    assert exact(single) == {"market": single.headers["x-market-data"], **found}
    assert "converted" not in service.get("/v1/quotes/AAPL").json


def test_a_missing_rate_is_not_a_missing_quote(cache):
    """A quote without a rate is served, and says why it is not converted."""
    service = Service(cache)
    service.price("AAPL")
    reply = service.get("/v1/quotes/AAPL?currency=CHF")
    assert (reply.status, reply.json["converted"]) == (200, None)
    assert reply.json["conversion_error"]["code"] == "pending"


@pytest.mark.parametrize("path", ["/v1/quotes/AAPL?", "/v1/quotes?symbols=AAPL&"])
def test_a_minor_unit_is_an_error_with_its_currency(cache, path):
    """A minor unit as currency is an error that names the currency to use."""
    reply = Service(cache).get(f"{path}currency=GBp")
    assert (reply.status, reply.json["code"]) == (400, "invalid_parameter")
    assert "GBp is a minor unit, use GBP" in reply.json["detail"]


def test_a_history_is_read_by_symbol_and_range(cache):
    """A history has points per symbol, and market, errors and aliases as other lists."""
    service = Service(cache)
    service.price("AAPL", price="182.5")
    reply = service.get("/v1/history?symbols=aapl,NOPE&range=1h")
    assert reply.status == 200
    assert reply.headers["x-market-data"] == reply.json["market"]
    assert reply.json["history"] == [
        {
            "symbol": "AAPL",
            "currency": "USD",
            "interval_s": 60,
            "points": [[service.now_ms // 1000, 182.5]],
        }
    ]
    assert [error["code"] for error in reply.json["errors"]] == ["pending"]
    assert reply.json["aliases"] == {"aapl": "AAPL"}
    assert service.get("/v1/history?symbols=AAPL").json["range"] == "24h"


@pytest.mark.parametrize(
    ("target", "allowed"),
    [
        ("/v1/history?symbols=AAPL&range=1y", "one of 1h, 6h, 24h, 7d, 30d"),
        ("/v1/search?q=a&asset_type=bonds", "one of stocks, crypto, forex"),
        ("/v1/search?q=a&limit=101", "1 to 100"),
        ("/v1/search?q=%20", "1 to 64 characters"),
        ("/v1/search", "?q=tesla"),
        ("/v1/search?query=tesla", "unknown"),
    ],
)
def test_a_bad_parameter_is_an_error_with_what_is_allowed(cache, target, allowed):
    """A bad parameter gets 400, and the detail says what is allowed."""
    reply = Service(cache).get(target)
    assert reply.status == 400
    assert reply.headers["content-type"] == "application/problem+json"
    assert allowed in reply.json["detail"]


def test_a_search_finds_assets_of_all_classes(cache):
    """A search returns assets of all classes, or of one."""
    service = Service(cache)
    service.list_assets(AssetClass.STOCKS, {"TSLA": "Tesla, Inc."})
    service.list_assets(AssetClass.CRYPTO, {"TSLAX-USD": "Tesla xStock"})
    reply = service.get("/v1/search?q=tesla")
    assert [one["symbol"] for one in reply.json["results"]] == ["TSLA", "TSLAX-USD"]
    assert reply.headers["etag"]
    only = service.get("/v1/search?q=tesla&asset_type=crypto&limit=1").json
    assert [one["asset_class"] for one in only["results"]] == ["crypto"]


def test_a_search_before_the_first_list_is_to_be_repeated(cache):
    """A search before the first list gets 503 with Retry-After."""
    reply = Service(cache).get("/v1/search?q=tesla")
    assert (reply.status, reply.json["code"], reply.headers["retry-after"]) == (503, "pending", "5")


def test_an_unknown_symbol_gets_suggestions(cache):
    """An unknown symbol gets suggestions on both quote routes."""
    service = Service(cache)
    service.list_assets(AssetClass.STOCKS, ["AAPL", "MSFT"])
    unknown = [MissingQuote("APPL", Reason.NOT_FOUND, "no provider knows APPL")]
    service.stores.quotes.explain(unknown)
    errors = service.get("/v1/quotes?symbols=BTC-USDT,APPL,AAPL").json["errors"]
    assert [error.get("suggestions") for error in errors] == [["BTC-USD"], ["AAPL"], None]
    assert service.get("/v1/quotes/APPL").json["suggestions"] == ["AAPL"]
    reply = service.get("/v1/quotes/BTC-USDT")
    assert (reply.status, reply.json["suggestions"]) == (400, ["BTC-USD"])
