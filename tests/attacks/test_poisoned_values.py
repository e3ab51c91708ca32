"""Each kind of key that the service writes is damaged in many ways, and the service recovers.

A value that cannot be read costs at most its own symbol, provider or list. Two ticks later all
prices are right again. A damaged ledger grants nothing for its longest short window, so the next
provider of the chain is asked meanwhile. A usual run damages one key of each kind in each way. With
TEST_EXAMPLES=10 every key is damaged in each way.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from decimal import Decimal

import pytest
from redis import Redis

from marketdata.cache import client
from marketdata.domain.assets import AssetList
from marketdata.domain.catalogue import CHAINS
from marketdata.domain.outcomes import MissingQuote, Reason
from marketdata.domain.quotes import Source
from marketdata.domain.symbols import AssetClass
from marketdata.lists.calendars import published
from tests.support.caches import emptied
from tests.support.examples import TIMES
from tests.support.pipeline import ACTIVE, GENEROUS, GENEROUS_MARKET, Pipeline, simulated
from tests.support.sample_lists import coins
from tests.support.trading_support import a_quote

CRYPTO = AssetClass.CRYPTO
TEXTS = {
    "garbage": b"\xff\xfe\x00 garbage \x80",
    "invalid JSON": b'{"price": ',
    "JSON of another kind": b"[1, [2]]",
    "NaN": b"NaN",
    "infinity": b"inf",
    "negative infinity": b"-inf",
    "empty": b"",
    "1 MB": b"9" * 1_000_000,
    "quote with NaN": b"0" * 26 + b'{"symbol":"AAPL","price":NaN,"x":1',
}
# Damages a key. Returns False if the damage does not apply to the key's type.
Spoil = Callable[[Redis, bytes], bool]


def as_text(text: bytes) -> Spoil:
    """Return a function that replaces a text with another text."""

    def spoil(client: Redis, key: bytes) -> bool:
        if client.type(key) != b"string":
            return False
        client.set(key, text)
        return True

    return spoil


def inside(text: bytes) -> Spoil:
    """Return a function that damages each field of a hash, or adds members to a sorted set."""

    def spoil(client: Redis, key: bytes) -> bool:
        kind = client.type(key)
        if kind == b"hash":
            for field in client.hkeys(key):
                client.hset(key, field, text)
            client.hset(key, text, text)
        elif kind == b"zset":
            client.zadd(key, {text: 2_000_000_000_000, text + b"\n2": 1_000})
        return kind in (b"hash", b"zset")

    return spoil


def other_type(client: Redis, key: bytes) -> bool:
    """Replace the value with a list."""
    client.delete(key)
    client.rpush(key, "a", "b")
    return True


def other_hash(client: Redis, key: bytes) -> bool:
    """Replace the value with a hash."""
    client.delete(key)
    client.hset(key, "a", "b")
    return True


def only_text(client: Redis, key: bytes) -> bool:
    """Replace a hash or a sorted set with a text."""
    if client.type(key) == b"string":
        return False
    client.delete(key)
    client.set(key, "text")
    return True


def infinite_scores(client: Redis, key: bytes) -> bool:
    """Give the members of a sorted set infinite scores."""
    if client.type(key) != b"zset":
        return False
    for number, member in enumerate(client.zrange(key, 0, -1)):
        client.zadd(key, {member: "inf" if number % 2 else "-inf"})
    return True


SPOILS: dict[str, Spoil] = {
    "a list": other_type,
    "a hash": other_hash,
    "a text": only_text,
    "infinite scores": infinite_scores,
    **{f"text: {name}": as_text(text) for name, text in TEXTS.items()},
    **{f"inside: {name}": inside(text) for name, text in TEXTS.items()},
}


@pytest.fixture
def pipe(plain_redis, monkeypatch) -> Iterator[Pipeline]:
    """A service that has written each kind of value once.

    The time limit for Redis is longer than usual, so that a busy machine does not fail the
    test.
    """
    monkeypatch.setattr(client, "ANSWER_TIMEOUT_S", 20.0)
    with emptied(plain_redis) as cache, simulated(cache, limits=GENEROUS_MARKET) as make:
        pipe = make(**GENEROUS)
        write_everything(pipe)
        yield pipe


def the_list() -> AssetList:
    """Return a list of coins."""
    return coins("v1", BTC={"coingecko": "bitcoin"}, ETH={"coingecko": "ethereum"})


def write_everything(pipe: Pipeline) -> None:
    """Let the service write each kind of value."""
    pipe.assets.swap(the_list())
    pipe.control.keep_timetable(AssetClass.STOCKS, published(AssetClass.STOCKS, pipe.clock()))
    pipe.control.claim_refresh(pipe.clock(), 1000, missing=False)
    pipe.run()
    pipe.read("TSLA,NOPE123")
    pipe.control.record((), {}, [(Source.FINNHUB, "OCDO.L")], pipe.clock())
    pipe.run_next()
    pipe.quotes.explain([MissingQuote("NOPE123", Reason.NOT_FOUND, "not known")])
    last = pipe.quotes.last(["MSFT"])["MSFT"]
    now_ms = pipe.clock()
    jump = a_quote("MSFT", now_ms, now_ms, price=str(Decimal(last.price) * 3))
    assert [verdict.reason for verdict in pipe.quotes.put([jump], pipe.clock())] == ["jump"]
    pipe.control.watch(["NOCOIN-USD"], pipe.clock())
    wrong_clock = f"5000 {pipe.clock()}"
    pipe.cache.command("HSET", pipe.cache.key("control", "clocks"), "another", wrong_clock)


def kinds_of_keys(client: Redis) -> list[bytes]:
    """Return the keys, without those of the active symbols other than AAPL and MSFT."""
    names = sorted(client.keys("*"))
    others = tuple(f":{s}".encode() for s in ACTIVE.split(",") if s not in ("AAPL", "MSFT"))
    return [name for name in names if not name.endswith(others)]


def kind_of(key: bytes) -> str:
    """Return what a key is for, such as `budget`."""
    return key.decode().split("}:")[1].split(":")[0]


def one_of_each_kind(keys: list[bytes], turn: int) -> list[bytes]:
    """Return one key of each kind. With the next turn it is the next key of the kind."""
    kinds: dict[str, list[bytes]] = {}
    for key in keys:
        kinds.setdefault(kind_of(key), []).append(key)
    return [alike[turn % len(alike)] for alike in kinds.values()]


def well(pipe: Pipeline) -> None:
    """Assert that readers get valid JSON with true prices and a whole list."""
    assert set(pipe.sources().values()) <= {
        source.value for chain in CHAINS.values() for source in chain
    }
    assert pipe.status.providers(pipe.clock()).model_dump_json()
    assert "does not answer" not in json.dumps(pipe.health(), allow_nan=False)
    assert set(pipe.read("TSLA,NOPE123,MSFT")) == {"TSLA", "NOPE123", "MSFT"}
    assert pipe.read("TSLA")["TSLA"].get("price")
    rows = pipe.assets.page(CRYPTO, "v1", 0, 10)
    json.loads(b"[" + b",".join(rows) + b"]")
    found = pipe.assets.search(CRYPTO, "v1", "btc", 0, 9)
    assert found is None or len(found.rows) <= found.total
    assert pipe.assets.ids(["BTC"])["BTC"]["coingecko"] == "bitcoin"
    if pipe.assets.is_lost(CRYPTO):
        pipe.assets.swap(the_list())
    assert len(pipe.assets.page(CRYPTO, "v1", 0, 10)) == 2


@pytest.mark.parametrize("name", SPOILS)
def test_the_service_recovers_from_a_damaged_value_within_two_ticks(pipe, plain_redis, name):
    """Two ticks after any damage every symbol has a true price and every answer is valid."""
    with plain_redis.client() as redis:
        keys = kinds_of_keys(redis)
        kinds = set(map(kind_of, keys))
        assert kinds >= {"slot", "due", "watched", "excluded", "timetables", "clocks", "recorded"}
        assert kinds >= {"refreshed", "breaker", "budget", "q", "held", "why", "minutes", "hours"}
        assert kinds >= {"meta", "v1", "ids", "names", "unlisted"}
        spoilt = 0
        some = keys if TIMES > 1 else one_of_each_kind(keys, list(SPOILS).index(name))
        for key in some:
            if not SPOILS[name](redis, key):
                continue
            spoilt += 1
            try:
                pipe.sources("AAPL,MSFT,TSLA,NOPE123")
                pipe.read("AAPL,MSFT,TSLA,NOPE123")
                pipe.run_next()
                pipe.run_next()
                well(pipe)
            except BaseException as error:
                error.add_note(f"poisoned: {key!r} with {name}")
                raise
            pipe.clock.pass_s(61)
            pipe.run()
        assert spoilt
