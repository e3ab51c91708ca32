"""The price process: a pure function of seed, symbol and time, so that all processes agree.

A price is a start value times slow waves of several lengths (drift) times a bounce that changes
sign every two seconds, so that it never stands still. All is bounded: within an hour a stock
moves less than 3 %, a pair of currencies less than 1 %, a coin less than 8 %.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from decimal import Decimal
from hashlib import blake2b

from local.simulator.sessions import Hours
from local.simulator.universe import Coin, Currency, Stock, Universe

STEP_MS = 2_000

# Length of a wave in ms and its height as a share of the price, for a stock.
_WAVES = (
    (30_000, 0.0002),
    (300_000, 0.001),
    (3_600_000, 0.004),
    (28_800_000, 0.012),
    (259_200_000, 0.03),
    (2_592_000_000, 0.1),
)
_TABLE_SIZE = 4096
_MIX = 0x9E3779B97F4A7C15  # spreads neighbouring numbers over the table


@dataclass(frozen=True, slots=True)
class _Waves:
    """The slow part of one asset. `liveliness` scales the heights; 0 stands still."""

    start: float
    salt: int
    liveliness: float


@dataclass(frozen=True, slots=True)
class Series:
    """One symbol's prices: `base` in `quote` (None: in its own currency), at `decimals` places.

    `bounce`: height of the fast part. `currency` is the unit of its prices. `blank`: without any
    price. `frozen_ms`: no trade after it.
    """

    label: str
    currency: str
    hours: Hours
    base: _Waves
    quote: _Waves | None
    salt: int
    bounce: float
    decimals: int
    blank: bool = False
    frozen_ms: int | None = None


class Process:
    """All prices of one seed.

    A symbol is canonical (`AAPL`, `BTC-USD`, `EUR/USD`); a coin that does not own its ticker goes
    by its slug (`batcat-USD`).
    """

    def __init__(self, seed: int, universe: Universe) -> None:
        self._seed = seed
        self._universe = universe
        source = random.Random(f"noise {seed}")
        self._table = [source.uniform(-1, 1) for _ in range(_TABLE_SIZE)]
        self._series: dict[str, Series] = {}

    def series(self, symbol: str) -> Series | None:
        """What is known of a symbol; None for one that is not traded."""
        known = self._series.get(symbol)
        if known is None:
            known = self._find(symbol)
            if known is not None:  # remembered only if traded, so that junk costs no memory
                self._series[symbol] = known
        return known

    def price(self, series: Series, at_ms: int, factor: float = 1.0) -> Decimal:
        """The price at an instant, after jumps that multiply it by `factor`."""
        step = at_ms // STEP_MS
        now_ms = step * STEP_MS
        value = self._slow(series.base, now_ms) * factor
        if series.quote is not None:
            value /= self._slow(series.quote, now_ms)
        height = 0.5 + 0.5 * abs(self._noise(step, series.salt))
        value *= 1 + series.bounce * (height if step % 2 else -height)
        ticks = max(1, round(value * 10**series.decimals))
        return Decimal(ticks).scaleb(-series.decimals)

    def _slow(self, waves: _Waves, at_ms: int) -> float:
        if not waves.liveliness:
            return waves.start
        total = 0.0
        for length, height in _WAVES:
            place, rest = divmod(at_ms, length)
            along = rest / length
            along *= along * (3 - 2 * along)
            salt = waves.salt + length
            before, after = self._noise(place, salt), self._noise(place + 1, salt)
            total += height * (before + (after - before) * along)
        return waves.start * (1 + waves.liveliness * total)

    def _noise(self, place: int, salt: int) -> float:
        return self._table[((place ^ salt) * _MIX >> 24) & (_TABLE_SIZE - 1)]

    def _find(self, symbol: str) -> Series | None:
        stock = self._universe.stocks.get(symbol)
        if stock is not None:
            return self._stock(stock)
        base, slash, quote = symbol.partition("/")
        if not slash:
            base, _, quote = symbol.rpartition("-")
        money = self._universe.currencies.get(quote)
        if money is None or base == quote:
            return None
        if slash:
            currency = self._universe.currencies.get(base)
            return None if currency is None else self._forex(symbol, currency, money)
        coin = self._universe.by_label.get(base)
        return None if coin is None else self._crypto(symbol, coin, money)

    def _stock(self, stock: Stock) -> Series:
        decimals = 2 if stock.price >= 100 else 3 if stock.price >= 10 else 4
        return Series(
            label=stock.symbol,
            currency=stock.currency,
            hours=stock.hours,
            base=_Waves(stock.price, self._salt(stock.symbol), 1.0),
            quote=None,
            salt=self._salt(stock.symbol),
            bounce=0.0002,
            decimals=decimals,
            blank=stock.dead,
            frozen_ms=stock.frozen_ms,
        )

    def _forex(self, symbol: str, base: Currency, quote: Currency) -> Series:
        return Series(
            label=symbol,
            currency=quote.code,
            hours=Hours.FOREX,
            base=self._currency(base),
            quote=self._currency(quote),
            salt=self._salt(symbol),
            bounce=0.0001,
            decimals=_places(base.price / quote.price, digits=6),
        )

    def _crypto(self, symbol: str, coin: Coin, quote: Currency) -> Series:
        return Series(
            label=symbol,
            currency=quote.code,
            hours=Hours.CRYPTO,
            base=_Waves(coin.price, self._salt(coin.slug), 2.5 * coin.liveliness),
            quote=self._currency(quote),
            salt=self._salt(symbol),
            bounce=0.0005 * coin.liveliness,
            decimals=max(2, _places(coin.price / quote.price, digits=8)),
            blank=coin.blank,
            frozen_ms=coin.frozen_ms,
        )

    def _currency(self, currency: Currency) -> _Waves:
        liveliness = 0.0 if currency.code == "USD" else 0.25
        return _Waves(currency.price, self._salt(currency.code), liveliness)

    def _salt(self, text: str) -> int:
        digest = blake2b(f"{self._seed} {text}".encode(), digest_size=4).digest()
        return int.from_bytes(digest, "big")


def _places(value: float, *, digits: int) -> int:
    """Decimal places that show a number of this size with so many significant digits."""
    return max(0, digits - 1 - math.floor(math.log10(value)))
