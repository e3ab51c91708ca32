"""Merging stocks: each paper once, ranked, in any dialect."""

from __future__ import annotations

import pytest

from marketdata.domain.assets import Listing
from marketdata.domain.quotes import Source
from marketdata.domain.symbols import AssetClass
from marketdata.lists.merging import merge

YAHOO, FINNHUB, ALPHA = Source.YFINANCE, Source.FINNHUB, Source.ALPHA_VANTAGE


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
    """Name, exchange and currency of a stock come from the first provider that has them."""
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
    """A preferred share in three spellings is one asset with all three ids."""
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
    """A letter after a dash is a preferred series if the list also has that series."""
    rows = [Listing(s, "Bank of America", ALPHA, s) for s in ("BAC-L", "BAC-P-L", "BAC-PL")]
    rows += [Listing(s, "Petrobras", ALPHA, s) for s in ("PBR-A", "PBR", "MKC-V")]
    symbols = [a.symbol for a in merge(AssetClass.STOCKS, rows)]
    assert symbols == ["BAC.PR.L", "MKC-V", "PBR", "PBR.A"]


def test_a_class_and_a_preferred_series_of_one_letter_stay_two():
    """A class and a preferred series with the same letter are two papers."""
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
    """Two spellings of one paper are one asset, with or without an exchange."""
    rows = [Listing(one, "One", YAHOO, one), Listing(other, "One", ALPHA, other)]
    assert [a.symbol for a in merge(AssetClass.STOCKS, rows)] == [symbol]


def test_a_stock_without_a_name_is_called_by_its_symbol():
    """A stock without a name has its symbol as its name."""
    (asset,) = merge(AssetClass.STOCKS, [Listing("AACBR", "", ALPHA, "AACBR")])
    assert asset.name == "AACBR"


def test_pence_are_listed_as_pounds():
    """A share that is priced in pence is listed in pounds, as its quotes are."""
    (asset,) = merge(AssetClass.STOCKS, [Listing("TSCO.L", "Tesco", YAHOO, "TSCO.L", "LSE", "GBp")])
    assert asset.currency == "GBP"


def test_stocks_leave_out_what_is_no_stock():
    """A pair or an invalid symbol in a list of stocks is left out."""
    rows = [Listing(s, "x", ALPHA, s) for s in ("ACWV:BAT", "BTC-USD", "EUR/USD", "A B", "IBM")]
    assert [a.symbol for a in merge(AssetClass.STOCKS, rows)] == ["IBM"]
