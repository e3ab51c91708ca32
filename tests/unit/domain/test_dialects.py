"""The providers' spellings: each is written from a symbol and read back to the same symbol."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketdata.domain.dialects import finnhub_spelling, from_finnhub, yahoo_spelling
from marketdata.domain.papers import Paper
from marketdata.domain.symbols import parse_symbol, stock
from tests.support.alpha_vantage_list import alpha_vantage_spelling


@pytest.mark.parametrize(
    ("symbol", "yahoo", "finnhub", "alpha_vantage"),
    [
        ("AAPL", "AAPL", "AAPL", "AAPL"),
        ("BRK.B", "BRK-B", "BRK.B", "BRK-B"),
        ("MKC-V", "MKC-V", "MKC.V", "MKC-V"),
        ("BAC.PR.L", "BAC-PL", "BAC-PL", "BAC-P-L"),
        ("HLM.P", "HLM-P", "HLM.P", "HLM-P"),
        ("ACHR.WS", "ACHR-WT", "ACHR-WT", "ACHR-WS"),
        ("GNRT.WS.A", "GNRT-WTA", "GNRT-WTA", "GNRT-WS-A"),
        ("AIIA.U", "AIIA-UN", "AIIA-UN", "AIIA-U"),
        ("AIIA.RT", "AIIA-RI", "AIIA-RI", "AIIA-R"),
        ("GEV.WI", "GEV-WI", "GEV-WI", "GEV-WI"),
    ],
)
def test_each_provider_has_its_own_spelling_of_a_us_paper(symbol, yahoo, finnhub, alpha_vantage):
    """A paper is written as Yahoo and Finnhub expect it, and read as Alpha Vantage writes it."""
    parsed = parse_symbol(symbol)
    assert yahoo_spelling(parsed) == yahoo
    assert finnhub_spelling(parsed) == finnhub
    assert parse_symbol(alpha_vantage) == parsed


@pytest.mark.parametrize(
    ("symbol", "yahoo"),
    [
        ("OCDO.L", "OCDO.L"),
        ("BT.A.L", "BT-A.L"),
        ("RCI.B.TO", "RCI-B.TO"),
        ("REI.UN.TO", "REI-UN.TO"),
        ("HOT.U.TO", "HOT-U.TO"),
        ("ALA.PR.A.TO", "ALA-PA.TO"),
        ("ABC.WT.V", "ABC-WT.V"),
        ("M&M.NS", "M&M.NS"),
        ("BAJAJ-AUTO.NS", "BAJAJ-AUTO.NS"),
        ("^GSPC", "^GSPC"),
        ("GC=F", "GC=F"),
        ("EUR/USD", "EURUSD=X"),
        ("USD/INR", "USDINR=X"),
        ("CNH/USD", "CNHUSD=X"),
        ("BTC-USD", "BTC-USD"),
    ],
)
def test_yahoo_spells_exchanges_and_pairs_in_its_own_way(symbol, yahoo):
    """Yahoo writes a share class after a dash, an exchange after a dot, a pair with `=X`."""
    assert yahoo_spelling(parse_symbol(symbol)) == yahoo


@pytest.mark.parametrize(
    ("row", "symbol"),
    [
        ("BAC-L", "BAC.PR.L"),
        ("BAC-PL", "BAC.PR.L"),
        ("CCIV+", "CCIV.WS"),
        ("CCIV+A", "CCIV.WS.A"),
        ("CCIV-WT", "CCIV.WS"),
        ("CCIV=", "CCIV.U"),
        ("AIIA.U", "AIIA.U"),
        ("AIIA^", "AIIA.RT"),
        ("GEV#", "GEV.WI"),
        ("BRK.B", "BRK.B"),
        ("MKC.V", "MKC-V"),
        ("AAPL", "AAPL"),
    ],
)
def test_finnhubs_list_is_read_in_its_own_dialect(row, symbol):
    """In Finnhub's list a letter after a dash is a preferred series, after a dot a class."""
    read = from_finnhub(row)
    assert read is not None
    assert read.text == symbol


@pytest.mark.parametrize("text", ["", "A B", "+", "BTC-USDT", "X" * 30])
def test_text_that_is_no_symbol_is_none_in_finnhubs_list(text):
    """A row of Finnhub's list that is not a symbol is read as None."""
    assert from_finnhub(text) is None


LETTERS = st.sampled_from("ABLPRTUVW")
SERIES = {Paper.CLASS: LETTERS, Paper.PREFERRED: LETTERS, Paper.WARRANT: st.just("") | LETTERS}
SYMBOLS = st.builds(
    lambda root, paper, exchange: (root, *paper, exchange),
    st.from_regex(r"[A-Z0-9&]{0,5}[A-Z]", fullmatch=True),
    st.sampled_from([None, *Paper]).flatmap(
        lambda paper: st.tuples(st.just(paper), SERIES.get(paper, st.just("")))
    ),
    st.sampled_from(["", "", "L", "V", "TO", "NS", "PR"]),
).map(lambda parts: stock(*parts))


@given(SYMBOLS)
def test_what_a_provider_is_asked_for_reads_back_as_the_same_symbol(made):
    """Each provider's spelling is read as the symbol that it was written from."""
    symbol = parse_symbol(made.text)
    assert parse_symbol(yahoo_spelling(symbol)) == symbol
    if not symbol.exchange:
        assert from_finnhub(finnhub_spelling(symbol)) == symbol
        assert parse_symbol(alpha_vantage_spelling(symbol)) == symbol
