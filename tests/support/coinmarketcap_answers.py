"""CoinMarketCap's answers as tests write them, and what the provider reads in them."""

from marketdata.providers.coinmarketcap import CoinMarketCap
from tests.support import provider_support as support

CMC = CoinMarketCap("https://pro-api.coinmarketcap.com", support.secret_key)
BTC = support.instrument("BTC-USD", coinmarketcap="1")
ETH = support.instrument("ETH-USD", coinmarketcap="1027")
DOLLARS = {
    "symbol": "USD", "price": 76993.18239851118, "percent_change_24h": -2.47644884,
    "last_updated": "2026-09-15T17:53:04.000Z",
}  # fmt: skip
BITCOIN = {"id": 1, "name": "Bitcoin", "symbol": "BTC", "is_active": 1, "quote": [DOLLARS]}
ETHER = {"id": 1027, "symbol": "ETH", "quote": [{**DOLLARS, "price": 1876}]}


def body(data, code=0):
    """An answer's JSON with its data."""
    return {"status": {"timestamp": "2026-11-22T13:05:11Z", "error_code": code}, "data": data}


def error(code, message="sorry"):
    """An answer's JSON with an error in place of data."""
    return {"status": {"timestamp": None, "error_code": code, "error_message": message}}


def parse(content, batch=(BTC,), status=200, **headers):
    """Return what the provider reads from an answer about a batch."""
    return CMC.parse(batch, support.answer(content, status, **headers), support.NOW)
