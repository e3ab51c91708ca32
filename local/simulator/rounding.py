"""How each provider rounds a price, and whether a rounded price may stand for a true one."""

from __future__ import annotations

import math
from decimal import Decimal

from local.simulator.sessions import Hours
from marketdata.domain.quotes import Source

ALPHA_VANTAGE_RATE_PLACES = 8
ALPHA_VANTAGE_STOCK_PLACES = 4


def to_places(price: Decimal, places: int) -> Decimal:
    """A price rounded to decimal places; NaN stays NaN."""
    return price.quantize(Decimal(1).scaleb(-places))


def coingecko_places(price: Decimal) -> int:
    """Decimal places that CoinGecko shows by itself: whole dollars above 10,000, cents above 1."""
    if not price.is_finite() or price >= 10_000:
        return 0
    return 2 if price >= 1 else 5 - math.floor(math.log10(price))


def told_by(source: Source, hours: Hours, price: Decimal, truth: Decimal) -> bool:
    """Whether a provider tells `price` when the truth is `truth`."""
    if source is Source.ALPHA_VANTAGE:
        is_stock = hours in (Hours.US, Hours.LONDON)
        places = ALPHA_VANTAGE_STOCK_PLACES if is_stock else ALPHA_VANTAGE_RATE_PLACES
        return price == to_places(truth, places)
    if source is Source.COINGECKO:  # or finer than by itself, when it is asked for a precision
        finest = -int(truth.as_tuple().exponent)
        coarsest = min(coingecko_places(truth), finest)
        return any(price == to_places(truth, n) for n in range(coarsest, finest + 1))
    return price == truth
