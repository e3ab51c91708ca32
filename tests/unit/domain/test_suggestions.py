"""Suggestions: what a text may have meant, in accepted spellings only."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketdata.domain.suggestions import near_currencies, suggestions
from marketdata.domain.symbols import parse_symbol


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("BTC-USDT", "BTC-USD"),
        ("BTC/USDT", "BTC-USD"),
        ("BTCUSD", "BTC-USD"),
        ("ethusdt", "ETH-USD"),
        ("SOL-USDC", "SOL-USD"),
        ("DOGE-EURC", "DOGE-EUR"),
        ("ETHBTC", "ETH-BTC"),
        ("ADA-BNB", "ADA-USD"),
        ("BTC_USD", "BTC-USD"),
        ("BTC", "BTC-USD"),
        ("WIFUSDT", "WIF-USD"),
        ("BINANCE:BTCUSDT", "BTC-USD"),
        ("NASDAQ:AAPL", "AAPL"),
        ("EUR", "EUR/USD"),
        ("JPY", "USD/JPY"),
        ("EUR.USD", "EUR/USD"),
        ("OANDA:EUR_USD", "EUR/USD"),
        ("EUR-BTC", "BTC-EUR"),
        ("@mantle", "@mantle-USD"),
        ("@mantle-USDT", "@mantle-USD"),
        ("@wrapped-bitcoin_eur", "@wrapped-bitcoin-EUR"),
        ("BTC:USD", "BTC-USD"),
        ("BTC / USDT", "BTC-USD"),
        ("BTC%2FUSDT", "BTC-USD"),
        ("\uff21\uff21\uff30\uff2c", "AAPL"),
        ("NYSE:ALL", "ALL"),
        ("EUR/USX", "EUR/USD"),
        ("EUR-USX", "EUR/USD"),
        ("EURUSX", "EUR/USD"),
        ("EUX_USD", "EUX-USD"),
        ("USD/RMB", "USD/CNY"),
        ("EUR/US", "EUR/USD"),
        ("EUR/USDD", "EUR/USD"),
        ("BTC/EUX", "BTC-EUR"),
        ("BTC-USX", "BTC-USD"),
        ("@bitcoin-USX", "@bitcoin-USD"),
        ("CCIV+", "CCIV.WS"),
        ("CCIV#", "CCIV.WI"),
        ("BRK/B", "BRK.B"),
        ("BAC-L", "BAC.PR.L"),
        ("BAC PR L", "BAC.PR.L"),
    ],
)
def test_a_near_miss_suggests_what_was_meant(text, first):
    """The first suggestion for a text is the symbol that it most likely means."""
    assert suggestions(text)[0] == first


@pytest.mark.parametrize(
    "text", ["AAPL", "TSLA AAPL", "", "💰", "???", "@", "@bitcoin-USD", "@mantle-eur", "A" * 1000]
)
def test_a_text_that_resembles_no_symbol_has_no_suggestion(text):
    """A valid symbol, or a text that resembles no symbol, has no suggestion."""
    assert suggestions(text) == ()


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("EUX", ("EUR",)),
        ("eurr", ("EUR",)),
        ("EU", ("EUR",)),
        ("USDT", ("USD",)),
        ("yen", ("JPY",)),
        ("RMB", ("CNY",)),
        ("KZX", ("KZT",)),
        ("EUR", ()),
        ("BTC", ()),
        ("XYZ", ()),
        ("DOLLARS", ()),
        ("", ()),
        ("E" * 1000, ()),
    ],
)
def test_a_misspelt_currency_suggests_its_code(text, codes):
    """A code with one slip, or a common name, suggests the code; a coin suggests none."""
    assert near_currencies(text) == codes


@given(st.text(max_size=40) | st.from_regex(r"[A-Z]{2,5}[-/_:. ]?[A-Z]{0,5}", fullmatch=True))
def test_a_suggestion_is_a_canonical_symbol(text):
    """A text has at most three suggestions, all canonical, and none is the text itself."""
    found = suggestions(text)
    assert len(set(found)) == len(found) <= 3
    assert [parse_symbol(one).text for one in found] == list(found)
    assert text not in found
