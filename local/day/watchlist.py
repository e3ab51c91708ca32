"""The symbols of each class that are priced during the day."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from marketdata.domain.symbols import AssetClass

SYMBOLS: Mapping[AssetClass, tuple[str, ...]] = MappingProxyType(
    {
        AssetClass.STOCKS: tuple(
            """
            AAPL MSFT NVDA GOOGL AMZN META TSLA AVGO BRK.B JPM LLY V WMT ORCL MA XOM UNH COST NFLX
            KO
            """.split()
        ),
        AssetClass.CRYPTO: tuple(
            f"{coin}-USD" for coin in "BTC ETH XRP BNB SOL DOGE ADA TRX SHIB PEPE".split()
        ),
        AssetClass.FOREX: ("EUR/USD", "GBP/USD", "USD/JPY", "USD/CHF"),
    }
)
ALL = tuple(symbol for symbols in SYMBOLS.values() for symbol in symbols)
CLASS_OF: Mapping[str, AssetClass] = MappingProxyType(
    {symbol: asset_class for asset_class, symbols in SYMBOLS.items() for symbol in symbols}
)
