"""Symbols: which spellings are accepted, what each means, and which texts are errors."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketdata.domain.papers import Paper
from marketdata.domain.symbols import MAX_SYMBOL, AssetClass, Symbol, parse_symbol
from marketdata.errors import InvalidSymbolError


@pytest.mark.parametrize(
    ("spelling", "canonical", "asset_class"),
    [
        ("AAPL", "AAPL", AssetClass.STOCKS),
        ("aapl", "AAPL", AssetClass.STOCKS),
        (" AAPL ", "AAPL", AssetClass.STOCKS),
        ("BRK.B", "BRK.B", AssetClass.STOCKS),
        ("BRK-B", "BRK.B", AssetClass.STOCKS),
        ("brk-b", "BRK.B", AssetClass.STOCKS),
        ("OCDO.L", "OCDO.L", AssetClass.STOCKS),
        ("OCDO-L", "OCDO-L", AssetClass.STOCKS),
        ("SAP.DE", "SAP.DE", AssetClass.STOCKS),
        ("^GSPC", "^GSPC", AssetClass.STOCKS),
        ("GC=F", "GC=F", AssetClass.STOCKS),
        ("ADAP", "ADAP", AssetClass.STOCKS),
        ("BTC", "BTC", AssetClass.STOCKS),
        ("SOL-USD", "SOL-USD", AssetClass.CRYPTO),
        ("BTC/USD", "BTC-USD", AssetClass.CRYPTO),
        ("btc-eur", "BTC-EUR", AssetClass.CRYPTO),
        ("1INCH-USD", "1INCH-USD", AssetClass.CRYPTO),
        ("EUR/USD", "EUR/USD", AssetClass.FOREX),
        ("eur-usd", "EUR/USD", AssetClass.FOREX),
        ("EURUSD=X", "EUR/USD", AssetClass.FOREX),
        ("EUR%2FUSD", "EUR/USD", AssetClass.FOREX),
        ("eur%2fusd", "EUR/USD", AssetClass.FOREX),
        ("INR=X", "USD/INR", AssetClass.FOREX),
        ("XAU/USD", "XAU/USD", AssetClass.FOREX),
        ("eurusd", "EUR/USD", AssetClass.FOREX),
        ("GBPJPY", "GBP/JPY", AssetClass.FOREX),
        ("chf_sek", "CHF/SEK", AssetClass.FOREX),
        ("CNH-USD", "CNH/USD", AssetClass.FOREX),
        ("USDCNH=X", "USD/CNH", AssetClass.FOREX),
        ("ANG/USD", "ANG/USD", AssetClass.FOREX),
        ("BGN-EUR", "BGN/EUR", AssetClass.FOREX),
        ("DEM/FRF", "DEM/FRF", AssetClass.FOREX),
        ("VEFUSD=X", "VEF/USD", AssetClass.FOREX),
        ("SOL/BTC", "SOL-BTC", AssetClass.CRYPTO),
        ("btc-eth", "BTC-ETH", AssetClass.CRYPTO),
        ("@mantle-USD", "@mantle-USD", AssetClass.CRYPTO),
        ("@Mantle/eur", "@mantle-EUR", AssetClass.CRYPTO),
        ("@avalanche-2-USD", "@avalanche-2-USD", AssetClass.CRYPTO),
        ("@bridged-usdc-btc", "@bridged-usdc-BTC", AssetClass.CRYPTO),
        ("@some.coin_v2-usd", "@some.coin_v2-USD", AssetClass.CRYPTO),
        ("m&m.ns", "M&M.NS", AssetClass.STOCKS),
        ("L&TFH.NS", "L&TFH.NS", AssetClass.STOCKS),
        ("BAJAJ-AUTO.NS", "BAJAJ-AUTO.NS", AssetClass.STOCKS),
        ("CEZ.PR", "CEZ.PR", AssetClass.STOCKS),
        ("AIR.PA", "AIR.PA", AssetClass.STOCKS),
        ("GOOGLX", "GOOGLX", AssetClass.STOCKS),
    ],
)
def test_every_accepted_spelling_has_one_canonical_form(spelling, canonical, asset_class):
    """Each spelling of the table becomes its canonical symbol and class."""
    symbol = parse_symbol(spelling)
    assert (symbol.text, symbol.asset_class) == (canonical, asset_class)


@pytest.mark.parametrize(
    "spelling",
    ["", " ", "A/B", "A" * 21, "...", "=", "A B", "A,B", "A\0", "ſ", "💰", "../etc",
     "EUR/EUR", "USD=X", "USDUSD", "'; DROP TABLE", "<b>", "BTC-USDT", "BTC/USDT", "BTCUSD",
     "ETHBTC", "DOGEUSDC", "WIFUSDT", "ADA-BNB", "EUR-BTC", "BTCUSD=X", "BTC-BTC", "@mantle",
     "@-USD", "@mantle-XYZ", "@man tle-USD", "@" + "a" * 65 + "-USD"],
)  # fmt: skip
def test_nonsense_is_an_error_with_the_value_and_what_is_allowed(spelling):
    """A text that fits no rule raises an error that shows the text."""
    with pytest.raises(InvalidSymbolError) as caught:
        parse_symbol(spelling)
    assert repr(spelling)[1:10] in str(caught.value)


def test_a_long_value_is_shortened_in_the_error():
    """The error about a text of 10,000 characters has fewer than 400."""
    with pytest.raises(InvalidSymbolError) as caught:
        parse_symbol("A" * 10_000)
    assert len(str(caught.value)) < 400


PAPERS = [
    ("BRK.B", ["BRK-B"], Paper.CLASS, "B", ""),
    ("MKC-V", [], Paper.CLASS, "V", ""),
    ("BAC.PR.L", ["BAC-PL", "BAC-P-L", "BAC-PR-L", "BAC.PRL", "BAC^L", "bac-pl"], Paper.PREFERRED,
     "L", ""),
    ("PSA.PR.R", ["PSA-PR", "PSA-P-R"], Paper.PREFERRED, "R", ""),
    ("HLM.P", ["HLM-P"], Paper.CLASS, "P", ""),
    ("ACHR.WS", ["ACHR-WT", "ACHR-WS", "ACHR.WT"], Paper.WARRANT, "", ""),
    ("GNRT.WS.A", ["GNRT-WTA", "GNRT-WS-A", "GNRT.WT.A"], Paper.WARRANT, "A", ""),
    ("XYZ.WS.V", ["XYZ-WTV", "XYZ-WS-V"], Paper.WARRANT, "V", ""),
    ("AIIA.RT", ["AIIA-RI", "AIIA-R", "AIIA-RT", "AIIA^"], Paper.RIGHT, "", ""),
    ("AIIA.U", ["AIIA-UN", "AIIA-U", "AIIA.UN", "AIIA="], Paper.UNIT, "", ""),
    ("GEV.WI", ["GEV-WI"], Paper.WHEN_ISSUED, "", ""),
    ("RCI.B.TO", ["RCI-B.TO"], Paper.CLASS, "B", "TO"),
    ("BT.A.L", ["BT-A.L"], Paper.CLASS, "A", "L"),
    ("VOLV.B.ST", ["VOLV-B.ST"], Paper.CLASS, "B", "ST"),
    ("ABC.P.V", ["ABC-P.V"], Paper.CLASS, "P", "V"),
    ("ALA.PR.A.TO", ["ALA-PA.TO", "ALA-PR-A.TO", "ALA.PA.TO"], Paper.PREFERRED, "A", "TO"),
    ("REI.UN.TO", ["REI-UN.TO"], Paper.UNIT, "", "TO"),
    ("HOT.U.TO", ["HOT-U.TO"], Paper.CLASS, "U", "TO"),
    ("ABC.WS.TO", ["ABC-WT.TO", "ABC.WT.TO"], Paper.WARRANT, "", "TO"),
    ("ABC.WT.V", ["ABC-WT.V"], Paper.WARRANT, "", "V"),
    ("OCDO.L", [], None, "", "L"),
    ("7203.T", [], None, "", "T"),
    ("OCDO-L", [], Paper.CLASS, "L", ""),
    ("AAPL", [], None, "", ""),
    ("^GSPC", [], None, "", ""),
    ("GC=F", [], None, "", ""),
]  # fmt: skip


@pytest.mark.parametrize(("canonical", "others", "paper", "series", "exchange"), PAPERS)
def test_each_paper_has_one_symbol_in_every_dialect(canonical, others, paper, series, exchange):
    """Class, preferred, warrant, right, unit and when-issued papers are one symbol each."""
    symbol = parse_symbol(canonical)
    assert symbol.text == canonical
    assert (symbol.paper, symbol.series, symbol.exchange) == (paper, series, exchange)
    assert {parse_symbol(other) for other in others} <= {symbol}


@given(st.text(max_size=80))
def test_parsing_is_stable_or_an_error(text):
    """Any text is an error, or its canonical form parses to itself."""
    assert_stable(text)


MARKS = st.sampled_from(["-", ".", "^", "=", "/", "_", "&", "@", "=X", "", "."])
PARTS = st.sampled_from(
    ["BT", "A", "L", "V", "P", "PA", "PR", "PRL", "WS", "WT", "WTA", "R", "RI", "RT", "U", "UN",
     "WI", "TO", "USD", "EUR", "BTC", "ETH", "USDT", "BRK", "7203", "mantle", "DEM"]
)  # fmt: skip


@given(st.lists(st.tuples(MARKS, PARTS), max_size=5))
def test_parsing_is_stable_for_everything_that_looks_like_a_symbol(pieces):
    """Suffixes in any order are an error, or their canonical form parses to itself."""
    assert_stable("".join(mark + part for mark, part in pieces))


def assert_stable(text: str) -> None:
    """Parse a text that may be an error, and its canonical form."""
    try:
        symbol = parse_symbol(text)
    except InvalidSymbolError:
        return
    again = parse_symbol(symbol.text)
    assert again == symbol
    assert parts(again) == parts(symbol)
    assert len(symbol.text) <= MAX_SYMBOL


def parts(symbol: Symbol) -> tuple[object, ...]:
    """The values of all attributes of a symbol."""
    return tuple(getattr(symbol, name) for name in Symbol.__slots__)


def test_sides_of_a_pair():
    """A pair has a base and a quote side, and a stock has only a base."""
    sides = {text: (parse_symbol(text).base, parse_symbol(text).quote) for text in (
        "BTC-EUR", "ETH-BTC", "EUR/USD", "@mantle-USD", "AAPL"
    )}  # fmt: skip
    assert sides == {
        "BTC-EUR": ("BTC", "EUR"),
        "ETH-BTC": ("ETH", "BTC"),
        "EUR/USD": ("EUR", "USD"),
        "@mantle-USD": ("@mantle", "USD"),
        "AAPL": ("AAPL", ""),
    }
    assert parse_symbol("@mantle-USD").coin_id == "mantle"
    assert parse_symbol("BTC-EUR").coin_id == ""
