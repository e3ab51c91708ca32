"""Tickers that name another coin after a refresh."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from marketdata.domain.assets import Asset, AssetList
from marketdata.domain.quotes import Source
from marketdata.domain.symbols import AssetClass
from marketdata.lists.archive import decode, encode
from marketdata.lists.coin_changes import coin_changes, with_changes

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
    """Without a source that lists both, their names decide."""
    changes = coin_changes(listed(before), listed(after))
    assert [change.base for change in changes] == (["GEM"] if is_other else [])


def test_before_the_first_list_the_shipped_table_says_which_coin_it_was():
    """Quotes of the first minutes were fetched with its ids."""
    wrong = coin("batcat", "BTC", coingecko="batcat")
    right = coin("Ethereum", "ETH", coingecko="ethereum")
    assert [change.base for change in coin_changes(None, listed(wrong, right))] == ["BTC"]


def test_only_coins_have_changes():
    """A stock's ticker is its identity."""
    stock = Asset("GEM", AssetClass.STOCKS, "Gem", None, "USD", 1, {"yfinance": "GEM"})
    assert not coin_changes(None, listed(stock, asset_class=AssetClass.STOCKS))


def test_the_list_says_which_coin_had_the_ticker_before():
    """The text stays through later refreshes, and through the archive."""
    before, after = listed(coin("Gem", coingecko="gem")), listed(coin("Gemo", coingecko="gemo"))
    marked = with_changes(after, coin_changes(before, after), before)
    text = "Gem (coingecko gem) until 2026-03-02"
    assert marked.assets[0].to_json()["replaced"] == text
    later = with_changes(after, coin_changes(marked, after), decode(encode(marked)))
    assert later.assets[0].replaced == text


def test_an_asset_that_replaced_nothing_says_nothing():
    """The rows of all other assets are as they were."""
    same = listed(coin("Gem", coingecko="gem"))
    assert with_changes(same, [], same) is same
    assert "replaced" not in same.assets[0].to_json()


def test_all_pairs_of_the_ticker_are_named():
    """A coin may be priced in any currency, in BTC and in ETH."""
    before, after = listed(coin("Gem", coingecko="gem")), listed(coin("Gemo", coingecko="gemo"))
    (change,) = coin_changes(before, after)
    symbols = change.symbols()
    assert {"GEM-USD", "GEM-EUR", "GEM-BTC", "GEM-ETH"} <= set(symbols)
    assert len(set(symbols)) == len(symbols)
