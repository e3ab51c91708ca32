"""Tickers that name another coin after a refresh."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from marketdata.domain.assets import Asset, AssetList
from marketdata.domain.history import RANGES
from marketdata.domain.quotes import Source
from marketdata.domain.symbols import AssetClass
from marketdata.lists import coin_changes as coin_changes_module
from marketdata.lists.archive import decode, encode
from marketdata.lists.coin_changes import (
    FORMER_KEPT_MS,
    coin_changes,
    with_changes,
    with_former,
)

CRYPTO = AssetClass.CRYPTO
AT = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)


def listed(*assets: Asset, asset_class: AssetClass = CRYPTO) -> AssetList:
    """A list of these assets."""
    return AssetList(asset_class, "v1", AT, (Source.COINGECKO,), assets)


def coin(name: str, base: str = "GEM", **ids: str) -> Asset:
    """A coin with a ticker."""
    return Asset(f"{base}-USD", CRYPTO, name, None, "USD", 700, ids)


@pytest.mark.parametrize(
    ("before", "after", "is_other"),
    [
        (coin("Gem", coingecko="gem"), coin("Gem", coingecko="gem"), False),
        (coin("Gem", coingecko="gem"), coin("Gemstone", coingecko="gemstone"), True),
        (
            coin("Gem", coingecko="gem", coinmarketcap="7"),
            coin("Gem", coingecko="gem-2", coinmarketcap="7"),
            False,
        ),
        (
            coin("Gem", coingecko="gem", coinmarketcap="7"),
            coin("Gem", coingecko="gem-2", coinmarketcap="8"),
            True,
        ),
        (coin("Gem", coingecko="gem"), coin("GEM", coinmarketcap="7"), False),
        (coin("Gem", coingecko="gem"), coin("Gemstone", coinmarketcap="7"), True),
    ],
)
def test_a_ticker_names_another_coin_if_no_id_is_the_same(before, after, is_other):
    """A ticker names another coin if no id is the same; without a common source, names decide."""
    changes = coin_changes(listed(before), listed(after))
    assert [change.base for change in changes] == (["GEM"] if is_other else [])


def test_before_the_first_list_the_shipped_table_says_which_coin_it_was():
    """Before the first list the coin of a ticker is that of the shipped table."""
    wrong = coin("batcat", "BTC", coingecko="batcat")
    right = coin("Ethereum", "ETH", coingecko="ethereum")
    assert [change.base for change in coin_changes(None, listed(wrong, right))] == ["BTC"]


def after(days: float, *assets: Asset) -> AssetList:
    """A list of these assets, so many days later."""
    return replace(listed(*assets), updated_at=AT + timedelta(days=days))


def test_a_ticker_without_a_coin_remembers_its_last_one():
    """The last coin of a ticker is kept in the list and compared with the ticker's next coin."""
    gap = with_former(after(1), listed(coin("Gem", coingecko="gem"), coin("Gem", "@gem")))
    assert {ticker: one.name for ticker, one in gap.former.items()} == {"GEM": "Gem"}
    later = with_former(after(2), decode(encode(gap)))
    (change,) = coin_changes(later, after(3, coin("Gemo", coingecko="gemo")))
    assert (change.name_before, change.ids_before) == ("Gem", {"coingecko": "gem"})
    assert not coin_changes(later, after(3, coin("Gem", coingecko="gem")))
    assert not with_former(after(3, coin("Gem", coingecko="gem")), later).former


def test_lost_coins_are_dropped_after_some_time(monkeypatch):
    """Lost coins are kept longer than any history, then dropped; their number is bounded."""
    before = listed(coin("Gem", coingecko="gem"))
    assert max(one.length_ms for one in RANGES.values()) < FORMER_KEPT_MS
    assert with_former(after(59), with_former(after(1), before)).former
    assert not with_former(after(61), with_former(after(1), before)).former
    monkeypatch.setattr(coin_changes_module, "MOST_FORMER", 2)
    gap = with_former(after(1, coin("Gem", "NEW")), before)
    many = with_former(after(2, coin("A", "ONE"), coin("B", "TWO")), gap)
    assert list(with_former(after(3), many).former) == ["ONE", "TWO"]


def test_only_coins_have_changes():
    """A list of stocks has no changes, because a stock's ticker is its identity."""
    stock = Asset("GEM", AssetClass.STOCKS, "Gem", None, "USD", 1, {"yfinance": "GEM"})
    assert not coin_changes(None, listed(stock, asset_class=AssetClass.STOCKS))


def test_the_list_says_which_coin_had_the_ticker_before():
    """The text about a ticker's coin before is kept by later refreshes and by the archive."""
    before, after = listed(coin("Gem", coingecko="gem")), listed(coin("Gemo", coingecko="gemo"))
    marked = with_changes(after, coin_changes(before, after), before)
    text = "Gem (coingecko gem) until 2026-03-02"
    assert marked.assets[0].to_json()["replaced"] == text
    later = with_changes(after, coin_changes(marked, after), decode(encode(marked)))
    assert later.assets[0].replaced == text


def test_an_asset_that_replaced_nothing_says_nothing():
    """A list without changes is returned as it is, and its rows have no `replaced`."""
    same = listed(coin("Gem", coingecko="gem"))
    assert with_changes(same, [], same) is same
    assert "replaced" not in same.assets[0].to_json()


def test_all_pairs_of_the_ticker_are_named():
    """A change names each pair of the ticker once: with currencies, BTC and ETH."""
    before, after = listed(coin("Gem", coingecko="gem")), listed(coin("Gemo", coingecko="gemo"))
    (change,) = coin_changes(before, after)
    symbols = change.symbols()
    assert {"GEM-USD", "GEM-EUR", "GEM-BTC", "GEM-ETH"} <= set(symbols)
    assert len(set(symbols)) == len(symbols)
