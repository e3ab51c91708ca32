"""Finding assets: the best match first. Case, accents and punctuation do not matter."""

from __future__ import annotations

import pytest

from marketdata.domain.assets import Asset
from marketdata.domain.search_index import MOST_KEPT, MOST_NEAR_ID, Index, Tier, build
from marketdata.domain.symbols import AssetClass, parse_symbol

STOCKS = [
    ("AAPL", "Apple Inc."),
    ("BRK.B", "Berkshire Hathaway Inc."),
    ("KO", "The Coca-Cola Company"),
    ("APP", "AppLovin Corporation"),
    ("NESN.SW", "Nestlé S.A."),
    ("PNPL", "Pineapple Energy"),
    ("T", "AT&T Inc."),
    ("^GSPC", "S&P 500"),
]


def listed(rows):
    """Assets of a list of symbols and names."""
    return [
        Asset(symbol, parse_symbol(symbol).asset_class, name, None, None, None)
        for symbol, name in rows
    ]


def found(rows, query):
    """The symbols that a query finds, in order."""
    index = Index(build(listed(rows)))
    return [rows[place][0] for place in index.find(query)]


def test_symbol_before_beginning_before_name():
    """Exact symbols come first, then beginnings of symbols, words of names, parts of words."""
    assert found(STOCKS, "app") == ["APP", "AAPL", "PNPL"]
    assert found(STOCKS, "AP") == ["APP", "AAPL", "PNPL"]
    assert found(STOCKS, "apple") == ["AAPL", "PNPL"]


@pytest.mark.parametrize(
    ("query", "symbol"),
    [
        ("brk-b", "BRK.B"),
        ("BRK.B", "BRK.B"),
        ("nestle", "NESN.SW"),
        ("NESTLÉ", "NESN.SW"),
        ("coca cola", "KO"),
        ("Coca-Cola", "KO"),
        ("  hathaway  inc ", "BRK.B"),
        ("at&t", "T"),
        ("^gspc", "^GSPC"),
    ],
)
def test_spelling_does_not_matter(query, symbol):
    """Case, accents, punctuation and extra blanks make no difference."""
    assert found(STOCKS, query) == [symbol]


def test_a_coin_is_found_by_its_ticker():
    """`btc` finds Bitcoin first, before coins whose ticker only begins with `btc`."""
    rows = [("BTCB-USD", "Bitcoin BEP2"), ("BTC-USD", "Bitcoin"), ("WBTC-USD", "Wrapped Bitcoin")]
    assert found(rows, "btc") == ["BTC-USD", "BTCB-USD"]
    assert found(rows, "BTC/USD") == ["BTC-USD"]
    assert found(rows, "bitcoin") == ["BTCB-USD", "BTC-USD", "WBTC-USD"]


def test_a_pair_is_found_by_either_side():
    """A pair is found by one currency, by both, and by the name of a currency."""
    rows = [("EUR/USD", "Euro / US Dollar"), ("USD/JPY", "US Dollar / Japanese Yen")]
    assert found(rows, "jpy") == ["USD/JPY"]
    assert found(rows, "eurusd") == ["EUR/USD"]
    assert found(rows, "EUR/USD") == ["EUR/USD"]
    assert found(rows, "dollar") == ["EUR/USD", "USD/JPY"]


@pytest.mark.parametrize("query", ["", "   ", "///", "$", "nothing like it"])
def test_what_matches_nothing_finds_nothing(query):
    """A query that fits no asset, or has no letter or digit, finds nothing."""
    assert found(STOCKS, query) == []


def test_names_in_any_script_are_found():
    """A name in a script other than Latin is found by its letters."""
    assert found([("7203.T", "トヨタ自動車"), ("GAZP.ME", "Газпром")], "газ") == ["GAZP.ME"]


