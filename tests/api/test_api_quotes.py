"""Quotes of several symbols over HTTP."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from marketdata.domain.outcomes import Reason
from tests.support.api_service import NOON_MS, Service, quote


def codes(reply):
    """Return symbol and code of each error, in the answer's order."""
    return [(error["symbol"], error["code"]) for error in reply.json["errors"]]


def symbols(reply):
    """Return the symbols of the quotes, in the answer's order."""
    return [found["symbol"] for found in reply.json["quotes"]]


def test_each_symbol_comes_once_in_request_order_in_one_of_two_lists(cache):
    """Each distinct symbol is once in `quotes` or in `errors`, in request order."""
    service = Service(cache)
    service.price("AAPL", "MSFT", "BTC-USD", "EUR/USD")
    reply = service.get(
        "/v1/quotes?symbols=msft,NOPE123,eur-usd,EURUSD=X,EUR%2FUSD,A*B&symbols=BTC/USD,MSFT"
    )
    assert reply.status == 200
    assert symbols(reply) == ["MSFT", "EUR/USD", "BTC-USD"]
    assert codes(reply) == [("NOPE123", "pending"), ("A*B", "invalid_symbol")]


def test_a_quote_is_the_stored_one_to_the_last_digit(cache):
    """A quote is served with the exact digits of the stored one."""
    service = Service(cache)
    service.price("AAPL", price="0.000005120000000000001")
    reply = service.get("/v1/quotes?symbols=AAPL")
    quote = json.loads(reply.body, parse_float=Decimal)["quotes"][0]
    assert quote == {
        "symbol": "AAPL",
        "asset_class": "stocks",
        "price": Decimal("0.000005120000000000001"),
        "currency": "USD",
        "change": Decimal("1.2"),
        "percent_change": Decimal("0.66"),
        "change_basis": "previous_close",
        **dict.fromkeys(("previous_close", "open", "high", "low", "volume", "market_cap")),
        "market_state": None,
        "extended": None,
        "source": "yfinance",
        "timestamp": "2025-11-22T14:05:00Z",
        "fetched_at": "2025-11-22T14:05:00Z",
        "stale": False,
    }


def test_a_quote_is_stale_once_it_is_older_than_its_ttl(cache):
    """Staleness is measured at the start of the slot, so it does not change within a slot."""
    service = Service(cache, QUOTE_TTL="60")
    service.price("AAPL", age_s=60)
    service.price("MSFT", age_s=60.001)
    for later_ms in (0, 4_999):
        service.now_ms = NOON_MS + later_ms
        found = service.get("/v1/quotes?symbols=AAPL,MSFT").json["quotes"]
        assert [entry["stale"] for entry in found] == [False, True]
    service.now_ms = NOON_MS + 5_000
    found = service.get("/v1/quotes?symbols=AAPL,MSFT").json["quotes"]
    assert [entry["stale"] for entry in found] == [True, True]


def test_two_equal_requests_within_a_slot_get_equal_bytes(cache):
    """Two equal requests within a slot get equal bytes, with the same errors and retry_after."""
    service = Service(cache)
    service.price("AAPL")
    target = "/v1/quotes?symbols=AAPL,MSFT,NOPE123,A*B&max_age=30"
    first = service.get(target)
    service.now_ms += 4_999
    second = service.get(target)
    assert first.body == second.body
    assert first.headers["etag"] == second.headers["etag"]
    assert first.headers["cache-control"] == "public, max-age=5"
    assert second.headers["cache-control"] == "public, max-age=1"


def test_a_price_that_arrives_within_a_slot_is_served_at_once(cache):
    """A price that arrives within a slot is served at once, with another ETag."""
    service = Service(cache)
    service.price("AAPL", age_s=10)
    first = service.get("/v1/quotes?symbols=AAPL")
    service.now_ms += 100
    service.price("AAPL", price="183")
    second = service.get("/v1/quotes?symbols=AAPL", if_none_match=first.headers["etag"])
    assert (second.status, second.json["quotes"][0]["price"]) == (200, 183)
    assert second.headers["etag"] != first.headers["etag"]


