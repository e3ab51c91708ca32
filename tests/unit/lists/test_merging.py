"""Merging: one list from several, without taking a lookalike for the real one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketdata.domain.assets import Listing
from marketdata.domain.quotes import Source
from marketdata.domain.symbols import AssetClass, parse_symbol
from marketdata.lists.listed_rows import clean_name
from marketdata.lists.merging import guard, merge

YAHOO, FINNHUB, ALPHA = Source.YFINANCE, Source.FINNHUB, Source.ALPHA_VANTAGE
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
    """Names may differ where the slugs are equal."""
    merged = crypto(
        coin(GECKO, "QQQQ-USD", "QQQQ (ex-WWWW)", "q-token", 50),
        coin(CMC, "QQQQ-USD", "QQQQ (prev. WWWW)", "28321", 52, "q-token"),
    )
    assert merged["QQQQ-USD"].ids == {"coingecko": "q-token", "coinmarketcap": "28321"}


def test_a_name_recognises_a_coin_by_the_others_slug():
    """CoinGecko calls it the-open-network, but its name is CoinMarketCap's slug."""
    merged = crypto(
        coin(GECKO, "TTN-USD", "Toncoin", "the-open-network", 20),
        coin(CMC, "TTN-USD", "Toncoin (TON)", "11419", 21, "toncoin"),
    )
    assert merged["TTN-USD"].ids.keys() == {"coingecko", "coinmarketcap"}


def test_the_shipped_table_recognises_coins_whose_names_differ():
    """Ids that the table pairs belong together, whatever the names."""
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


def test_the_first_row_is_not_the_coin():
    """Fakes come first in an unranked list: the ranked row of a ticker wins over any unranked."""
    merged = crypto(
        coin(GECKO, "BTC-USD", "Batcat", "batcat"),
        coin(GECKO, "BTC-USD", "Bitcoin", "bitcoin", 1),
        coin(CMC, "BTC-USD", "Boost Trump", "31652", None, "boost-trump"),
        coin(CMC, "BTC-USD", "Bitcoin", "1", 1, "bitcoin"),
    )
    assert merged["BTC-USD"].ids == {"coingecko": "bitcoin", "coinmarketcap": "1"}


def test_the_same_row_twice_is_one_coin():
    """CoinGecko's ranked page and its whole list name the same coin, which stays one."""
    merged = crypto(
        coin(GECKO, "ADA-USD", "Cardano", "cardano", 9),
        coin(GECKO, "ADA-USD", "Cardano", "cardano"),
        coin(CMC, "ADA-USD", "Cardano", "2010", 10, "cardano"),
    )
    assert merged["ADA-USD"].ids == {"coingecko": "cardano", "coinmarketcap": "2010"}


@pytest.mark.parametrize("symbol", ["MNT-USD", "HRK-USD", "ÄÖ-USD", "$$$-USD", "A" * 30 + "-USD"])
def test_a_coin_without_a_ticker_of_its_own_is_listed_by_its_id(symbol):
    """A ticker that is a currency code, or cannot be written, names no coin; the id does."""
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
    """Without a ticker of its own and an id of CoinGecko that fits a symbol, no symbol is left."""
    assert crypto(row) == {}


HOLO = coin(GECKO, "HOT-USD", "Holo", "holotoken", 505)
HOTCOIN = coin(GECKO, "HOT-USD", "Hotcoin", "hotcoin", 500)


def test_a_ticker_keeps_its_coin_while_that_coin_is_listed():
    """The ranks may change; the other coin is listed by its id."""
    before = {"HOT": {"coingecko": "holotoken"}}
    assets = merge(AssetClass.CRYPTO, [HOTCOIN, HOLO], before)
    assert [(a.symbol, a.name) for a in assets] == [
        ("@hotcoin-USD", "Hotcoin"),
        ("HOT-USD", "Holo"),
    ]


def test_a_ticker_gets_another_coin_when_its_coin_is_gone():
    """The coin of the list before is no longer listed."""
    merged = {a.symbol: a.name for a in merge(
        AssetClass.CRYPTO, [HOTCOIN], {"HOT": {"coingecko": "holotoken"}}
    )}  # fmt: skip
    assert merged == {"HOT-USD": "Hotcoin"}


def test_the_first_list_gives_a_ticker_to_the_highest_rank():
    """Without a list before, the rank decides."""
    merged = crypto(HOLO, HOTCOIN)
    assert merged["HOT-USD"].name == "Hotcoin"
    assert merged["@holotoken-USD"].name == "Holo"


