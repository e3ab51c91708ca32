"""Merging coins: which rows are one coin, and which coin has a ticker."""

from __future__ import annotations

import pytest

from marketdata.domain.assets import Listing
from marketdata.domain.quotes import Source
from marketdata.domain.symbols import AssetClass
from marketdata.lists.merging import merge

GECKO, CMC = Source.COINGECKO, Source.COINMARKETCAP


def coin(source, symbol, name, id_, rank=None, slug=None):  # noqa: PLR0917  (a row is a row)
    """One row of a crypto list."""
    slug = slug or (id_ if source is GECKO else None)
    return Listing(symbol, name, source, id_, currency="USD", rank=rank, slug=slug)


def crypto(*rows):
    """The merged crypto list by symbol."""
    return {asset.symbol: asset for asset in merge(AssetClass.CRYPTO, rows)}


def test_one_coin_in_both_lists_has_both_ids():
    """Rows of one ticker with the same name are one asset, with CoinGecko's rank and name."""
    merged = crypto(
        coin(CMC, "BTC-USD", "bitcoin", "1", 2, "btc"),
        coin(GECKO, "BTC-USD", "Bitcoin", "bitcoin", 1),
    )
    bitcoin = merged["BTC-USD"]
    assert bitcoin.ids == {"coingecko": "bitcoin", "coinmarketcap": "1"}
    assert (bitcoin.name, bitcoin.rank, bitcoin.currency) == ("Bitcoin", 1, "USD")


def test_a_slug_recognises_a_coin_that_was_renamed():
    """Rows of one ticker with equal slugs are one coin, even if the names differ."""
    merged = crypto(
        coin(GECKO, "QQQQ-USD", "QQQQ (ex-WWWW)", "q-token", 50),
        coin(CMC, "QQQQ-USD", "QQQQ (prev. WWWW)", "28321", 52, "q-token"),
    )
    assert merged["QQQQ-USD"].ids == {"coingecko": "q-token", "coinmarketcap": "28321"}


def test_a_name_recognises_a_coin_by_the_others_slug():
    """Rows of one ticker are one coin if CoinGecko's name is CoinMarketCap's slug."""
    merged = crypto(
        coin(GECKO, "TTN-USD", "Toncoin", "the-open-network", 20),
        coin(CMC, "TTN-USD", "Toncoin (TON)", "11419", 21, "toncoin"),
    )
    assert merged["TTN-USD"].ids.keys() == {"coingecko", "coinmarketcap"}


def test_the_shipped_table_recognises_coins_whose_names_differ():
    """Two ids that are a pair in the table are one coin, even if the names differ."""
    merged = crypto(
        coin(GECKO, "LEO-USD", "LEO Token", "leo-token", 20),
        coin(CMC, "LEO-USD", "UNUS SED LEO", "3957", 21, "unus-sed-leo"),
    )
    assert merged["LEO-USD"].ids == {"coingecko": "leo-token", "coinmarketcap": "3957"}


def test_two_coins_of_one_ticker_do_not_share_ids():
    """The better ranked coin wins the ticker, and the other coin's id is not attached to it."""
    merged = crypto(
        coin(GECKO, "ETC-USD", "Ethercoin", "ethercoin", 900),
        coin(CMC, "ETC-USD", "Ethereum Classic", "1321", 30, "ethereum-classic"),
    )
    assert merged["ETC-USD"].name == "Ethereum Classic"
    assert merged["ETC-USD"].ids == {"coinmarketcap": "1321"}


def test_the_ranked_row_of_a_ticker_comes_first():
    """The ranked row of a ticker comes before unranked rows, for every order of the rows."""
    merged = crypto(
        coin(GECKO, "BTC-USD", "Batcat", "batcat"),
        coin(GECKO, "BTC-USD", "Bitcoin", "bitcoin", 1),
        coin(CMC, "BTC-USD", "Boost Trump", "31652", None, "boost-trump"),
        coin(CMC, "BTC-USD", "Bitcoin", "1", 1, "bitcoin"),
    )
    assert merged["BTC-USD"].ids == {"coingecko": "bitcoin", "coinmarketcap": "1"}


def test_the_same_row_twice_is_one_coin():
    """A coin on CoinGecko's ranked page and in its whole list is one coin."""
    merged = crypto(
        coin(GECKO, "ADA-USD", "Cardano", "cardano", 9),
        coin(GECKO, "ADA-USD", "Cardano", "cardano"),
        coin(CMC, "ADA-USD", "Cardano", "2010", 10, "cardano"),
    )
    assert merged["ADA-USD"].ids == {"coingecko": "cardano", "coinmarketcap": "2010"}


