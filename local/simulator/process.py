"""The price process: a pure function of seed, symbol and time, so that all processes agree.

A price is its start value times the exponential of a sum of movements. Each movement behaves like a
random walk and has a volatility. One movement belongs to the symbol only. Others are shared by a
group of symbols (the shares of a country, all coins, the dollar). Therefore shares move together a
little, coins move together more, and a share and a pair of currencies do not move together.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from hashlib import blake2b

from local.simulator.trading_hours import Hours
from local.simulator.universe import FUTURE, INDEX, Coin, Currency, Stock, Universe
from marketdata.clock import DAY_MS
from marketdata.domain.symbols import AssetClass

STEP_MS = 2_000

# Volatilities are standard deviations of the logarithm of a price over 24 hours.
GROUP_VOLATILITY = {"energy": 0.02, "grains": 0.012, "metals": 0.009}
SHARES_VOLATILITY, SHARE_VOLATILITY = 0.008, 0.012
COINS_VOLATILITY, COIN_VOLATILITY = 0.018, 0.016
DOLLAR_VOLATILITY, CURRENCY_VOLATILITY = 0.0025, 0.003
CURRENCY_OF_COINS = ("BTC", "ETH")
# Currencies that are tied to another one, with their share of an ordinary volatility.
_TIED_TO_DOLLAR = {"AED": 0.01, "SAR": 0.01, "HKD": 0.05, "CNY": 0.4, "CNH": 0.4, "KWD": 0.2}
_COUPLED = {"USDT", "USDC"}  # coins that follow the dollar

# A movement is a sum of waves whose lengths grow by four, from one step to a hundred days. Heights
# that grow with the root of the length make it look like a random walk at every scale.
_WAVE_COUNT = 12
_HEIGHT = 1.07
_WAVES = tuple(
    (4**number, _HEIGHT * math.sqrt(4**number * STEP_MS / DAY_MS)) for number in range(_WAVE_COUNT)
)
_MASK = (1 << 64) - 1
_CACHED_MOVEMENTS = 32_768
_CACHED_NOISE = 131_072


@dataclass(frozen=True, slots=True)
class Movement:
    """One part of the movement of a value: which random walk, and its volatility."""

    salt: int
    volatility: float


@dataclass(frozen=True, slots=True)
class Value:
    """A value in dollars or another unit: where it starts, and how it moves."""

    start: float
    movements: tuple[Movement, ...] = ()


@dataclass(frozen=True, slots=True)
class Series:
    """One symbol's prices: `base` in units of `quote`, with `decimals` places.

    `quote` is None where `base` is in the symbol's own currency. `label` is the canonical symbol,
    `asset` is the same for all pairs of one coin. `currency` is the unit of the prices. `signed`:
    a price may be zero or negative. `blank`: without any price. `frozen_ms`: no trade after it.
    """

    label: str
    asset: str
    asset_class: AssetClass
    currency: str
    hours: Hours
    base: Value
    quote: Value | None
    salt: int
    decimals: int
    signed: bool = False
    blank: bool = False
    frozen_ms: int | None = None


class Process:
    """All prices of one seed.

    A symbol is canonical: `AAPL`, `BTC-USD`, `EUR/USD`, or `@batcat-USD` for a coin by its slug.
    """

    def __init__(self, seed: int, universe: Universe) -> None:
        self._seed = seed
        self._universe = universe
        self._series: dict[str, Series] = {}
        self._movement = lru_cache(maxsize=_CACHED_MOVEMENTS)(_movement)

    def series(self, symbol: str) -> Series | None:
        """Return what is known of a symbol; None for one that is not traded."""
        known = self._series.get(symbol)
        if known is None:
            known = self._find(symbol)
            if known is not None:  # unknown symbols are not kept, so that they cost no memory
                self._series[symbol] = known
        return known

    def price(self, series: Series, at_ms: int, factor: float = 1.0) -> Decimal:
        """Return the price at an instant, times `factor`."""
        step = at_ms // STEP_MS
        value = self._value(series.base, step) * factor
        if series.quote is not None:
            value /= self._value(series.quote, step)
        # Odd multiples of the last place alternate with even ones, so that no price stands still.
        odd = (step ^ series.salt) & 1
        ticks = 2 * round((value * 10**series.decimals - odd) / 2) + odd
        if not series.signed:
            ticks = max(ticks, 1)
        return Decimal(ticks).scaleb(-series.decimals)

    def _value(self, value: Value, step: int) -> float:
        total = sum(part.volatility * self._movement(part.salt, step) for part in value.movements)
        return value.start * math.exp(total)

    def _find(self, symbol: str) -> Series | None:
        stock = self._universe.stocks.get(symbol)
        if stock is not None:
            return self._stock(stock)
        base, slash, quote = symbol.partition("/")
        if not slash:
            base, _, quote = symbol.rpartition("-")
        money = self._money(quote, is_forex=bool(slash))
        if money is None or base == quote:
            return None
        if slash:
            currency = self._universe.currencies.get(base)
            return None if currency is None else self._forex(symbol, currency, quote, money)
        coin = self._universe.by_label.get(base)
        if base.startswith("@"):
            coin = self._universe.coins.get(base[1:].lower())
        return None if coin is None else self._crypto(coin, quote, money)

    def _money(self, code: str, *, is_forex: bool) -> Value | None:
        """Return the value of the unit that a price is in: a currency, or one of two coins."""
        currency = self._universe.currencies.get(code)
        if currency is not None:
            return self._currency(currency)
        coin = self._universe.by_label.get(code)
        if coin is None or is_forex or code not in CURRENCY_OF_COINS:
            return None
        return self._coin(coin)

    def _stock(self, stock: Stock) -> Series:
        group = GROUP_VOLATILITY.get(stock.group, SHARES_VOLATILITY)
        movements = (
            self._shared(stock.group, group * stock.share),
            Movement(self._salt(stock.symbol), SHARE_VOLATILITY * stock.swing),
        )
        decimals = 2 if stock.price >= 100 else 3 if stock.price >= 10 else 4
        return Series(
            label=stock.symbol,
            asset=stock.symbol,
            asset_class=AssetClass.STOCKS,
            currency=stock.currency,
            hours=stock.hours,
            base=Value(stock.price, movements),
            quote=None,
            salt=self._salt(stock.symbol),
            decimals=decimals,
            signed=stock.quote_type in (INDEX, FUTURE),
            blank=stock.dead,
            frozen_ms=stock.frozen_ms,
        )

    def _forex(self, symbol: str, base: Currency, quote: str, money: Value) -> Series:
        return Series(
            label=symbol,
            asset=symbol,
            asset_class=AssetClass.FOREX,
            currency=quote,
            hours=Hours.FOREX,
            base=self._currency(base),
            quote=money,
            salt=self._salt(symbol),
            decimals=_places(base.price / money.start, digits=6),
        )

    def _crypto(self, coin: Coin, quote: str, money: Value) -> Series:
        symbol = f"{coin.label}-{quote}"
        return Series(
            label=symbol,
            asset=coin.label,
            asset_class=AssetClass.CRYPTO,
            currency=quote,
            hours=Hours.CRYPTO,
            base=self._coin(coin),
            quote=money,
            salt=self._salt(symbol),
            decimals=max(2, _places(coin.price / money.start, digits=8)),
            blank=coin.blank,
            frozen_ms=coin.frozen_ms,
        )

    def _coin(self, coin: Coin) -> Value:
        own = Movement(self._salt(coin.slug), COIN_VOLATILITY * coin.swing)
        if coin.ticker in _COUPLED:
            return Value(coin.price, (own,))
        share = min(coin.swing, 1.0) * COINS_VOLATILITY
        return Value(coin.price, (self._shared("coins", share), own))

    def _currency(self, currency: Currency) -> Value:
        if currency.code == "USD":
            return Value(1.0)
        swing = _TIED_TO_DOLLAR.get(currency.code, 1.0)
        movements = (
            self._shared("dollar", DOLLAR_VOLATILITY * swing),
            Movement(self._salt(currency.code), CURRENCY_VOLATILITY * swing),
        )
        return Value(currency.price, movements)

    def _shared(self, group: str, volatility: float) -> Movement:
        return Movement(self._salt(f"group {group}"), volatility)

    def _salt(self, text: str) -> int:
        digest = blake2b(f"{self._seed} {text}".encode(), digest_size=6).digest()
        return int.from_bytes(digest, "big")


def _movement(salt: int, step: int) -> float:
    """Return one random walk at a step, with volatility 1."""
    total = 0.0
    for number, (length, height) in enumerate(_WAVES):
        place, rest = divmod(step, length)
        before = _noise(salt + number, place)
        if rest:
            along = rest / length
            along *= along * (3 - 2 * along)
            before += (_noise(salt + number, place + 1) - before) * along
        total += height * before
    return total


@lru_cache(maxsize=_CACHED_NOISE)
def _noise(salt: int, place: int) -> float:
    """Return a number between -1 and 1 that looks random: the finalizer of SplitMix64."""
    mixed = (place * 0x9E3779B97F4A7C15 + salt * 0xD1342543DE82EF95) & _MASK
    mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9 & _MASK
    mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB & _MASK
    return ((mixed ^ (mixed >> 31)) >> 11) / (1 << 52) - 1


def _places(value: float, *, digits: int) -> int:
    """Return the decimal places that show a number of this size with so many digits."""
    return max(0, digits - 1 - math.floor(math.log10(value)))
