"""Replacing asset lists in a real Redis: each list is stored whole or not at all."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor

import pytest

from marketdata.cache.asset_store import AssetStore
from marketdata.cache.list_writer import ListWriter
from marketdata.domain.shipped_tables import COINS
from marketdata.errors import CacheUnavailableError
from tests.support.sample_lists import COMPANIES, CRYPTO, STOCKS, coins, large, listed, symbols


@pytest.fixture
def store(cache):
    """A store on an empty Redis, plain or in cluster mode."""
    return AssetStore(cache, sleep=lambda _s: None)


def test_a_replaced_list_stays_for_its_readers(store, shared_redis):
    """The replaced version can be paged for an hour, and the new version is kept for a week."""
    store.swap(listed("v1"))
    store.swap(listed("v2", COMPANIES[:1], minutes=1))
    assert store.meta(STOCKS).version == "v2"
    assert symbols(store.page(STOCKS, "v1", 1, 2)) == ["BRK.B", "OR.PA"]
    assert store.search(STOCKS, "v1", "oreal", 0, 9).total == 1
    with shared_redis.client() as client:
        lives = {key.decode().split("}:")[1]: client.ttl(key) for key in client.keys("*")}
    assert all(3540 <= lives.pop(f"v1:{part}") <= 3600 for part in ("rows", "index"))
    assert lives.keys() == {"meta", "names", "v2:rows", "v2:index"}
    assert all(604_700 <= life <= 604_800 for life in lives.values())


def test_every_key_of_a_list_has_a_ttl(store, shared_redis):
    """Every key of a stored list, and of an unfinished one, has a TTL."""
    store.swap(coins("v1", BTC={"coingecko": "bitcoin"}))
    store._writer.stage(coins("v2", ETH={"coingecko": "ethereum"}), [("ETH", "{}")])
    with shared_redis.client() as client:
        keys = client.keys("*")
        assert len(keys) == 5 + 4
        assert all(client.ttl(key) > 0 for key in keys)


def test_the_current_version_again_changes_nothing(store):
    """Storing the current version a second time succeeds and changes nothing."""
    store.swap(listed("v1"))
    assert store.swap(listed("v1", COMPANIES[:1]))
    assert store.meta(STOCKS).total == 3


def test_an_older_list_never_replaces_a_newer_one(store):
    """A late commit of an older list changes nothing."""
    store.swap(listed("v2", minutes=2))
    assert not store.swap(listed("v1", minutes=1))
    assert store.meta(STOCKS).version == "v2"


def test_an_empty_list_is_not_swapped_in(store):
    """An empty list is refused with an error."""
    with pytest.raises(ValueError, match="empty"):
        store.swap(listed("v1", []))


@pytest.mark.parametrize("part", ["rows", "index", "ids", "names"])
def test_a_list_that_is_not_whole_is_never_seen(store, shared_redis, monkeypatch, part):
    """If a part of a new list is lost before the swap, the swap fails and the old list stays."""
    store.swap(coins("v1", BTC={"coingecko": "bitcoin"}))
    stage = ListWriter.stage

    def lossy(self, new, ids):
        stage(self, new, ids)
        with shared_redis.client() as client:
            assert client.delete(f"mda:{{assets:crypto}}:staged:v2:{part}") == 1

    monkeypatch.setattr(ListWriter, "stage", lossy)
    with pytest.raises(CacheUnavailableError, match="v2 was not swapped in: partial"):
        store.swap(coins("v2", minutes=1, ETH={"coingecko": "ethereum"}))
    assert store.meta(CRYPTO).version == "v1"
    assert symbols(store.page(CRYPTO, "v1", 0, 9)) == ["BTC-USD"]


def test_a_writer_that_dies_leaves_the_current_list(store):
    """A list that was staged but not swapped in is invisible, and the next swap succeeds."""
    store.swap(coins("v1", BTC={"coingecko": "bitcoin"}))
    half = coins("v2", minutes=1, ETH={"coingecko": "other"}, XRP={"coingecko": "x"})
    store._writer.stage(half, [("ETH", '{"coingecko": "other"}')])
    assert store.meta(CRYPTO).version == "v1"
    assert store.page(CRYPTO, "v2", 0, 9) == []
    assert store.ids(["ETH"]) == {"ETH": COINS["ETH"]}
    assert store.swap(half)
    assert symbols(store.page(CRYPTO, "v2", 0, 9)) == ["ETH-USD", "XRP-USD"]


def test_a_list_stored_meanwhile_is_retired_too(store, cache, shared_redis, monkeypatch):
    """A swap that finds another list stored meanwhile starts again, and retires that list."""
    store.swap(listed("v1"))
    stage = ListWriter.stage
    between = [listed("v2", minutes=1)]

    def overtaken(self, new, ids):
        stage(self, new, ids)
        if between:
            assert AssetStore(cache, sleep=lambda _s: None).swap(between.pop())

    monkeypatch.setattr(ListWriter, "stage", overtaken)
    assert store.swap(listed("v3", minutes=2))
    assert store.meta(STOCKS).version == "v3"
    with shared_redis.client() as client:
        assert 0 < client.ttl("mda:{assets:stocks}:v2:rows") <= 3600


def test_racing_swaps_leave_the_newest_list_whole(cache):
    """When 8 workers store 8 lists at once, some of them equal, the newest list is left whole."""
    lists = [large(f"v{n // 2}", f"list{n // 2}", n // 2, total=1500) for n in range(8)]

    def swap(new):
        try:
            return AssetStore(cache, sleep=lambda _s: None).swap(new)
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


def test_ids_are_swapped_with_the_list(store):
    """A coin that is missing in the new list has no ids of the old list."""
    store.swap(coins("v1", OLDCOIN={"coingecko": "old"}, BTC={"coingecko": "bitcoin"}))
    store.swap(coins("v2", minutes=1, NEWCOIN={"coingecko": "new"}))
    assert store.ids(["OLDCOIN", "NEWCOIN"]) == {"NEWCOIN": {"coingecko": "new"}}


def test_a_long_list_is_swapped_while_others_page(store, cache):
    """Readers that page through 10,000 rows during swaps never get rows of two versions."""
    store.swap(large("v0", "list0", total=10_000))
    swapped = []

    def read(seed):
        reader, chance, lists = AssetStore(cache), random.Random(seed), 0
        while len(swapped) < 2 or lists < 2:
            meta, whole = reader.meta(STOCKS), []
            while len(whole) < meta.total:
                rows = reader.page(STOCKS, meta.version, len(whole), chance.randrange(200, 400))
                assert rows
                whole += rows
            name = f"list{meta.version[1:]} number".encode()
            assert len(whole) == 10_000
            assert all(name in row for row in whole)
            lists += 1
        return lists

    with ThreadPoolExecutor(2) as pool:
        reading = [pool.submit(read, seed) for seed in range(2)]
        for number in (1, 2):
            assert store.swap(large(f"v{number}", f"list{number}", number, total=10_000))
            swapped.append(number)
        assert all(future.result() >= 2 for future in reading)
