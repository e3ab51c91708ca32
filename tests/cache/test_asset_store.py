"""Asset lists in a real Redis: their rows, pages, provider ids and search."""

from __future__ import annotations

import json

import pytest

from marketdata.cache.asset_store import AssetStore
from marketdata.domain.shipped_tables import COINS
from tests.support.sample_lists import (
    COMPANIES,
    CRYPTO,
    FOREX,
    START,
    STOCKS,
    coins,
    large,
    listed,
    symbols,
)


@pytest.fixture
def store(cache):
    """A store on an empty Redis, plain or in cluster mode."""
    return AssetStore(cache, sleep=lambda _s: None)


def test_before_the_first_list_there_is_nothing(store):
    """Before the first list only the shipped ids exist: no meta, no rows and no search result."""
    assert store.meta(STOCKS) is None
    assert store.page(STOCKS, "v1", 0, 10) == []
    assert store.search(STOCKS, "v1", "apple", 0, 10) is None
    assert store.ids(["BTC", "NOSUCH"]) == {"BTC": COINS["BTC"]}
    assert store.ids([]) == {}


def test_a_list_is_swapped_in(store):
    """A stored list has version, size, time and sources, and its rows are the JSON of the API."""
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
    """Pages are exact slices; a page beyond the end or of a deleted version is empty."""
    store.swap(listed("v1"))
    assert symbols(store.page(STOCKS, "v1", 0, 2)) == ["AAPL", "BRK.B"]
    assert symbols(store.page(STOCKS, "v1", 2, 2)) == ["OR.PA"]
    assert store.page(STOCKS, "v1", 3, 2) == store.page(STOCKS, "v1", 0, 0) == []
    assert store.page(STOCKS, "v0", 0, 2) == []


def test_each_class_has_its_own_list(store):
    """Each asset class has its own list."""
    store.swap(listed("v1"))
    store.swap(listed("v1", [("EUR/USD", "Euro / US Dollar")], FOREX))
    assert store.meta(STOCKS).total == 3
    assert symbols(store.page(FOREX, "v1", 0, 9)) == ["EUR/USD"]
    assert store.meta(CRYPTO) is None


def test_ids_come_from_the_list_and_the_table(store):
    """Ids of the list win; the shipped table adds ids of the same coin and of unlisted coins."""
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


def test_search_is_ranked_and_paged(store):
    """A search returns the exact symbol first and then by rank, and its pages are slices."""
    store.swap(listed("v1", [("XAPP", "X"), ("APPL", "Fake"), ("APP", "A"), ("ZZ", "Big App")]))
    found = store.search(STOCKS, "v1", "app", 0, 2)
    assert (found.total, symbols(found.rows)) == (3, ["APP", "APPL"])
    assert symbols(store.search(STOCKS, "v1", "app", 2, 2).rows) == ["ZZ"]
    assert store.search(STOCKS, "v1", "app", 3, 2).rows == []
    assert store.search(STOCKS, "v1", "nothing", 0, 2).total == 0


def test_an_index_is_read_once(store):
    """A second search of a version reads only its rows; a new version has a new index."""
    store.swap(listed("v1"))
    store.search(STOCKS, "v1", "apple", 0, 9)
    before = store._cache.round_trips
    assert store.search(STOCKS, "v1", "oreal", 0, 9).total == 1
    assert store._cache.round_trips == before + 1
    store.swap(listed("v2", COMPANIES[:1], minutes=1))
    assert store.search(STOCKS, "v2", "oreal", 0, 9).total == 0


def test_thirty_thousand_assets_are_searched_and_paged_in_one_round_trip_each(store):
    """A search and a page of 30,000 assets take one round trip each."""
    store.swap(large("v1", "name"))
    store.search(STOCKS, "v1", "x", 0, 1)
    before = store._cache.round_trips
    assert store.search(STOCKS, "v1", "number 2999", 0, 100).total == 11
    assert len(store.page(STOCKS, "v1", 15_000, 1000)) == 1000
    assert store._cache.round_trips == before + 2
