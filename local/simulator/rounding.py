"""How each provider rounds a price, and whether a price can be a rounding of a true one."""

from __future__ import annotations

import math
from decimal import Decimal

from marketdata.domain.quotes import Source
from marketdata.domain.symbols import AssetClass

ALPHA_VANTAGE_RATE_PLACES = 8
ALPHA_VANTAGE_STOCK_PLACES = 4


def to_places(price: Decimal, places: int) -> Decimal:
    """Return a price rounded to decimal places; NaN stays NaN."""
    return price.quantize(Decimal(1).scaleb(-places))


def coingecko_places(price: Decimal) -> int:
    """Return the decimal places of CoinGecko by default: none above 10,000, two above 1."""
    if not price.is_finite() or price >= 10_000:
        return 0
    return 2 if price >= 1 else 5 - math.floor(math.log10(price))


def is_rounded(source: Source, asset_class: AssetClass, price: Decimal, truth: Decimal) -> bool:
    """Return whether a provider writes the true price `truth` as `price`."""
    if source is Source.ALPHA_VANTAGE:
        is_stock = asset_class is AssetClass.STOCKS
        places = ALPHA_VANTAGE_STOCK_PLACES if is_stock else ALPHA_VANTAGE_RATE_PLACES
        return price == to_places(truth, places)
    if source is Source.COINGECKO:  # or finer than by default, if it is asked for a precision
        finest = -int(truth.as_tuple().exponent)
        coarsest = min(coingecko_places(truth), finest)
        return any(price == to_places(truth, n) for n in range(coarsest, finest + 1))
    return price == truth
