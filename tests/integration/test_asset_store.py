"""Asset lists in a real Redis: swapped whole, paged by version, searched in a moment."""

from __future__ import annotations

import json
import random
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from marketdata.archive import AssetList
from marketdata.assets import Asset
from marketdata.cache.assets import AssetStore
from marketdata.errors import CacheUnavailableError
from marketdata.quotes import Source
from marketdata.symbols import AssetClass
from marketdata.tables import COINS

STOCKS, CRYPTO, FOREX = AssetClass.STOCKS, AssetClass.CRYPTO, AssetClass.FOREX
START = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
COMPANIES = (("AAPL", "Apple Inc."), ("BRK.B", "Berkshire Hathaway"), ("OR.PA", "L'Oréal"))


def listed(version, rows=COMPANIES, asset_class=STOCKS, minutes=0):
    """A list of (symbol, name) rows, fetched some minutes after the start."""
    return AssetList(
        asset_class=asset_class,
        version=version,
        updated_at=START + timedelta(minutes=minutes),
        sources=(Source.YFINANCE, Source.FINNHUB),
        assets=tuple(
            Asset(symbol, asset_class, name, None, "USD", rank, {"yfinance": symbol})
            for rank, (symbol, name) in enumerate(rows, start=1)
        ),
    )


def coins(version, minutes=0, **ids):
    """A crypto list of tickers and their ids."""
    assets = tuple(
        Asset(f"{base}-USD", CRYPTO, base, None, "USD", None, known) for base, known in ids.items()
    )
    updated_at = START + timedelta(minutes=minutes)
    return AssetList(CRYPTO, version, updated_at, (Source.COINGECKO,), assets)


def large(version, name, minutes=0, total=30_000):
    """A list of many assets whose names all tell the version."""
    rows = [(f"S{number}", f"{name} number {number}") for number in range(total)]
    return listed(version, rows, minutes=minutes)


@pytest.fixture
def store(cache):
    """A store on an empty Redis, plain and in cluster mode."""
    return AssetStore(cache)


def symbols(rows):
    """The symbols of rows as stored."""
    return [json.loads(row)["symbol"] for row in rows]


def test_before_the_first_list_there_is_nothing(store):
    """No meta, no rows, nothing found, and only the shipped ids."""
    assert store.meta(STOCKS) is None
    assert store.page(STOCKS, "v1", 0, 10) == []
    assert store.search(STOCKS, "v1", "apple", 0, 10).total == 0
    assert store.ids(["BTC", "NOSUCH"]) == {"BTC": COINS["BTC"]}
    assert store.ids([]) == {}


def test_a_list_is_swapped_in(store):
    """Meta tells version, size, time and sources; rows are the JSON that clients get, in order."""
    assert store.swap(listed("v1"))
    meta = store.meta(STOCKS)
    assert (meta.version, meta.total) == ("v1", 3)
    assert meta.updated_at_ms == START.timestamp() * 1000
    assert meta.sources == ("yfinance", "finnhub")
    rows = store.page(STOCKS, "v1", 0, 10)
    assert json.loads(rows[2]) == listed("v1").assets[2].to_json()
    assert "L'Oréal".encode() in rows[2]
    assert json.loads(b"[" + b",".join(rows) + b"]")[0]["rank"] == 1


def test_pages_join_into_the_list(store):
    """Pages are exact slices; beyond the end, and of a version that is gone, there is nothing."""
    store.swap(listed("v1"))
    assert symbols(store.page(STOCKS, "v1", 0, 2)) == ["AAPL", "BRK.B"]
    assert symbols(store.page(STOCKS, "v1", 2, 2)) == ["OR.PA"]
    assert store.page(STOCKS, "v1", 3, 2) == store.page(STOCKS, "v1", 0, 0) == []
    assert store.page(STOCKS, "v0", 0, 2) == []


def test_classes_do_not_meet(store):
    """Each class has its own list."""
    store.swap(listed("v1"))
    store.swap(listed("v1", [("EUR/USD", "Euro / US Dollar")], FOREX))
    assert store.meta(STOCKS).total == 3
    assert symbols(store.page(FOREX, "v1", 0, 9)) == ["EUR/USD"]
    assert store.meta(CRYPTO) is None


