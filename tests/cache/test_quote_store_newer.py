"""Quotes in a real Redis: only a newer quote replaces a stored one."""

from __future__ import annotations

from datetime import timedelta

import pytest

from marketdata.cache.quote_store import QuoteStore
from marketdata.clock import utc_text
from marketdata.domain.outcomes import MissingQuote, Reason
from marketdata.domain.quotes import Source
from tests.support.sample_quotes import START, at_ms, put, quote


@pytest.fixture
def store(cache):
    """A store on an empty Redis, plain or in cluster mode."""
    return QuoteStore(cache, retention_s=7 * 86400)


def test_an_older_time_never_replaces_a_newer_one(store):
    """A late report with an older provider time changes nothing, not even the fetch time."""
    put(store, quote("100", 10, time=9))
    before = store.read(["AAPL"])
    assert put(store, quote("101", 20, time=8)) == ["older"]
    assert store.read(["AAPL"]) == before


def test_a_late_source_does_not_renew_a_quote(store, shared_redis):
    """A second source that is 15 minutes late changes neither price, fetch time nor expiry."""
    put(store, quote("100", 1000, time=999))
    with shared_redis.client() as client:
        client.expire("mda:{quotes}:q:AAPL", 1234)
        lagging = quote("100", 1010, Source.FINNHUB, time=100)
        assert put(store, lagging) == ["older"]
        assert 0 < client.ttl("mda:{quotes}:q:AAPL") <= 1234
    assert store.last(["AAPL"])["AAPL"].fetched_ms == at_ms(1000)


def test_the_same_time_fetched_again_is_fresh(store):
    """A later fetch of the same provider time renews the fetch time; an earlier one does not."""
    put(store, quote("100", 10, time=5))
    assert put(store, quote("100", 9, time=5)) == ["older"]
    assert put(store, quote("100", 11, time=5)) == ["written"]
    assert store.last(["AAPL"])["AAPL"].fetched_ms == at_ms(11)


def test_the_same_price_with_a_slightly_older_time_confirms(store):
    """The same price with a time two seconds older keeps the quote fresh."""
    put(store, quote("100", 10, time=9))
    for fetched in (15, 20, 25):
        assert put(store, quote("100.00", fetched, time=7)) == ["written"]
        last = store.last(["AAPL"])["AAPL"]
        assert (last.fetched_ms, last.timestamp_ms) == (at_ms(fetched), at_ms(9))
    assert b'"timestamp":"2026-03-02T15:00:09.123Z"' in store.read(["AAPL"])[0]
    assert store.read(["AAPL"])[0].endswith(b'"fetched_at":"2026-03-02T15:00:25.123Z"')


@pytest.mark.parametrize(
    "other", [{"time": 7, "price": "100.01"}, {"time": -300}, {"time": 7, "currency": "GBP"}]
)
def test_another_price_or_time_confirms_nothing(store, other):
    """Another price or currency, or a time that is minutes older, changes nothing."""
    put(store, quote("100", 10, time=9))
    before = store.read(["AAPL"])
    late = {"price": "100", **other}
    assert put(store, quote(late.pop("price"), 20, **late)) == ["older"]
    assert store.read(["AAPL"]) == before


def test_a_stored_time_in_the_future_blocks_no_quote(store):
    """A stored quote whose time is an hour ahead is replaced by the next quote."""
    put(store, quote("100", 3600, time=3599))
    assert put(store, quote("101", 5, time=4), now=5) == ["written"]


@pytest.mark.parametrize(
    ("now", "fetched", "stored_at"),
    [(0, 2, 2), (0, 3, 0), (0, 3600, 0), (0.877, 3600, 0.877)],  # the last one is a whole second
)
def test_a_fetch_in_the_future_is_stored_as_one_of_now(store, now, fetched, stored_at):
    """A fetch time more than two seconds ahead is replaced by the present time."""
    put(store, quote("100", fetched, time=0), now=now)
    assert store.last(["AAPL"])["AAPL"].fetched_ms == at_ms(stored_at)
    shown = utc_text(START + timedelta(seconds=stored_at))
    assert f'"fetched_at":"{shown}"'.encode() in store.read(["AAPL"])[0]


@pytest.mark.parametrize(("stored", "new"), [(None, 5), (5, None), (None, None)])
def test_without_two_times_the_fetch_time_decides(store, stored, new):
    """If one of two quotes has no time, the one that was fetched later is newer."""
    put(store, quote("100", 10, time=stored))
    assert put(store, quote("101", 9, time=new)) == ["older"]
    assert put(store, quote("101", 11, time=new)) == ["written"]


def test_a_report_that_is_committed_twice_changes_nothing(store):
    """Committing the same quote twice leaves the same stored bytes."""
    put(store, quote("100", 10))
    before = store.read(["AAPL"])
    put(store, quote("100", 10))
    assert store.read(["AAPL"]) == before


def test_failed_and_empty_commits_touch_no_quote(store, shared_redis):
    """Reasons, empty reports and rejected quotes neither change a stored quote nor its TTL."""
    put(store, quote("100", 10))
    before = store.read(["AAPL"])
    with shared_redis.client() as client:
        client.expire("mda:{quotes}:q:AAPL", 1234)
        assert store.commit([], [], at_ms(20)) == ()
        store.explain([MissingQuote("AAPL", Reason.PROVIDER_UNAVAILABLE, "away")])
        assert put(store, quote("0", 30), quote("NaN", 30)) == [
            "rejected:not_positive", "rejected:not_finite",
        ]  # fmt: skip
        assert 0 < client.ttl("mda:{quotes}:q:AAPL") <= 1234
    assert store.read(["AAPL"]) == before


def test_a_time_in_the_future_is_rejected(store):
    """A quote with a time more than a minute ahead is rejected."""
    assert put(store, quote("100", 0, time=61), now=0) == ["rejected:future"]
    assert put(store, quote("100", 0, time=60), now=0) == ["written"]


def test_a_stored_value_that_is_none_of_ours_is_replaced(store, shared_redis):
    """A stored value in an unknown format is replaced by the next quote."""
    with shared_redis.client() as client:
        client.set("mda:{quotes}:q:AAPL", b"rubbish")
    assert put(store, quote("100", 0)) == ["written"]
