"""Symbols of every kind that the simulated market has are priced by the real providers' code."""

from __future__ import annotations

import pytest

from tests.support.caches import emptied
from tests.support.pipeline import GENEROUS, GENEROUS_MARKET, simulated

YAHOO = (
    "^GSPC ^VIX ^FTSE GC=F CL=F ZC=F TSCO.L BT.A.L NBK.KW NPN.JO TEVA.TA SAP.DE RCI.B.TO REI.UN.TO "
    "M&M.NS BAC.PR.L ACHR.WS AIIA.U AIIA.RT BRK.B"
).split()
COINS = ["ETH-BTC", "SHIB-EUR"]
CURRENCIES = {
    "ZC=F": "USD", "TSCO.L": "GBP", "NBK.KW": "KWD", "NPN.JO": "ZAR", "TEVA.TA": "ILS",
    "^FTSE": "GBP", "RCI.B.TO": "CAD", "ETH-BTC": "BTC",
}  # fmt: skip


def test_symbols_of_every_kind_have_their_true_price_in_the_major_unit(plain_redis):
    """Indices, futures, foreign shares, preferreds, warrants, units and coins are quoted."""
    active = ",".join([*YAHOO, *COINS])
    with emptied(plain_redis) as cache, simulated(cache, limits=GENEROUS_MARKET) as make:
        pipe = make(ACTIVE_SYMBOLS=active, **GENEROUS)
        pipe.run()
        sources = pipe.sources()
        assert {symbol: sources[symbol] for symbol in YAHOO} == dict.fromkeys(YAHOO, "yfinance")
        assert {sources[symbol] for symbol in COINS} <= {"coingecko", "coinmarketcap"}
        quotes = pipe.read(active)
    assert {symbol: quotes[symbol]["currency"] for symbol in CURRENCIES} == CURRENCIES


@pytest.mark.parametrize("symbol", ["AAPL", "TSCO.L", "BTC-USD", "EUR/USD", "GC=F"])
def test_the_figures_of_a_quote_agree_with_its_price(plain_redis, symbol):
    """The price is between low and high, and the change follows from the previous close."""
    with emptied(plain_redis) as cache, simulated(cache, limits=GENEROUS_MARKET) as make:
        pipe = make(ACTIVE_SYMBOLS=symbol, ALPHA_VANTAGE_API_KEY="", **GENEROUS)
        pipe.run()
        quote = pipe.read(symbol)[symbol]
    if quote["source"] == "yfinance":
        assert quote["low"] <= quote["price"] <= quote["high"]
        assert quote["low"] <= quote["open"] <= quote["high"]
        assert quote["change"] == pytest.approx(quote["price"] - quote["previous_close"], abs=1e-9)
    else:
        assert quote["volume"] > 0
        assert quote["market_cap"] > quote["price"]
