from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketdata.domain.symbols import AssetClass, has_exchange_suffix, parse_symbol
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
    ],
)
def test_every_accepted_spelling_has_one_canonical_form(spelling, canonical, asset_class):
    """Each spelling of the table becomes its canonical symbol and class."""
    symbol = parse_symbol(spelling)
    assert (symbol.text, symbol.asset_class) == (canonical, asset_class)


@pytest.mark.parametrize(
    "spelling",
    ["", " ", "A/B", "BTC/ETH", "A" * 21, "...", "=", "A B", "A,B", "A\0", "ſ", "💰", "../etc",
     "EUR/EUR", "USD=X", "'; DROP TABLE", "<b>"],
)  # fmt: skip
def test_nonsense_is_refused_with_the_value_and_what_is_allowed(spelling):
    """What fits no rule raises an error that shows the value."""
    with pytest.raises(InvalidSymbolError) as caught:
        parse_symbol(spelling)
    assert repr(spelling)[1:10] in str(caught.value)


def test_a_long_value_is_shortened_in_the_error():
    """An error never repeats kilobytes of input."""
    with pytest.raises(InvalidSymbolError) as caught:
        parse_symbol("A" * 10_000)
    assert len(str(caught.value)) < 400


@given(st.text(max_size=30))
def test_parsing_is_stable_or_refused(text):
    """Any text is refused, or its canonical form parses to itself."""
    try:
        symbol = parse_symbol(text)
    except InvalidSymbolError:
        return
    assert parse_symbol(symbol.text) == symbol
    assert len(symbol.text) <= 20


def test_sides_of_a_pair():
    """A pair knows what is priced and in what; a stock has no second side."""
    assert (parse_symbol("BTC-EUR").base, parse_symbol("BTC-EUR").quote) == ("BTC", "EUR")
    assert (parse_symbol("EUR/USD").base, parse_symbol("EUR/USD").quote) == ("EUR", "USD")
    assert (parse_symbol("AAPL").base, parse_symbol("AAPL").quote) == ("AAPL", "")


@pytest.mark.parametrize(
    ("stock", "is_exchange"),
    [("OCDO.L", True), ("SAP.DE", True), ("7203.T", True), ("BRK.B", False), ("AAPL", False)],
)
def test_exchange_suffixes_are_told_from_share_classes(stock, is_exchange):
    """A dot before an exchange's letters is not a share class."""
    assert has_exchange_suffix(stock) is is_exchange
