"""Quotes in a real Redis: newer only, believable only, and never touched by what failed."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from marketdata.acceptance import Result, epoch_ms
from marketdata.cache.quotes import QuoteStore, fetched_ms, fragment, timestamp_ms
from marketdata.errors import CacheUnavailableError
from marketdata.outcomes import Missing, Reason
from marketdata.quotes import ChangeBasis, Quote, Source
from marketdata.symbols import parse_symbol

START = datetime(2026, 3, 2, 15, 0, 0, 123000, tzinfo=UTC)
RETENTION_S = 7 * 86400


def at(seconds):
    """A time, in seconds after the start."""
    return START + timedelta(seconds=seconds)


def ms(seconds):
    """The same in epoch milliseconds."""
    return epoch_ms(at(seconds))


def quote(price, fetched, time="same", symbol="AAPL", source=Source.YFINANCE, currency="USD"):  # noqa: PLR0917
    """A quote fetched at a second, of the same second unless another, or None, is given."""
    time = fetched if time == "same" else time
    return Quote(
        symbol=symbol,
        asset_class=parse_symbol(symbol).asset_class,
        price=Decimal(price),
        currency=currency,
        change=Decimal("1.5"),
        percent_change=Decimal("0.83"),
        change_basis=ChangeBasis.PREVIOUS_CLOSE,
        source=source,
        timestamp=None if time is None else at(time),
        fetched_at=at(fetched),
    )


@pytest.fixture
def store(cache):
    """A store on an empty Redis, plain and in cluster mode."""
    return QuoteStore(cache, retention_s=RETENTION_S)


def put(store, *quotes, now=None):
    """The verdicts of one call, as words; `now` is the latest fetch unless told."""
    latest = max(epoch_ms(q.fetched_at) for q in quotes)
    verdicts = store.put(quotes, latest if now is None else ms(now))
    return [v.result.value + (f":{v.reason}" if v.reason else "") for v in verdicts]


def price(store, symbol="AAPL"):
    """The price that a reader sees."""
    last = store.last([symbol])
    return last[symbol].price if last else None


# What is stored, and what readers get.


def test_a_quote_is_stored_as_readers_need_it(store):
    """Two times of 13 digits and the JSON object without its closing brace, the price exact."""
    assert put(store, quote("0.00000512", 10, 8, symbol="SHIB-USD")) == ["written"]
    (value,) = store.read(["SHIB-USD"])
    assert (fetched_ms(value), timestamp_ms(value)) == (ms(10), ms(8))
    assert value[:26] == f"{ms(10)}{ms(8)}".encode()
    assert b'"price":0.00000512,' in fragment(value)
    told = json.loads(fragment(value) + b',"stale":false}')
    assert told["timestamp"] == "2026-03-02T15:00:08.123Z"
    assert told["fetched_at"] == "2026-03-02T15:00:10.123Z"
    assert told["source"] == "yfinance"


def test_a_quote_without_a_time_of_its_own_has_zeros(store):
    """Where the provider gives no time, the second header is zeros and reads as None."""
    put(store, quote("5", 10, None))
    (value,) = store.read(["AAPL"])
    assert value[13:26] == b"0" * 13
    assert timestamp_ms(value) is None
    assert store.last(["AAPL"])["AAPL"].to_step() == {"price": "5", "timestamp_ms": None}


def test_reading_keeps_the_order_and_names_gaps(store):
    """Values come in the order asked for, None for a symbol without one, in one round trip."""
    put(store, quote("1", 0, symbol="MSFT"), quote("2", 0, symbol="EUR/USD"))
    before = store._cache.round_trips
    values = store.read(["EUR/USD", "NOPE", "MSFT"])
    assert store._cache.round_trips == before + 1
    assert [v and b'"price":2' in v for v in values] == [True, None, False]
    assert store.read([]) == store.reasons([]) == []
    assert store.last([]) == {}


def test_last_tells_what_planning_needs(store):
    """Price as text, both times, and no entry for what is not stored."""
    put(store, quote("182.50", 10, 8))
    last = store.last(["AAPL", "NOPE"])
    assert list(last) == ["AAPL"]
    assert (last["AAPL"].price, last["AAPL"].timestamp_ms) == ("182.5", ms(8))
    assert last["AAPL"].fetched_ms == ms(10)


def test_quotes_live_for_the_retention(store, shared_redis):
    """A stored quote expires after the retention, and so does everything else of this store."""
    put(store, quote("100", 0))
    put(store, quote("200", 1))
    store.explain([Missing("NOPE", Reason.NOT_FOUND, "unknown")], ms(0))
    store.explain([Missing("SLOW", Reason.PROVIDER_UNAVAILABLE, "away")], ms(0))
    with shared_redis.client() as client:
        lives = {key.decode().split(":", 2)[2]: client.ttl(key) for key in client.keys("*")}
    assert RETENTION_S - 5 <= lives.pop("q:AAPL") <= RETENTION_S
    assert 3595 <= lives.pop("held:AAPL") <= 3600
    assert 895 <= lives.pop("why:NOPE") <= 900
    assert 115 <= lives.pop("why:SLOW") <= 120
    assert lives == {}


def test_a_thousand_quotes_are_one_round_trip(store):
    """A large commit is pipelined, and each quote has its verdict in order."""
    symbols = [f"S{i}" for i in range(1200)]
    before = store._cache.round_trips
    verdicts = store.put([quote("1", 0, symbol=s) for s in symbols], ms(0))
    assert store._cache.round_trips <= before + 2  # the second sends the script itself
    assert [v.symbol for v in verdicts] == symbols
    assert {v.result for v in verdicts} == {Result.WRITTEN}


# Newer only.


def test_an_older_time_never_replaces_a_newer_one(store):
    """A late report with an older provider time changes nothing, not even the fetch time."""
    put(store, quote("100", 10, 9))
    before = store.read(["AAPL"])
    assert put(store, quote("101", 20, 8)) == ["older"]
    assert store.read(["AAPL"]) == before


def test_a_source_that_lags_does_not_freshen_a_quote(store, shared_redis):
    """A second source that is 15 minutes late leaves price, fetch time and expiry alone."""
    put(store, quote("100", 1000, 999))
    with shared_redis.client() as client:
        client.expire("mda:{quotes}:q:AAPL", 1234)
        lagging = quote("100", 1010, 100, source=Source.FINNHUB)
        assert put(store, lagging) == ["older"]
        assert client.ttl("mda:{quotes}:q:AAPL") <= 1234
    assert store.last(["AAPL"])["AAPL"].fetched_ms == ms(1000)


def test_the_same_time_fetched_again_is_fresh(store):
    """The same provider time fetched later renews the fetch time; fetched earlier it does not."""
    put(store, quote("100", 10, 5))
    assert put(store, quote("100", 9, 5)) == ["older"]
    assert put(store, quote("100", 11, 5)) == ["written"]
    assert store.last(["AAPL"])["AAPL"].fetched_ms == ms(11)


@pytest.mark.parametrize(("stored", "new"), [(None, 5), (5, None), (None, None)])
def test_without_two_times_the_fetch_time_decides(store, stored, new):
    """Where either quote has no time of its own, the one that was fetched later is newer."""
    put(store, quote("100", 10, stored))
    assert put(store, quote("101", 9, new)) == ["older"]
    assert put(store, quote("101", 11, new)) == ["written"]


def test_a_report_that_is_committed_twice_changes_nothing(store):
    """The same quote again gives the same stored bytes."""
    put(store, quote("100", 10))
    before = store.read(["AAPL"])
    put(store, quote("100", 10))
    assert store.read(["AAPL"]) == before


def test_failed_and_empty_commits_touch_no_quote(store, shared_redis):
    """Reasons and empty reports neither overwrite a stored quote nor extend its life."""
    put(store, quote("100", 10))
    before = store.read(["AAPL"])
    with shared_redis.client() as client:
        client.expire("mda:{quotes}:q:AAPL", 1234)
        assert store.commit([], [], ms(20)) == ()
        store.explain([Missing("AAPL", Reason.PROVIDER_UNAVAILABLE, "away")], ms(20))
        assert put(store, quote("0", 30), quote("NaN", 30)) == [
            "rejected:not_positive", "rejected:not_finite",
        ]  # fmt: skip
        assert client.ttl("mda:{quotes}:q:AAPL") <= 1234
    assert store.read(["AAPL"]) == before


def test_a_time_in_the_future_is_rejected(store):
    """A quote of more than a minute ahead is refused, and does not block the true ones."""
    assert put(store, quote("100", 0, 61), now=0) == ["rejected:future"]
    assert put(store, quote("100", 0, 60), now=0) == ["written"]


def test_a_stored_value_that_is_none_of_ours_is_replaced(store, shared_redis):
    """Bytes of another format count as nothing stored."""
    with shared_redis.client() as client:
        client.set("mda:{quotes}:q:AAPL", b"rubbish")
    assert put(store, quote("100", 0)) == ["written"]


# Reasons.


def test_a_reason_is_told_until_a_quote_comes(store):
    """What is missing has its code, message and waiting time; the next quote takes it away."""
    missing = [
        Missing("AAPL", Reason.BUDGET_EXHAUSTED, "yfinance: budget"),
        Missing("NOPE", Reason.NOT_FOUND, "nobody lists NOPE"),
    ]
    store.explain(missing, ms(0), {"AAPL": 12.2, "NOPE": None})
    aapl, other, nope = store.reasons(["AAPL", "MSFT", "NOPE"])
    assert (aapl.code, aapl.message) == (Reason.BUDGET_EXHAUSTED, "yfinance: budget")
    assert aapl.retry_after_s == 13
    assert other is None
    assert (nope.code, nope.retry_after_s) == (Reason.NOT_FOUND, None)
    put(store, quote("100", 1))
    assert store.reasons(["AAPL"]) == [None]


def test_one_commit_writes_quotes_and_reasons(store):
    """Both in one round trip; a symbol that has a quote after all keeps no reason."""
    put(store, quote("1", 0, symbol="WARM"))
    before = store._cache.round_trips
    verdicts = store.commit(
        [quote("100", 1)],
        [Missing("NOPE", Reason.NOT_FOUND, "x"), Missing("AAPL", Reason.NOT_FOUND, "x")],
        ms(1),
    )
    assert store._cache.round_trips == before + 1
    assert [v.result for v in verdicts] == [Result.WRITTEN]
    assert [why and why.code for why in store.reasons(["NOPE", "AAPL"])] == [
        Reason.NOT_FOUND, None,
    ]  # fmt: skip


def test_a_held_price_is_the_reason(store):
    """A symbol with a held price is `quarantined`, with who says what, over any other reason."""
    put(store, quote("100", 0))
    put(store, quote("140", 5))
    store.explain([Missing("AAPL", Reason.PROVIDER_UNAVAILABLE, "away")], ms(6))
    (why,) = store.reasons(["AAPL"])
    assert why.code is Reason.QUARANTINED
    assert "yfinance says 140 USD (jump)" in why.message


def test_an_absent_redis_is_one_error(start_redis, settings_env):
    """Every method raises CacheUnavailableError when Redis is gone."""
    from marketdata.cache.client import connect
    from marketdata.settings import Settings

    server = start_redis()
    store = QuoteStore(connect(Settings.from_env(settings_env(server))), retention_s=60)
    server.kill()
    for call in (
        lambda: put(store, quote("1", 0)),
        lambda: store.read(["AAPL"]),
        lambda: store.last(["AAPL"]),
        lambda: store.reasons(["AAPL"]),
        lambda: store.explain([Missing("A", Reason.NOT_FOUND, "")], 0),
    ):
        with pytest.raises(CacheUnavailableError):
            call()