@pytest.mark.parametrize(
    ("query", "symbols"),
    [
        ("NASDAQ:AAPL", ["AAPL"]),
        ("nyse:brk-b", ["BRK.B"]),
        ("EURUSD=X", ["EUR/USD"]),
        ("eur-usd", ["EUR/USD"]),
        ("usd eur", ["EUR/USD"]),
        ("johnson and johnson", ["JNJ"]),
        ("johnson & johnson", ["JNJ"]),
        ("Johnson Johnson", ["JNJ"]),
        ("dollar euro", ["EUR/USD"]),
        ("and", ["AND-USD"]),
        ("AND-USD", ["AND-USD"]),
    ],
)
def test_an_asset_is_found_by_every_way_to_write_it(query, symbols):
    """An exchange before the symbol, providers' spellings, "and" for "&" and any order fit."""
    rows = [
        ("AAPL", "Apple Inc."),
        ("BRK.B", "Berkshire Hathaway Inc."),
        ("JNJ", "Johnson & Johnson"),
        ("EUR/USD", "Euro / US Dollar"),
        ("AND-USD", "Conjunction"),
    ]
    assert found(rows, query) == symbols


def test_the_tier_says_how_well_an_asset_matches():
    """An asset's tier is its best match with any spelling of the query."""
    rows = [("EUR/USD", "Euro / US Dollar"), ("EURN", "Euronav"), ("USDU", "Euro-free fund")]
    index = Index(build(listed(rows)))
    assert index.tiers("eur") == [[], [0], [1], [2], [], []]
    assert index.tiers("EURUSD=X") == [[0], [], [], [], [], []]
    assert index.tiers("USDEUR=X") == [[], [0], [], [], [], []]
    assert index.tiers("dollar us")[Tier.WORDS] == [0]


@pytest.mark.parametrize(
    ("ticker", "symbols"),
    [
        ("APPL", ["AAPL", "APP"]),
        ("TLSA", ["TSLA"]),
        ("BRKB", ["BRK.B"]),
        ("MSTF", ["MSFT"]),
        ("MSFFT", ["MSFT"]),
        ("COCACOLA", []),
        ("COCA", ["KO"]),
        ("AAP", ["AAPL", "APP"]),
        ("XYZW", []),
        ("KQ", []),
        ("A" * 9, []),
    ],
)
def test_a_ticker_with_one_slip_is_near_to_its_symbol(ticker, symbols):
    """A ticker with one letter wrong, missing, extra or exchanged is near to its symbol."""
    rows = [(symbol, symbol) for symbol in ("AAPL", "MSFT", "TSLA", "BRK.B", "APP")]
    rows.append(("KO", "The Coca-Cola Company"))
    index = Index(build(listed(rows)))
    near = index.near([ticker, "QQQQ"])
    assert [rows[place][0] for place in near[ticker]] == symbols
    assert near["QQQQ"] == []


def test_what_is_near_is_remembered_for_some_tickers():
    """The remembered tickers are bounded in number and length, and answers stay the same."""
    rows = [(symbol, symbol) for symbol in ("AAPL", "BRK.B", "BRKB", "APP")]
    index = Index(build(listed(rows)))
    first = index.near(["APPL", "BRK-B", "BRKB"])
    assert first == {"APPL": [0, 3], "BRK-B": [1, 2], "BRKB": [1, 2]}
    for number in range(0, 3 * MOST_KEPT, 100):
        index.near([f"J{one}" for one in range(number, number + 100)])
        assert len(index._near) <= MOST_KEPT
    index.near(["A" * 8_000])
    assert max(map(len, index._near)) <= MOST_NEAR_ID
    assert index.near(["BRKB", "APPL"]) == {"BRKB": [1, 2], "APPL": [0, 3]}


def test_a_word_twice_in_the_query_is_twice_in_the_name():
    """`j&j` finds Johnson & Johnson, and no name with only one word that begins with j."""
    rows = [
        ("USD/JPY", "US Dollar / Japanese Yen"),
        ("JPM", "JPMorgan"),
        ("JNJ", "Johnson & Johnson"),
    ]
    assert found(rows, "j&j") == ["JNJ"]
    assert found(rows, "johnson and johnson") == ["JNJ"]


@pytest.mark.parametrize(
    "query", ["@wrapped-bitcoin-USD", "@wrapped-bitcoin/usd", "@wrapped-bitcoin"]
)
def test_a_coin_is_found_by_its_id(query):
    """The id of CoinGecko is an accepted spelling of its symbol."""
    assets = [
        Asset("BTC-USD", AssetClass.CRYPTO, "Bitcoin", None, None, 1, {"coingecko": "bitcoin"}),
        Asset("WBTC-USD", AssetClass.CRYPTO, "W", None, None, 9, {"coingecko": "wrapped-bitcoin"}),
    ]
    assert Index(build(assets)).find(query) == [1]