def test_max_age_turns_an_older_quote_into_an_error(cache):
    """An older quote than `max_age` is an error: `stale`, or the stored reason."""
    service = Service(cache)
    service.price("AAPL", age_s=30)
    service.price("MSFT", "BTC-USD", age_s=31)
    service.explain("BTC-USD", Reason.BUDGET_EXHAUSTED, 90)
    reply = service.get("/v1/quotes?symbols=AAPL,MSFT,BTC-USD&max_age=30")
    assert symbols(reply) == ["AAPL"]
    assert codes(reply) == [("MSFT", "stale"), ("BTC-USD", "budget_exhausted")]
    stale, exhausted = reply.json["errors"]
    assert stale["message"] == "the newest quote of MSFT was fetched at 2025-11-22T14:04:29Z"
    assert exhausted["message"] == "why BTC-USD"
    assert exhausted["retry_after"] == 90


@pytest.mark.parametrize(
    "reason", [Reason.NOT_FOUND, Reason.BUDGET_EXHAUSTED, Reason.PROVIDER_UNAVAILABLE]
)
def test_a_stored_reason_is_served(cache, reason):
    """A symbol without a quote has the stored reason as its error."""
    service = Service(cache)
    service.explain("AAPL", reason)
    reply = service.get("/v1/quotes?symbols=AAPL")
    assert reply.json == {
        "market": "live",
        "quotes": [],
        "errors": [{"symbol": "AAPL", "code": reason.value, "message": "why AAPL"}],
        "aliases": {},
    }


def test_a_held_price_is_reported_as_quarantined(cache):
    """A held price is not served; with `max_age` its symbol is `quarantined`."""
    service = Service(cache)
    service.price("AAPL", age_s=10)
    service.stores.quotes.put([quote("AAPL", NOON_MS, "18250")], NOON_MS)
    assert symbols(service.get("/v1/quotes?symbols=AAPL")) == ["AAPL"]
    reply = service.get("/v1/quotes?symbols=AAPL&max_age=5")
    assert codes(reply) == [("AAPL", "quarantined")]


def test_an_active_symbol_without_a_price_is_pending(cache):
    """An active symbol without a price is `pending`, and is not noted as watched."""
    service = Service(cache)
    reply = service.get("/v1/quotes?symbols=AAPL")
    assert reply.json["errors"] == [
        {"symbol": "AAPL", "code": "pending", "message": "AAPL has no price yet", "retry_after": 5}
    ]
    assert service.watched() == set()


def test_an_untracked_symbol_is_watched_from_now_on(cache):
    """A requested symbol that is not active is watched, with or without a quote."""
    service = Service(cache)
    service.price("TSLA")
    reply = service.get("/v1/quotes?symbols=NOPE123,TSLA,AAPL")
    assert codes(reply) == [("NOPE123", "pending"), ("AAPL", "pending")]
    assert service.watched() == {"NOPE123", "TSLA"}


def test_watching_goes_on_as_long_as_requests_do(cache):
    """A symbol stays watched as long as it is requested once a minute."""
    service = Service(cache)
    service.price("TSLA")
    for _ in range(20):
        service.now_ms += 60_000
        assert symbols(service.get("/v1/quotes?symbols=TSLA")) == ["TSLA"]
    assert service.watched() == {"TSLA"}


def test_a_request_for_active_symbols_costs_one_round_trip(cache):
    """A request for active or lately noted symbols costs one round trip."""
    service = Service(cache)
    service.price("AAPL", "MSFT", "TSLA")
    service.get("/v1/quotes?symbols=TSLA")
    before = cache.round_trips
    service.get("/v1/quotes?symbols=AAPL,MSFT,TSLA")
    assert cache.round_trips == before + 1


