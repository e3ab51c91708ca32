"""The figures beside a price: number of shares, volume, market value. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b

from local.simulator.records import Tick
from local.simulator.universe import EQUITY, FUTURE, Coin, Currency, Stock
from marketdata.domain.units import MINOR_UNITS

_INDEX_VOLUME, _FUTURE_VOLUME = 4_500_000_000, 250_000
_TURNOVER_OF_COINS = 0.03  # of their market value in 24 hours
_TURNOVER_OF_SHARES = 0.004  # of their number in one session


def shares_outstanding(stock: Stock, currencies: Mapping[str, Currency]) -> int:
    """Return the number of shares."""
    unit = MINOR_UNITS.get(stock.currency)
    price = stock.price / 10**unit.places if unit else stock.price
    currency = currencies[unit.currency if unit else stock.currency]
    return max(1, int(stock.value * 1e9 / (price * currency.price)))


def market_cap(shares: int, tick: Tick) -> int:
    """Return the market value in the currency, not in its minor unit."""
    unit = MINOR_UNITS.get(tick.series.currency)
    price = float(tick.price)
    return int(shares * (price / 10**unit.places if unit else price))


def volume(stock: Stock, shares: int, tick: Tick) -> int:
    """Return how many shares or contracts were traded in the session so far; it never falls."""
    of_session = _INDEX_VOLUME
    if stock.quote_type == EQUITY:
        of_session = max(100, int(shares * _TURNOVER_OF_SHARES))
    if stock.quote_type == FUTURE:
        of_session = _FUTURE_VOLUME
    session = tick.session
    done = (min(tick.at_ms, session.close_ms) - session.open_ms) / (
        session.close_ms - session.open_ms
    )
    return int(of_session * _activity(f"{stock.symbol} {session.open_ms}") * max(0.0, done))


def coin_market_cap(coin: Coin, tick: Tick) -> float:
    """Return the market value in the currency of the price."""
    return float(tick.price) * coin.supply


def coin_volume(coin: Coin, tick: Tick) -> float:
    """Return what was traded in 24 hours, in the currency of the price."""
    return coin_market_cap(coin, tick) * _TURNOVER_OF_COINS


def _activity(text: str) -> float:
    """Return how busy a session is: 0.5 to 1.5, the same in every process."""
    return 0.5 + blake2b(text.encode(), digest_size=1).digest()[0] / 255
