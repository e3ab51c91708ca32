"""Which quotes are stale: by the time they were fetched, and by the time their price was made."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from marketdata.api.readers.freshness import AHEAD_MS, freshness
from marketdata.cache.stored_quotes import stored, times_of
from marketdata.clock import HOUR_MS
from tests.support.api_service import NOON_MS, quote

TTL_MS = 300_000


def value(symbol, *, age_ms=0, made_ago_ms=None):
    """Return a stored quote by its age at noon: of its fetch, and of its price if known."""
    found = quote(symbol, NOON_MS - age_ms)
    at = None
    if made_ago_ms is not None:
        at = datetime.fromtimestamp((NOON_MS - made_ago_ms) / 1000, UTC)
    found = replace(found, timestamp=at)
    return stored(found, *times_of(found)).encode()


@pytest.mark.parametrize(
    ("symbol", "hours"),
    [("BTC-USD", 24), ("EUR/USD", 4 * 24), ("TWTR", 14 * 24), ("^GSPC", 14 * 24)],
)
def test_a_price_that_is_older_than_its_market_explains_is_stale(symbol, hours):
    """A price beyond its class's age limit is stale, and too old for every `max_age`."""
    limits = freshness(NOON_MS, TTL_MS, 604_800)
    explained = value(symbol, made_ago_ms=hours * HOUR_MS)
    older = value(symbol, made_ago_ms=hours * HOUR_MS + 1000)
    assert limits.stale_places([explained, older, explained]) == [1]
    assert [limits.is_wanted(explained), limits.is_wanted(older)] == [True, False]
    assert [limits.is_stale(explained), limits.is_stale(older)] == [False, True]


def test_a_quote_is_stale_by_the_time_it_was_fetched():
    """A quote is stale if it was fetched before the limit or in the future."""
    limits = freshness(NOON_MS, TTL_MS)
    values = [
        value("AAPL", age_ms=TTL_MS),
        value("MSFT", age_ms=TTL_MS + 1),
        value("TSLA", age_ms=-AHEAD_MS),
    ]
    assert limits.stale_places(values) == [1, 2]
    assert all(map(limits.is_wanted, values))


def test_a_quote_without_a_time_of_its_own_is_judged_by_its_fetch_alone():
    """If the provider gave no time, only the time of the fetch makes a quote stale."""
    assert freshness(NOON_MS, TTL_MS).stale_places([value("AAPL")]) == []


def test_max_age_is_measured_by_the_time_of_the_fetch():
    """A quote exactly `max_age` old is accepted; older and future ones are not."""
    limits = freshness(NOON_MS, TTL_MS, 30)
    ages = (30_000, 30_001, -AHEAD_MS)
    wanted = [limits.is_wanted(value("AAPL", age_ms=age, made_ago_ms=0)) for age in ages]
    assert wanted == [True, False, False]


def test_a_value_without_an_asset_class_does_not_stop_the_others():
    """A stored value without its asset class is not stale, and others are judged as usual."""
    broken = value("AAPL", made_ago_ms=400 * 24 * HOUR_MS).replace(b"asset_class", b"asset_clasp")
    old = value("TWTR", made_ago_ms=400 * 24 * HOUR_MS)
    assert freshness(NOON_MS, TTL_MS).stale_places([broken, old]) == [1]
