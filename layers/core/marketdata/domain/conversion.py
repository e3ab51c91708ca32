"""Prices in another currency: which forex quotes give a rate, and the converted amounts. Pure.

The rate between two currencies is the quote of their pair, one divided by the quote of the inverse
pair, or two rates over USD. Rates that are computed and converted amounts have 12 significant
digits. The rate of a quoted pair is used with all its digits.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Context, Decimal

from marketdata.domain.units import EXACT

DIGITS = Context(prec=12, rounding=ROUND_HALF_EVEN)
_PIVOT = "USD"


@dataclass(frozen=True, slots=True)
class QuotedRate:
    """A stored forex quote: one unit of its first currency costs `price` units of its second one.

    `timestamp`: the source's time of the price, aware UTC, None where it gives none.
    """

    symbol: str
    price: Decimal
    source: str
    timestamp: datetime | None
    stale: bool


@dataclass(frozen=True, slots=True)
class Rate:
    """A rate: how many units of one currency a unit of another is worth.

    `quotes` are the forex quotes that the value is computed from; none for the same currency.
    """

    value: Decimal
    quotes: tuple[QuotedRate, ...] = ()

    @property
    def symbol(self) -> str | None:
        """The pairs of the quotes, separated by commas."""
        return ",".join(quote.symbol for quote in self.quotes) or None

    @property
    def source(self) -> str | None:
        """The sources of the quotes, each once, separated by commas."""
        return ",".join(dict.fromkeys(quote.source for quote in self.quotes)) or None

    @property
    def timestamp(self) -> datetime | None:
        """The time of the older quote; None if any quote has no time."""
        times = [quote.timestamp for quote in self.quotes]
        known = [time for time in times if time is not None]
        return min(known) if known and len(known) == len(times) else None

    @property
    def stale(self) -> bool:
        """Whether any of the quotes is stale."""
        return any(quote.stale for quote in self.quotes)

    def convert(self, amount: Decimal) -> Decimal:
        """Return an amount in the other currency, rounded to 12 significant digits."""
        return DIGITS.multiply(amount, self.value) if self.quotes else amount


def rate_pairs(base: str, target: str) -> tuple[str, ...]:
    """Return the forex symbols that a rate from `base` to `target` may come from, the best first.

    The first one is the pair itself, whose price is the rate.
    """
    pairs = [f"{base}/{target}", f"{target}/{base}"]
    if _PIVOT not in (base, target):
        for currency in (base, target):
            pairs += [f"{currency}/{_PIVOT}", f"{_PIVOT}/{currency}"]
    return tuple(pairs)


def find_rate(base: str, target: str, quotes: Mapping[str, QuotedRate]) -> Rate | None:
    """Return the rate from `base` to `target` that the quotes give; None if they give none.

    The pair itself comes first, then its inverse, then a cross over USD. Every rate that is not
    stale comes before every stale one.
    """
    if base == target:
        return Rate(Decimal(1))
    rates = list(_rates(base, target, quotes))
    return next((rate for rate in rates if not rate.stale), rates[0] if rates else None)


def _rates(base: str, target: str, quotes: Mapping[str, QuotedRate]) -> Iterator[Rate]:
    for value, quote in _of_pair(base, target, quotes):
        is_quoted = value is quote.price
        yield Rate(value if is_quoted else DIGITS.plus(value), (quote,))
    if _PIVOT in (base, target):
        return
    for first, first_quote in _of_pair(base, _PIVOT, quotes):
        for second, second_quote in _of_pair(_PIVOT, target, quotes):
            value = DIGITS.plus(EXACT.multiply(first, second))
            yield Rate(value, (first_quote, second_quote))


def _of_pair(
    base: str, target: str, quotes: Mapping[str, QuotedRate]
) -> Iterator[tuple[Decimal, QuotedRate]]:
    """Yield the rates that the pair and its inverse give, with more digits than are shown."""
    for symbol, is_inverse in ((f"{base}/{target}", False), (f"{target}/{base}", True)):
        quote = quotes.get(symbol)
        if quote is not None and quote.price > 0:
            yield EXACT.divide(Decimal(1), quote.price) if is_inverse else quote.price, quote
