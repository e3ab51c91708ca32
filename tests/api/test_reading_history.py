"""The recorded prices of symbols, read from a real Redis."""

from __future__ import annotations

import json

import pytest

from marketdata.api.readers.history import HistoryReader
from marketdata.api.readers.quotes import QuoteReader
from marketdata.api.readers.symbol_lists import requested
from marketdata.cache.history_store import HistoryStore
from tests.support.api_service import NOON_MS, Service


@pytest.fixture
def service(cache):
    """A service over an empty Redis."""
    return Service(cache)


def read(service, symbols, name):
    """Return the parsed body of an answer."""
    quotes = QuoteReader(service.settings, service.stores.quotes, service.stores.control)
    reader = HistoryReader(HistoryStore(service.stores.cache), quotes)
    reading = reader.read(requested(symbols), name, service.now_ms)
    return json.loads(reading.body("simulated", name))


def test_a_history_has_a_point_for_each_minute(service):
    """A history has points of epoch seconds and exact price, oldest first, and their interval."""
    for minute, price in enumerate(["180", "181.5", "182.000001"]):
        service.now_ms = NOON_MS + minute * 60_000
        service.price("AAPL", price=price)
    body = read(service, "AAPL", "1h")
    noon_s = NOON_MS // 1000
    assert body == {
        "market": "simulated",
        "range": "1h",
        "history": [
            {
                "symbol": "AAPL",
                "currency": "USD",
                "interval_s": 60,
                "points": [[noon_s, 180], [noon_s + 60, 181.5], [noon_s + 120, 182.000001]],
            }
        ],
        "errors": [],
        "aliases": {},
    }
    (hours,) = read(service, "AAPL", "30d")["history"]
    assert (hours["interval_s"], len(hours["points"])) == (3600, 1)


def test_a_symbol_without_history_is_an_error_and_is_watched(service):
    """Each distinct symbol comes once, in request order, in one of the two lists."""
    service.price("MSFT", "AAPL")
    body = read(service, "NOPE,msft,A*B,AAPL", "24h")
    assert [one["symbol"] for one in body["history"]] == ["MSFT", "AAPL"]
    errors = [(error["symbol"], error["code"]) for error in body["errors"]]
    assert errors == [("NOPE", "pending"), ("A*B", "invalid_symbol")]
    assert service.watched() == {"NOPE"}
