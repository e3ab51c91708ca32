"""The `symbols` parameter: how it is read, and which texts are errors."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketdata.api.readers.bad_request import BadRequestError
from marketdata.api.readers.symbol_lists import (
    LIST,
    MAX_CHARACTERS,
    SPELLING,
    requested,
    requested_one,
)
from marketdata.domain.symbols import MAX_SYMBOL, Symbol, parse_symbol

NONSENSE = {
    "nothing": "",
    "blanks": "  , ,, ",
    "ten kilobytes of commas": "," * 10_240,
    "NUL": "AAPL\x00",
    "a line break": "AAPL\r\nSet-Cookie: a=b",
    "emoji": "\U0001f680",
    "letters that only look Latin": "\u0410\u0410PL",
    "SQL": "' OR 1=1 --",
    "more SQL": "AAPL'; DROP TABLE quotes;--",
    "a path": "../../etc/passwd",
    "a short path": "../x",
    "a longer path": "/etc/passwd",
    "a path with back-slashes": r"..\..\windows\win.ini",
    "a URL": "file:///etc/passwd",
    "markup": "<script>alert(1)</script>",
    "a template": "{{7*7}}",
    "a look-up": "${jndi:ldap://x}",
    "one endless word": "A" * 300,
    "over eight kilobytes": "AAPL," * 1_700,
}


def test_each_symbol_comes_once_in_the_order_of_its_first_mention():
    """All spellings of an asset are read as its canonical symbol, at the first one's place."""
    text = "msft, eur-usd,EURUSD=X,EUR/USD,EUR%2FUSD,MSFT,BTC/USD,btc-usd,brk-b,"
    assert requested(text).names == ("MSFT", "EUR/USD", "BTC-USD", "BRK.B")


def test_a_misspelt_symbol_is_an_entry_of_its_own():
    """An invalid symbol keeps its place and spelling, and its error says what is allowed."""
    found = requested("AAPL,AA PL!,MSFT")
    assert found.names == ("AAPL", "AA PL!", "MSFT")
    assert found.symbols == ("AAPL", "MSFT")
    assert found.invalid.keys() == {"AA PL!"}
    assert "AAPL" in str(found.invalid["AA PL!"])


@pytest.mark.parametrize("text", ["???", "USD/USD", "TOOLONGFORANYSYMBOL12", "$AAPL", "AAPL/MSFT"])
def test_a_list_of_mere_misspellings_is_not_a_bad_request(text):
    """A list of only misspelt symbols is read, with an error for each symbol."""
    assert requested(text).names == (text,)


@pytest.mark.parametrize("text", NONSENSE.values(), ids=NONSENSE.keys())
def test_nonsense_is_a_bad_request_as_a_whole(text):
    """A list without anything like a symbol is one error, shorter than 400 characters."""
    with pytest.raises(BadRequestError) as caught:
        requested(text)
    assert caught.value.code in ("invalid_parameter", "invalid_symbol")
    assert len(str(caught.value)) < 400


def test_nonsense_beside_a_symbol_does_not_cost_the_symbol():
    """If a list has one valid symbol, nonsense beside that symbol is an error of its own."""
    found = requested("AAPL,\U0001f680")
    assert found.symbols == ("AAPL",)
    assert found.invalid.keys() == {"\U0001f680"}


def test_a_hundred_symbols_are_allowed_and_one_more_is_not():
    """A list may have 100 different symbols, and repeated mentions do not count."""
    hundred = [f"S{number}" for number in range(100)]
    assert len(requested(",".join([*hundred, "s0", "S1"])).names) == 100
    with pytest.raises(BadRequestError, match="101 different symbols") as caught:
        requested(",".join([*hundred, "S100"]))
    assert caught.value.code == "too_many_symbols"


def test_one_symbol_of_a_path_is_canonical_or_an_error():
    """The symbol of a path is read in any accepted spelling, or is an error."""
    assert requested_one("eur/usd") == parse_symbol("EUR/USD")
    error = requested_one("../x")
    assert (error.symbol, error.code) == ("../x", "invalid_symbol")
    assert "is not valid" in error.message


@given(st.text(max_size=MAX_CHARACTERS + 10))
def test_any_list_is_read_or_a_bad_request(text):
    """Any list is 1 to 100 names, each canonical or as written, or is a bad request."""
    try:
        found = requested(text)
    except BadRequestError:
        return
    assert 1 <= len(found.names) <= 100
    assert sorted(found.names) == sorted([*found.symbols, *found.invalid])
    assert all(parse_symbol(name).text == name for name in found.symbols)
    assert all(name in text for name in found.invalid)


@given(st.from_regex(LIST, fullmatch=True).filter(lambda text: len(text) <= MAX_CHARACTERS))
def test_a_list_that_looks_as_documented_is_read(text):
    """Every text of the documented pattern is accepted."""
    assert requested(text).names


@given(st.from_regex(SPELLING, fullmatch=True).filter(lambda text: len(text) <= MAX_SYMBOL))
def test_a_symbol_that_looks_as_documented_is_one(text):
    """A text of the documented pattern is a symbol, unless both its sides are one currency."""
    found = requested_one(text)
    assert isinstance(found, Symbol) or "both sides are" in found.message
