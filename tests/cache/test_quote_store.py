"""Quotes in a real Redis: how they are stored, and the reasons of missing symbols."""

from __future__ import annotations

import json

import pytest

from marketdata.cache.client import connect
from marketdata.cache.quote_store import QuoteStore
from marketdata.cache.stored_quotes import class_name, fetched_ms, json_objects, timestamp_ms
from marketdata.domain.acceptance import Result
from marketdata.domain.outcomes import MissingQuote, Reason
from marketdata.domain.quotes import Source
from marketdata.errors import CacheUnavailableError
from marketdata.settings import Settings
from tests.support.sample_quotes import at_ms, put, quote

RETENTION_S = 7 * 86400


@pytest.fixture
def store(cache):
    """A store on an empty Redis, plain or in cluster mode."""
    return QuoteStore(cache, retention_s=RETENTION_S)


def test_a_quote_is_stored_as_readers_need_it(store):
    """A stored quote is two times of 13 digits and a JSON object without its closing brace."""
    assert put(store, quote("0.00000512", 10, time=8, symbol="SHIB-USD")) == ["written"]
    (value,) = store.read(["SHIB-USD"])
    assert (fetched_ms(value), timestamp_ms(value)) == (at_ms(10), at_ms(8))
    assert value[:26] == f"{at_ms(10)}{at_ms(8)}".encode()
    text = json_objects([value])
    assert b'"price":0.00000512,' in text
    stored = json.loads(text)
    assert stored["stale"] is False
    assert stored["timestamp"] == "2026-03-02T15:00:08.123Z"
    assert stored["fetched_at"] == "2026-03-02T15:00:10.123Z"
    assert stored["source"] == "coingecko"


def test_stale_quotes_are_marked_by_their_places(store):
    """Exactly the quotes at the given places are marked stale."""
    put(store, quote("5", 10, symbol="OLD"), quote("6", 11, symbol="NEW"))
    values = store.read(["OLD", "NEW", "OLD"])
    for stale, expected in (
        ([], [False, False, False]),
        ([0, 2], [True, False, True]),
        ([0, 1, 2], [True, True, True]),
    ):
        parsed = json.loads(b"[" + json_objects(values, stale) + b"]")
        assert [one["symbol"] for one in parsed] == ["OLD", "NEW", "OLD"]
        assert [one["stale"] for one in parsed] == expected
    assert json_objects([]) == b""


def test_the_class_of_a_stored_quote_is_read_without_parsing(store):
    """The class of a stored quote is read from its bytes; without a class it is empty."""
    put(store, quote("5", 10))
    (value,) = store.read(["AAPL"])
    assert class_name(value) == json.loads(value[26:] + b"}")["asset_class"].encode()
    assert class_name(value[:26] + b'{"price":1') == b""


def test_a_quote_without_a_time_of_its_own_has_zeros(store):
    """If the provider gives no time, the second time is stored as zeros and read as None."""
    put(store, quote("5", 10, time=None))
    (value,) = store.read(["AAPL"])
    assert value[13:26] == b"0" * 13
    assert timestamp_ms(value) is None
    last = store.last(["AAPL"])["AAPL"]
    assert (last.price, last.timestamp_ms) == ("5", None)


def test_reading_keeps_the_order_and_names_gaps(store):
    """Values are read in the requested order in one round trip, with None for a missing quote."""
    put(store, quote("1", 0, symbol="MSFT"), quote("2", 0, symbol="EUR/USD"))
    before = store._cache.round_trips
    values = store.read(["EUR/USD", "NOPE", "MSFT"])
    assert store._cache.round_trips == before + 1
    assert [v and b'"price":2' in v for v in values] == [True, None, False]
    assert store.read([]) == store.reasons([]) == []
    assert store.last([]) == {}


def test_last_returns_price_and_times(store):
    """`last` returns price and both times of stored symbols, and no entry for the others."""
    put(store, quote("182.50", 10, time=8))
    last = store.last(["AAPL", "NOPE"])
    assert list(last) == ["AAPL"]
    assert (last["AAPL"].price, last["AAPL"].timestamp_ms) == ("182.5", at_ms(8))
    assert last["AAPL"].fetched_ms == at_ms(10)


def test_quotes_live_for_the_retention(store, shared_redis):
    """Each key of the quote store has its own TTL."""
    put(store, quote("100", 0))
    put(store, quote("200", 1))
    store.explain([MissingQuote("NOPE", Reason.NOT_FOUND, "unknown")])
    store.explain([MissingQuote("SLOW", Reason.PROVIDER_UNAVAILABLE, "away")])
    with shared_redis.client() as client:
        lives = {key.decode().split(":", 2)[2]: client.ttl(key) for key in client.keys("*")}
    expected = {
        **dict.fromkeys(("q:AAPL", "minutes:AAPL", "hours:AAPL"), RETENTION_S),
        "held:AAPL": 3600,
        "why:NOPE": 900,
        "why:SLOW": 600,
    }
    assert lives.keys() == expected.keys()
    for name, life in lives.items():
        # A busy machine may need seconds between the writing and the reading of a TTL.
        assert expected[name] - 60 <= life <= expected[name], name


def test_a_thousand_quotes_are_one_round_trip(store):
    """1,200 quotes are committed in one round trip, with one verdict each, in order."""
    symbols = [f"S{i}" for i in range(1200)]
    before = store._cache.round_trips
    verdicts = store.put([quote("1", 0, symbol=s) for s in symbols], at_ms(0))
    assert store._cache.round_trips <= before + 2  # the second sends the script itself
    assert [v.symbol for v in verdicts] == symbols
    assert {v.result for v in verdicts} == {Result.WRITTEN}