def test_a_replaced_list_stays_for_its_readers(store, shared_redis):
    """After a swap the old version can still be paged, for an hour; the new one for a week."""
    store.swap(listed("v1"))
    store.swap(listed("v2", COMPANIES[:1], minutes=1))
    assert store.meta(STOCKS).version == "v2"
    assert symbols(store.page(STOCKS, "v1", 1, 2)) == ["BRK.B", "OR.PA"]
    assert store.search(STOCKS, "v1", "oreal", 0, 9).total == 1
    with shared_redis.client() as client:
        lives = {key.decode().split("}:")[1]: client.ttl(key) for key in client.keys("*")}
    assert all(3590 <= lives.pop(f"v1:{part}") <= 3600 for part in ("rows", "index"))
    assert lives.keys() == {"meta", "v2:rows", "v2:index"}
    assert all(604_700 <= life <= 604_800 for life in lives.values())


def test_nothing_lives_forever(store, shared_redis):
    """Every key of a swapped list, and of one that was never finished, has an expiry."""
    store.swap(coins("v1", BTC={"coingecko": "bitcoin"}))
    store._stage(coins("v2", ETH={"coingecko": "ethereum"}), [("ETH", "{}")])
    with shared_redis.client() as client:
        keys = client.keys("*")
        assert len(keys) == 4 + 3
        assert all(client.ttl(key) > 0 for key in keys)


def test_the_current_version_again_changes_nothing(store):
    """A commit that is repeated is done already, and its list stays as it is."""
    store.swap(listed("v1"))
    assert store.swap(listed("v1", COMPANIES[:1]))
    assert store.meta(STOCKS).total == 3


def test_an_older_list_never_replaces_a_newer_one(store):
    """A late commit of an earlier list is refused."""
    store.swap(listed("v2", minutes=2))
    assert not store.swap(listed("v1", minutes=1))
    assert store.meta(STOCKS).version == "v2"


def test_an_empty_list_is_refused(store):
    """Nothing is never a list."""
    with pytest.raises(ValueError, match="empty"):
        store.swap(listed("v1", []))


def test_a_list_that_is_not_whole_is_never_seen(store, shared_redis, monkeypatch):
    """Where rows got lost on the way, the swap fails and the current list stays."""
    store.swap(listed("v1"))
    stage = AssetStore._stage

    def lossy(self, new, ids):
        stage(self, new, ids)
        with shared_redis.client() as client:
            client.lpop("mda:{assets:stocks}:staged:v2:rows")

    monkeypatch.setattr(AssetStore, "_stage", lossy)
    with pytest.raises(CacheUnavailableError, match="v2 was not swapped in: partial"):
        store.swap(listed("v2", minutes=1))
    assert store.meta(STOCKS).version == "v1"
    assert len(store.page(STOCKS, "v1", 0, 9)) == 3


def test_a_writer_that_dies_leaves_the_current_list(store):
    """A list that was staged and never switched is invisible, and does not spoil the next try."""
    store.swap(coins("v1", BTC={"coingecko": "bitcoin"}))
    half = coins("v2", minutes=1, ETH={"coingecko": "other"}, XRP={"coingecko": "x"})
    store._stage(half, [("ETH", '{"coingecko": "other"}')])
    assert store.meta(CRYPTO).version == "v1"
    assert store.page(CRYPTO, "v2", 0, 9) == []
    assert store.ids(["ETH"]) == {"ETH": COINS["ETH"]}
    assert store.swap(half)
    assert symbols(store.page(CRYPTO, "v2", 0, 9)) == ["ETH-USD", "XRP-USD"]


def test_a_list_that_comes_in_between_is_retired_too(store, cache, shared_redis, monkeypatch):
    """A swap that was overtaken by another begins again, and retires that one."""
    store.swap(listed("v1"))
    stage = AssetStore._stage
    between = [listed("v2", minutes=1)]

    def overtaken(self, new, ids):
        stage(self, new, ids)
        if between:
            assert AssetStore(cache).swap(between.pop())

    monkeypatch.setattr(AssetStore, "_stage", overtaken)
    assert store.swap(listed("v3", minutes=2))
    assert store.meta(STOCKS).version == "v3"
    with shared_redis.client() as client:
        assert client.ttl("mda:{assets:stocks}:v2:rows") <= 3600


