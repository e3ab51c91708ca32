"""Symbols in accepted spellings get their price from a provider with another spelling."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from marketdata.cache.client import Cache
from marketdata.domain.quotes import Source
from tests.support.pipeline import Make, simulated


@pytest.fixture
def make(cache: Cache) -> Iterator[Make]:
    """Makes pipelines over a market with the free plans' limits."""
    with simulated(cache) as maker:
        yield maker


@pytest.mark.parametrize(
    ("spelling", "symbol", "source", "currency"),
    [
        ("BAC-PL", "BAC.PR.L", "yfinance", "USD"),
        ("ABR-P-D", "ABR.PR.D", "yfinance", "USD"),
        ("brk-b", "BRK.B", "yfinance", "USD"),
        ("ETH/BTC", "ETH-BTC", "coingecko", "BTC"),
        ("@bitcoin-USD", "@bitcoin-USD", "coingecko", "USD"),
        ("@mantle-EUR", "@mantle-EUR", "coingecko", "EUR"),
        ("eur_usd", "EUR/USD", "alpha_vantage", "USD"),
        ("USDCNH=X", "USD/CNH", "alpha_vantage", "CNH"),
    ],
)
def test_each_spelling_is_priced_as_its_one_symbol(make, spelling, symbol, source, currency):
    """The quote has the canonical symbol, the provider's price and the currency of the symbol."""
    pipe = make(ACTIVE_SYMBOLS=spelling)
    pipe.run()
    quote = pipe.read(spelling)[symbol]
    assert (quote["source"], quote["currency"]) == (source, currency)
    assert quote["price"] > 0
    assert not quote["stale"]


def test_a_coin_by_its_id_has_the_price_of_that_coin(make):
    """A coin by its id has the price of the ticker that names the same coin."""
    pipe = make(ACTIVE_SYMBOLS="BTC-USD,@bitcoin-USD")
    pipe.run()
    quotes = pipe.read("BTC-USD,@bitcoin-USD")
    assert quotes["@bitcoin-USD"]["price"] == quotes["BTC-USD"]["price"]


def test_a_withdrawn_currency_is_never_priced_as_a_coin(make):
    """A withdrawn currency is not found, and no provider of coins is called."""
    pipe = make(ACTIVE_SYMBOLS="ANG/USD")
    pipe.run()
    assert pipe.read("ANG/USD")["ANG/USD"]["code"] == "not_found"
    assert pipe.asked(Source.COINGECKO) == pipe.asked(Source.COINMARKETCAP) == []