def test_a_reason_is_kept_until_a_quote_arrives(store):
    """A missing symbol has code, message and waiting time until its next quote."""
    missing = [
        MissingQuote("AAPL", Reason.BUDGET_EXHAUSTED, "yfinance: budget", 13),
        MissingQuote("NOPE", Reason.NOT_FOUND, "nobody lists NOPE"),
    ]
    store.explain(missing)
    aapl, other, nope = store.reasons(["AAPL", "MSFT", "NOPE"])
    assert (aapl.code, aapl.message) == (Reason.BUDGET_EXHAUSTED, "yfinance: budget")
    assert aapl.retry_after_s == 13
    assert other is None
    assert (nope.code, nope.retry_after_s) == (Reason.NOT_FOUND, None)
    put(store, quote("100", 1))
    assert store.reasons(["AAPL"]) == [None]


def test_the_reason_of_an_attempt_replaces_not_asked(store):
    """`explain` does not replace a stored reason, and `commit` does."""
    asked = MissingQuote("AAPL", Reason.PROVIDER_UNAVAILABLE, "yfinance: no answer")
    store.commit([], [asked], at_ms(0))
    store.explain([MissingQuote("AAPL", Reason.BUDGET_EXHAUSTED, "yfinance: budget")])
    assert [why.code for why in store.reasons(["AAPL"])] == [Reason.PROVIDER_UNAVAILABLE]
    store.commit([], [MissingQuote("AAPL", Reason.NOT_FOUND, "unknown")], at_ms(5))
    assert [why.code for why in store.reasons(["AAPL"])] == [Reason.NOT_FOUND]


def test_one_commit_writes_quotes_and_reasons(store):
    """One round trip writes quotes and reasons, and a symbol with a quote gets no reason."""
    put(store, quote("1", 0, symbol="WARM"))
    before = store._cache.round_trips
    verdicts = store.commit(
        [quote("100", 1)],
        [MissingQuote("NOPE", Reason.NOT_FOUND, "x"), MissingQuote("AAPL", Reason.NOT_FOUND, "x")],
        at_ms(1),
    )
    assert store._cache.round_trips == before + 1
    assert [v.result for v in verdicts] == [Result.WRITTEN]
    assert [why and why.code for why in store.reasons(["NOPE", "AAPL"])] == [
        Reason.NOT_FOUND, None,
    ]  # fmt: skip


def test_a_held_price_is_the_reason(store):
    """A symbol with a held price is `quarantined`, also if another reason is stored."""
    put(store, quote("100", 0))
    put(store, quote("140", 5))
    store.explain([MissingQuote("AAPL", Reason.PROVIDER_UNAVAILABLE, "away")])
    (why,) = store.reasons(["AAPL"])
    assert why.code is Reason.QUARANTINED
    assert "yfinance says 140 USD, the stored price is 100 (jump)" in why.message


def test_an_absent_redis_is_one_error(start_redis, settings_env):
    """Every method raises CacheUnavailableError if Redis is away."""
    server = start_redis()
    store = QuoteStore(connect(Settings.from_env(settings_env(server))), retention_s=60)
    server.kill()
    for call in (
        lambda: put(store, quote("1", 0)),
        lambda: store.read(["AAPL"]),
        lambda: store.last(["AAPL"]),
        lambda: store.reasons(["AAPL"]),
        lambda: store.explain([MissingQuote("A", Reason.NOT_FOUND, "")]),
    ):
        with pytest.raises(CacheUnavailableError):
            call()


HOT = "HOT-USD"


def test_a_price_of_the_old_coin_is_not_written(store):
    """If a ticker now means another coin, prices of the old coin are not written."""
    before, now = {HOT: {"coingecko": "holotoken"}}, {HOT: {"coingecko": "hotcoin"}}
    store.name_coin("HOT", {"coingecko": "hotcoin"})
    store.forget([HOT])
    (verdict,) = store.commit([quote("0.0018", 0, symbol=HOT)], (), at_ms(1), before)
    assert (verdict.result, verdict.reason) == (Result.OLDER, "other_coin")
    assert store.read([HOT]) == [None]
    other = quote("0.0018", 0, Source.COINMARKETCAP, symbol=HOT)
    (verdict,) = store.commit([other], (), at_ms(1), {HOT: {"coinmarketcap": "2682"}})
    assert verdict.reason == "other_coin"
    (verdict,) = store.commit([quote("2.5", 1, symbol=HOT)], (), at_ms(1), now)
    assert verdict.result is Result.WRITTEN
    assert store.last([HOT])[HOT].price == "2.5"


def test_a_note_of_a_coin_concerns_its_ticker_only(store):
    """The coin noted for one ticker, or a damaged note, does not stop quotes of other symbols."""
    store.name_coin("HOT", {"coingecko": "hotcoin"})
    store._cache.command("SET", store._cache.key("quotes", "coin", "ETH"), "no JSON")
    store._cache.command("RPUSH", store._cache.key("quotes", "coin", "BTC"), "a list")
    symbols = ["ETH-USD", "BTC-USD", "AAPL"]
    ids = {"ETH-USD": {"coingecko": "ethereum"}, "BTC-USD": {"coingecko": "bitcoin"}}
    verdicts = store.commit([quote("9", 0, symbol=s) for s in symbols], (), at_ms(1), ids)
    assert [verdict.result for verdict in verdicts] == [Result.WRITTEN] * 3
