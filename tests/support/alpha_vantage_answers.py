"""Alpha Vantage's answers as tests write them, and what the provider reads in them."""

from marketdata.domain.symbols import AssetClass
from marketdata.providers.alpha_vantage import AlphaVantage
from tests.support import provider_support as support

ALPHA = AlphaVantage("https://www.alphavantage.co", support.secret_key)
USD_JPY = support.instrument("USD/JPY")
RATE = {
    "1. From_Currency Code": "USD",
    "2. From_Currency Name": "United States Dollar",
    "3. To_Currency Code": "JPY",
    "4. To_Currency Name": "Japanese Yen",
    "5. Exchange Rate": "158.73166867",
    "6. Last Refreshed": "2026-05-17 17:12:44",
    "7. Time Zone": "UTC",
    "8. Bid Price": "-",
    "9. Ask Price": "-",
}
HEADER = "symbol,name,exchange,assetType,ipoDate,delistingDate,status\r\n"


def parse(content, of=USD_JPY, status=200, **headers):
    """Return what the provider reads from an answer about one pair."""
    return ALPHA.parse([of], support.answer(content, status, **headers), support.NOW)


def rate(**changes):
    """An answer with a rate; `_5="1.1"` replaces the field whose name begins with 5."""
    row = {name: changes.get(f"_{name[0]}", value) for name, value in RATE.items()}
    return {"Realtime Currency Exchange Rate": row}


def stocks(text, **headers):
    """Return what the provider reads from a table of stocks."""
    return ALPHA.parse_assets(AssetClass.STOCKS, [support.answer(text, **headers)])