def test_a_request_with_missing_symbols_costs_two(cache):
    """A request with missing symbols costs two round trips: the quotes, then reasons and note."""
    service = Service(cache)
    service.price("AAPL")
    service.get("/v1/quotes?symbols=AAPL,NOPE123,TSLA")
    before = cache.round_trips
    reply = service.get("/v1/quotes?symbols=AAPL,NOPE123,TSLA")
    assert codes(reply) == [("NOPE123", "pending"), ("TSLA", "pending")]
    assert cache.round_trips == before + 2


def test_a_request_of_a_hundred_symbols_is_answered(cache):
    """100 symbols are answered, and 101 are an error."""
    service = Service(cache)
    hundred = [f"S{number}" for number in range(100)]
    service.price(*hundred)
    assert symbols(service.get(f"/v1/quotes?symbols={','.join(hundred)}")) == hundred
    reply = service.get(f"/v1/quotes?symbols={','.join(hundred)},ONE")
    assert (reply.status, reply.json["code"]) == (400, "too_many_symbols")


@pytest.mark.parametrize(
    "query",
    [
        "",
        "symbols=",
        "symbols",
        "symbols=&symbols=",
        "symbols=" + "," * 10_240,
        "symbols=AAPL%00",
        "symbols=%F0%9F%9A%80",
        "symbols=%ff%fe",
        "symbols=%27%20OR%201=1--",
        "symbols=..%2f..%2fetc%2fpasswd",
        "symbols=AAPL&max_age=",
        "symbols=AAPL&max_age=-1",
        "symbols=AAPL&max_age=1.5",
        "symbols=AAPL&max_age=1e3",
        "symbols=AAPL&max_age=604801",
        "symbols=AAPL&max_age=99999999999999999999",
        "symbols=AAPL&max_age=%D9%A3",
        "symbols=AAPL&max_age=5&max_age=6",
        "symbols=AAPL&limit=1",
    ],
)
def test_nonsense_is_a_problem_and_costs_the_cache_nothing(cache, query):
    """A bad query gets 400 with a short detail, and no request goes to Redis."""
    service = Service(cache)
    reply = service.get(f"/v1/quotes?{query}")
    assert reply.status == 400
    assert reply.headers["content-type"] == "application/problem+json"
    assert reply.json["status"] == 400
    assert len(reply.json["detail"]) < 400
    assert cache.round_trips == 0


def test_an_unknown_parameter_is_an_error_with_the_nearest_known_one(cache):
    """An unknown parameter is an error that names the nearest known one, or all."""
    service = Service(cache)
    reply = service.get("/v1/quotes?symbol=AAPL")
    assert reply.json["code"] == "unknown_parameter"
    assert reply.json["detail"] == "The parameter 'symbol' is unknown; did you mean symbols?"
    reply = service.get("/v1/quotes?symbols=AAPL&maxage=5")
    assert reply.json["detail"].endswith("did you mean max_age?")
    reply = service.get("/v1/quotes?symbols=AAPL&callback=x")
    assert reply.json["detail"].endswith("known: symbols, max_age, currency.")


def test_a_price_of_years_ago_is_stale_and_fails_every_max_age(cache):
    """A price from years ago is stale and fails each `max_age`, even if it was just fetched."""
    service = Service(cache)
    made = datetime(2022, 10, 28, 20, tzinfo=UTC)
    service.stores.quotes.put([replace(quote("TWTR", NOON_MS, "53.7"), timestamp=made)], NOON_MS)
    (found,) = service.get("/v1/quotes?symbols=TWTR").json["quotes"]
    assert (found["price"], found["stale"]) == (53.7, True)
    (error,) = service.get("/v1/quotes?symbols=TWTR&max_age=604800").json["errors"]
    assert error["code"] == "stale"
    assert error["message"].endswith("and its price is of 2022-10-28T20:00:00Z")