def test_the_coin_before_is_recognised_by_either_id():
    """One provider's list may be missing today."""
    before = {"HOT": {"coingecko": "holotoken", "coinmarketcap": "2682"}}
    rows = [coin(CMC, "HOT-USD", "Holo", "2682", 700), HOTCOIN]
    merged = {a.symbol: a.ids for a in merge(AssetClass.CRYPTO, rows, before)}
    assert merged == {
        "HOT-USD": {"coinmarketcap": "2682"},
        "@hotcoin-USD": {"coingecko": "hotcoin"},
    }


@pytest.mark.parametrize("before", [{}, {"BTC": {"coingecko": "batcat"}}])
def test_a_shipped_coin_has_its_ticker_even_without_a_rank(before):
    """A missing rank does not lose against a number, nor the shipped coin against a mistake."""
    rows = [
        coin(GECKO, "BTC-USD", "Bitcoin", "bitcoin"),
        coin(GECKO, "BTC-USD", "batcat", "batcat", 900),
    ]
    merged = {a.symbol: a.name for a in merge(AssetClass.CRYPTO, rows, before)}
    assert merged == {"BTC-USD": "Bitcoin", "@batcat-USD": "batcat"}


def test_the_ticker_of_a_shipped_coin_names_no_other():
    """A list without a top coin is incomplete; a new id of it is known by its other id."""
    batcat = coin(GECKO, "BTC-USD", "batcat", "batcat", 3)
    for before in ({}, {"BTC": {"coingecko": "batcat"}}):
        assert [a.symbol for a in merge(AssetClass.CRYPTO, [batcat], before)] == ["@batcat-USD"]
    renamed = coin(GECKO, "BTC-USD", "Bitcoin", "bitcoin-core", 1)
    before = {"BTC": {"coingecko": "bitcoin-core", "coinmarketcap": "1"}}
    assert [a.symbol for a in merge(AssetClass.CRYPTO, [renamed], before)] == ["BTC-USD"]


def test_ranked_coins_come_first():
    """The list is in the order of rank, and what has none follows by symbol."""
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


def test_stocks_are_ranked_as_yahoo_lists_them():
    """Yahoo's order is by market capitalisation; the others' rows follow by symbol."""
    assets = merge(
        AssetClass.STOCKS,
        [
            Listing("A", "Agilent", ALPHA, "A", exchange="NYSE"),
            Listing("NVDA", "NVIDIA Corporation", YAHOO, "NVDA", "NasdaqGS", "USD"),
            Listing("AAPL", "Apple Inc.", YAHOO, "AAPL", "NasdaqGS", "USD"),
        ],
    )
    assert [(a.symbol, a.rank) for a in assets] == [("NVDA", 1), ("AAPL", 2), ("A", None)]


def test_what_one_provider_lacks_another_tells():
    """Name, exchange and currency of a stock come from whoever knows them, Yahoo first."""
    (asset,) = merge(
        AssetClass.STOCKS,
        [
            Listing("BRK.B", "BERKSHIRE HATHAWAY INC-CL B", FINNHUB, "BRK.B", "XNYS", "USD"),
            Listing("BRK.B", "null", ALPHA, "BRK-B", "NYSE"),
            Listing("BRK.B", "", YAHOO, "BRK-B"),
        ],
    )
    assert asset.name == "BERKSHIRE HATHAWAY INC-CL B"
    assert (asset.exchange, asset.currency) == ("NYSE", "USD")
    assert asset.ids == {"yfinance": "BRK-B", "alpha_vantage": "BRK-B", "finnhub": "BRK.B"}


def test_a_paper_in_three_dialects_is_listed_once():
    """Each list's spelling is read as that list means it."""
    (asset,) = merge(
        AssetClass.STOCKS,
        [
            Listing("BAC.PR.L", "BANK OF AMERICA PFD", FINNHUB, "BAC-L"),
            Listing("BAC.PR.L", "Bank of America Corp", ALPHA, "BAC-P-L"),
            Listing("BAC.PR.L", "Bank of America Corporation", YAHOO, "BAC-PL", currency="USD"),
        ],
    )
    assert (asset.symbol, asset.name) == ("BAC.PR.L", "Bank of America Corporation")
    assert asset.ids == {"finnhub": "BAC-L", "alpha_vantage": "BAC-P-L", "yfinance": "BAC-PL"}


def test_a_list_in_two_dialects_names_a_preferred_share_once():
    """A letter behind a dash is that series where the series is listed, too."""
    rows = [Listing(s, "Bank of America", ALPHA, s) for s in ("BAC-L", "BAC-P-L", "BAC-PL")]
    rows += [Listing(s, "Petrobras", ALPHA, s) for s in ("PBR-A", "PBR", "MKC-V")]
    symbols = [a.symbol for a in merge(AssetClass.STOCKS, rows)]
    assert symbols == ["BAC.PR.L", "MKC-V", "PBR", "PBR.A"]