@pytest.mark.parametrize("symbol", ["MNT-USD", "HRK-USD", "ÄÖ-USD", "$$$-USD", "A" * 30 + "-USD"])
def test_a_coin_without_a_ticker_of_its_own_is_listed_by_its_id(symbol):
    """A coin whose ticker is a currency code or not a valid symbol is listed by its id."""
    merged = crypto(
        coin(GECKO, symbol, "Mantle", "mantle", 60), coin(CMC, symbol, "Mantle", "27075", 61)
    )
    assert list(merged) == ["@mantle-USD"]
    mantle = merged["@mantle-USD"]
    assert (mantle.rank, mantle.currency) == (60, "USD")
    assert mantle.ids == {"coingecko": "mantle", "coinmarketcap": "27075"}


@pytest.mark.parametrize(
    "row",
    [
        coin(CMC, "MNT-USD", "Mantle", "27075", 60, "mantle"),
        coin(GECKO, "MNT-USD", "Mantle", "Man tle", 60),
        coin(GECKO, "MNT-USD", "Mantle", "m" * 65, 60),
        coin(GECKO, "MNT-USD", "Mantle", "MANTLE", 60),
    ],
)
def test_a_coin_that_cannot_be_asked_for_is_left_out(row):
    """A coin without a usable ticker and without a usable id of CoinGecko is left out."""
    assert crypto(row) == {}


HOLO = coin(GECKO, "HOT-USD", "Holo", "holotoken", 505)


HOTCOIN = coin(GECKO, "HOT-USD", "Hotcoin", "hotcoin", 500)


def test_a_ticker_keeps_its_coin_while_that_coin_is_listed():
    """A ticker keeps its coin when ranks change, and the other coin is listed by its id."""
    before = {"HOT": {"coingecko": "holotoken"}}
    assets = merge(AssetClass.CRYPTO, [HOTCOIN, HOLO], before)
    assert [(a.symbol, a.name) for a in assets] == [
        ("@hotcoin-USD", "Hotcoin"),
        ("HOT-USD", "Holo"),
    ]


def test_a_ticker_gets_another_coin_when_its_coin_is_gone():
    """The ticker of a coin that is no longer listed goes to the next coin."""
    merged = {a.symbol: a.name for a in merge(
        AssetClass.CRYPTO, [HOTCOIN], {"HOT": {"coingecko": "holotoken"}}
    )}  # fmt: skip
    assert merged == {"HOT-USD": "Hotcoin"}


def test_the_first_list_gives_a_ticker_to_the_highest_rank():
    """Without a list before, the coin with the better rank has the ticker."""
    merged = crypto(HOLO, HOTCOIN)
    assert merged["HOT-USD"].name == "Hotcoin"
    assert merged["@holotoken-USD"].name == "Holo"


def test_the_coin_before_is_recognised_by_either_id():
    """A ticker keeps its coin if today's rows have only one of the coin's two ids."""
    before = {"HOT": {"coingecko": "holotoken", "coinmarketcap": "2682"}}
    rows = [coin(CMC, "HOT-USD", "Holo", "2682", 700), HOTCOIN]
    merged = {a.symbol: a.ids for a in merge(AssetClass.CRYPTO, rows, before)}
    assert merged == {
        "HOT-USD": {"coinmarketcap": "2682"},
        "@hotcoin-USD": {"coingecko": "hotcoin"},
    }


@pytest.mark.parametrize("before", [{}, {"BTC": {"coingecko": "batcat"}}])
def test_a_shipped_coin_has_its_ticker_even_without_a_rank(before):
    """A shipped coin has its ticker without a rank, also if the list before had another coin."""
    rows = [
        coin(GECKO, "BTC-USD", "Bitcoin", "bitcoin"),
        coin(GECKO, "BTC-USD", "batcat", "batcat", 900),
    ]
    merged = {a.symbol: a.name for a in merge(AssetClass.CRYPTO, rows, before)}
    assert merged == {"BTC-USD": "Bitcoin", "@batcat-USD": "batcat"}


def test_the_ticker_of_a_shipped_coin_names_no_other():
    """A shipped ticker never goes to another coin; its own may have one new id."""
    batcat = coin(GECKO, "BTC-USD", "batcat", "batcat", 3)
    for before in ({}, {"BTC": {"coingecko": "batcat"}}):
        assert [a.symbol for a in merge(AssetClass.CRYPTO, [batcat], before)] == ["@batcat-USD"]
    renamed = coin(GECKO, "BTC-USD", "Bitcoin", "bitcoin-core", 1)
    before = {"BTC": {"coingecko": "bitcoin-core", "coinmarketcap": "1"}}
    assert [a.symbol for a in merge(AssetClass.CRYPTO, [renamed], before)] == ["BTC-USD"]


def test_ranked_coins_come_first():
    """Coins are listed by rank, and coins without a rank follow by symbol."""
    assets = merge(
        AssetClass.CRYPTO,
        [
            coin(GECKO, "ZZZ-USD", "Z", "z"),
            coin(GECKO, "AAA-USD", "A", "a"),
            coin(GECKO, "ETH-USD", "Ethereum", "ethereum", 2),
            coin(GECKO, "BTC-USD", "Bitcoin", "bitcoin", 1),
        ],
    )
    assert [a.symbol for a in assets] == ["BTC-USD", "ETH-USD", "AAA-USD", "ZZZ-USD"]