def test_racing_swaps_leave_the_newest_list_whole(cache):
    """8 workers that swap 8 lists, some of them the same, leave the newest one whole."""
    lists = [large(f"v{n // 2}", f"list{n // 2}", n // 2, total=1500) for n in range(8)]

    def swap(new):
        try:
            return AssetStore(cache).swap(new)
        except CacheUnavailableError:
            return None  # lost the race for the third time; the caller tries again

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(swap, lists))
    store = AssetStore(cache)
    assert store.swap(lists[-1])
    meta = store.meta(STOCKS)
    assert (meta.version, meta.total) == ("v3", 1500)
    rows = store.page(STOCKS, "v3", 0, 2000)
    assert len(rows) == 1500
    assert all(b"list3 number" in row for row in rows)


def test_ids_come_from_the_list_and_the_table(store):
    """The list's ids count; the table completes the same coin and serves what is not listed."""
    store.swap(
        coins(
            "v1",
            BTC={"coingecko": "bitcoin"},
            ETH={"coingecko": "another-eth"},
            NEWCOIN={"coingecko": "newcoin", "coinmarketcap": "99999"},
        )
    )
    before = store._cache.round_trips
    assert store.ids(["BTC", "ETH", "NEWCOIN", "XRP", "NOSUCH"]) == {
        "BTC": COINS["BTC"],
        "ETH": {"coingecko": "another-eth"},
        "NEWCOIN": {"coingecko": "newcoin", "coinmarketcap": "99999"},
        "XRP": COINS["XRP"],
    }
    assert store._cache.round_trips == before + 1


def test_ids_are_swapped_with_the_list(store):
    """A coin that the new list lacks has no ids of the old one."""
    store.swap(coins("v1", OLDCOIN={"coingecko": "old"}, BTC={"coingecko": "bitcoin"}))
    store.swap(coins("v2", minutes=1, NEWCOIN={"coingecko": "new"}))
    assert store.ids(["OLDCOIN", "NEWCOIN"]) == {"NEWCOIN": {"coingecko": "new"}}


def test_search_is_ranked_and_paged(store):
    """The exact symbol first, then by rank; pages are slices of what was found."""
    store.swap(listed("v1", [("XAPP", "X"), ("APPL", "Fake"), ("APP", "A"), ("ZZ", "Big App")]))
    found = store.search(STOCKS, "v1", "app", 0, 2)
    assert (found.total, symbols(found.rows)) == (3, ["APP", "APPL"])
    assert symbols(store.search(STOCKS, "v1", "app", 2, 2).rows) == ["ZZ"]
    assert store.search(STOCKS, "v1", "app", 3, 2).rows == []
    assert store.search(STOCKS, "v1", "nothing", 0, 2).total == 0


def test_an_index_is_read_once(store):
    """Further searches of the same version ask for their rows alone; a new version is noticed."""
    store.swap(listed("v1"))
    store.search(STOCKS, "v1", "apple", 0, 9)
    before = store._cache.round_trips
    assert store.search(STOCKS, "v1", "oreal", 0, 9).total == 1
    assert store._cache.round_trips == before + 1
    store.swap(listed("v2", COMPANIES[:1], minutes=1))
    assert store.search(STOCKS, "v2", "oreal", 0, 9).total == 0


def test_thirty_thousand_assets_are_swapped_while_others_page(store, cache):
    """Readers that page through 30,000 rows during swaps never get rows of two versions."""
    store.swap(large("v0", "list0"))
    swapped = []

    def read(seed):
        reader, chance, lists = AssetStore(cache), random.Random(seed), 0
        while len(swapped) < 2 or lists < 2:
            meta, whole = reader.meta(STOCKS), []
            while len(whole) < meta.total:
                rows = reader.page(STOCKS, meta.version, len(whole), chance.randrange(500, 1000))
                assert rows
                whole += rows
            told = f"list{meta.version[1:]} number".encode()
            assert len(whole) == 30_000
            assert all(told in row for row in whole)
            lists += 1
        return lists

    with ThreadPoolExecutor(2) as pool:
        reading = [pool.submit(read, seed) for seed in range(2)]
        for number in (1, 2):
            assert store.swap(large(f"v{number}", f"list{number}", number))
            swapped.append(number)
        assert all(future.result() >= 2 for future in reading)


def test_thirty_thousand_assets_are_no_burden(store):
    """A swap takes seconds at most, a search and the deepest page a moment."""
    new = large("v1", "name")
    start = time.perf_counter()
    store.swap(new)
    assert time.perf_counter() - start < 10
    store.search(STOCKS, "v1", "x", 0, 1)
    spent = []
    for _ in range(5):
        start = time.perf_counter()
        assert store.search(STOCKS, "v1", "number 2999", 0, 100).total == 11
        assert len(store.page(STOCKS, "v1", 15_000, 1000)) == 1000
        spent.append(time.perf_counter() - start)
    assert sorted(spent)[2] < 0.1