def test_a_class_and_a_preferred_series_of_one_letter_stay_two():
    """They are two papers, unless the name of the class says preferred."""
    rows = [
        Listing("AGM-A", "Federal Agricultural Mortgage Corp - Class A", ALPHA, "AGM-A"),
        Listing("AGM-P-A", "Federal Agricultural Mortgage Corp - Pref A", ALPHA, "AGM-P-A"),
    ]
    assert [a.symbol for a in merge(AssetClass.STOCKS, rows)] == ["AGM.A", "AGM.PR.A"]


@pytest.mark.parametrize(
    ("one", "other", "symbol"),
    [
        ("RCI-B.TO", "RCI.B.TO", "RCI.B.TO"),
        ("REI-UN.TO", "REI.UN.TO", "REI.UN.TO"),
        ("BT-A.L", "BT.A.L", "BT.A.L"),
        ("ACHR-WT", "ACHR-WS", "ACHR.WS"),
    ],
)
def test_a_paper_of_any_exchange_is_listed_once(one, other, symbol):
    """The suffix of the exchange does not make two papers of one."""
    rows = [Listing(one, "One", YAHOO, one), Listing(other, "One", ALPHA, other)]
    assert [a.symbol for a in merge(AssetClass.STOCKS, rows)] == [symbol]


def test_a_stock_without_a_name_is_called_by_its_symbol():
    """An asset is never nameless."""
    (asset,) = merge(AssetClass.STOCKS, [Listing("AACBR", "", ALPHA, "AACBR")])
    assert asset.name == "AACBR"


def test_pence_are_listed_as_pounds():
    """The currency of an asset is the one that its quotes are converted to."""
    (asset,) = merge(AssetClass.STOCKS, [Listing("TSCO.L", "Tesco", YAHOO, "TSCO.L", "LSE", "GBp")])
    assert asset.currency == "GBP"


def test_stocks_leave_out_what_is_no_stock():
    """A pair or an impossible symbol in a list of stocks is not a stock."""
    rows = [Listing(s, "x", ALPHA, s) for s in ("ACWV:BAT", "BTC-USD", "EUR/USD", "A B", "IBM")]
    assert [a.symbol for a in merge(AssetClass.STOCKS, rows)] == ["IBM"]


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("  Apple   Inc. ", "Apple Inc."),
        ("AT&amp;T Inc", "AT&T Inc"),
        ("Barnes&NBSP;Group", "Barnes Group"),
        ("S&P Global", "S&P Global"),
        ("null", ""),
        ("N/A", ""),
    ],
)
def test_names_are_cleaned(raw, clean):
    """Markup and spare blanks go, what means nothing becomes nothing."""
    assert clean_name(raw) == clean


@pytest.mark.parametrize(
    ("new", "old", "is_kept_out"),
    [(80, 100, False), (79, 100, True), (0, 0, True), (1, 0, False), (130, 100, False)],
)
def test_a_much_smaller_list_is_kept_out(new, old, is_kept_out):
    """Under 80 % of the old list, or empty, is a failure and not news."""
    assert (guard(new, old) is not None) is is_kept_out


CODES = st.sampled_from(["BTC", "ETH", "EUR", "AAPL", "X.Y", "Ü", "", "A-B", "USD", "jpy"])
ROWS = st.lists(
    st.builds(
        Listing,
        symbol=st.one_of(
            CODES,
            st.builds("{}-USD".format, CODES),
            st.builds("{}/{}".format, CODES, CODES),
            st.text(max_size=25),
        ),
        name=st.sampled_from(["Bitcoin", "Ether", "", "null", "Ünïcode"]),
        source=st.sampled_from(Source),
        provider_id=st.text(max_size=3),
        exchange=st.sampled_from([None, "NYSE"]),
        currency=st.sampled_from([None, "USD", "GBp"]),
        rank=st.one_of(st.none(), st.integers(1, 5)),
        slug=st.sampled_from([None, "bitcoin", "ether"]),
    ),
    max_size=30,
)


@given(asset_class=st.sampled_from(AssetClass), rows=ROWS)
def test_whatever_is_listed_merges_into_a_sound_list(asset_class, rows):
    """Symbols are canonical, unique and of the class; names are there; ids are a listed row's."""
    assets = merge(asset_class, rows)
    symbols = [asset.symbol for asset in assets]
    assert len(set(symbols)) == len(symbols)
    known = {(row.source.value, row.provider_id) for row in rows}
    for asset in assets:
        parsed = parse_symbol(asset.symbol)
        assert (parsed.text, parsed.asset_class) == (asset.symbol, asset_class)
        assert asset.name
        if asset_class is not AssetClass.FOREX:
            assert asset.ids
            assert set(asset.ids.items()) <= known
    ranks = [(asset.rank is None, asset.rank or 0) for asset in assets]
    assert ranks == sorted(ranks)
