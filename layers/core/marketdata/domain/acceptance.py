"""Whether a price is accepted: the limits, and the checks that need only the quote itself.

The checks that need the stored price or another source are in `cache/lua/acceptance_rules.lua`,
because writing and checking are one atomic step. They use the limits of this module.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from statistics import median
from types import MappingProxyType

from marketdata.clock import DAY_MS, HOUR_MS, MINUTE_MS, epoch_ms
from marketdata.domain.quotes import Quote, Source
from marketdata.domain.symbols import AssetClass, is_future, is_index

# A price that differs from the stored price by more than this share needs a second observation.
JUMP_LIMITS: Mapping[AssetClass, Decimal] = MappingProxyType(
    {
        AssetClass.STOCKS: Decimal("0.25"),
        AssetClass.FOREX: Decimal("0.05"),
        AssetClass.CRYPTO: Decimal("0.30"),
    }
)
# A jump is measured only against a stored price that was fetched less than this time ago.
BASELINE_MS = HOUR_MS
# Two sources agree if their prices differ by at most this share of the larger one.
AGREEMENT = 0.10
# Two sources are compared only if their observations are at most this far apart. Otherwise the
# later one is written.
SAME_LOOK_MS = 10 * MINUTE_MS
# How many minor units a currency has, for currencies in whose minor unit providers quote shares.
# Futures of the United States are quoted in cents.
UNIT_FACTORS: Mapping[str, int] = MappingProxyType(
    {"GBP": 100, "ZAR": 100, "ILS": 100, "KWD": 1000}
)
FUTURES_UNIT_FACTORS: Mapping[str, int] = MappingProxyType({"USD": 100})
# The ratio of two prices counts as the factor of a unit if the two differ by at most this share.
UNIT_TOLERANCE = 0.05
# If a source gives prices that look like another unit for this long, they are accepted.
UNIT_HOLD_MS = DAY_MS
# An answer with the stored price confirms the stored quote if its time is older by at most this.
REPEAT_MS = 2 * MINUTE_MS
# A time that is ahead of the clock by more than this is in the future.
FUTURE_MS = MINUTE_MS
# At least this many symbols with a time in the future show that a clock is wrong.
LEAST_AHEAD = 2


class Result(StrEnum):
    """How a quote was judged.

    `written`: readers see it, or it confirmed the stored quote. `older`: the stored quote is newer,
    or the ticker has become another coin, so nothing changed. `quarantined`: held until it is
    confirmed. `rejected`: it can never be right.
    """

    WRITTEN = "written"
    OLDER = "older"
    QUARANTINED = "quarantined"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Verdict:
    """How one quote was judged, and the reason if it was not written.

    `source`: for a written quote, the source whose price was written, because a second source can
    confirm the price of the first; else the source of the quote. `reason` is `jump` or
    `unit_mismatch` for a quarantined quote, `not_finite`, `not_positive` or `future` for a rejected
    one, `other_coin` for an older one of another coin, else None. `ahead_ms`: by how much the time
    of a quote that is in the future is ahead of the clock that decided; else 0.
    """

    symbol: str
    source: Source
    result: Result
    reason: str | None = None
    ahead_ms: int = 0


def rejection_reason(quote: Quote) -> str | None:
    """Return why a quote can never be right, as in `Verdict.reason`; None if it may be right.

    Whether its time is in the future is decided by the clock of Redis, in `quotes_put.lua`.
    """
    numbers = (quote.price, quote.change, quote.percent_change, *quote.figures)
    if not all(number is None or number.is_finite() for number in numbers):
        return "not_finite"
    if quote.price <= 0 and not may_be_negative(quote.symbol):
        return "not_positive"
    return None


def is_ahead(quote: Quote) -> bool:
    """Return whether a quote's time was in the future by the clock of the machine that fetched."""
    if quote.timestamp is None:
        return False
    return epoch_ms(quote.timestamp) - epoch_ms(quote.fetched_at) > FUTURE_MS


def rejection_message(quote: Quote, verdict: Verdict) -> str:
    """Return the reason of a rejected quote for a person."""
    where = f"{quote.source.value}: {quote.symbol}"
    if verdict.reason == "future":
        ahead_s = round(verdict.ahead_ms / 1000)
        return f"{where}: the price has a time that is {ahead_s} s ahead of our clock"
    if verdict.reason == "not_positive":
        return f"{where}: the price is {quote.price}, not above zero"
    return f"{where}: the price or another figure is not a finite number"


def times_ahead(quotes: Sequence[Quote], verdicts: Sequence[Verdict]) -> dict[Source, int]:
    """Return by how many milliseconds the times of each source are ahead of our clock; 0 if not.

    `verdicts` are those of `quotes`. Times are ahead if most of a source's quotes, and at least
    two, have a time in the future by about the same amount: then the two clocks differ. If only one
    symbol has such a time, the time of that symbol is wrong.
    """
    found = {}
    for source in dict.fromkeys(quote.source for quote in quotes):
        own = [
            verdict.ahead_ms
            for quote, verdict in zip(quotes, verdicts, strict=True)
            if quote.source is source and quote.timestamp is not None
        ]
        ahead = [ms for ms in own if ms]
        middle_ms = round(median(ahead)) if ahead else 0
        agreeing = [ms for ms in ahead if abs(ms - middle_ms) <= FUTURE_MS]
        is_most = len(agreeing) >= LEAST_AHEAD and 2 * len(agreeing) > len(own)
        # A price is made before it is sent, so the newest one shows the clock best.
        found[source] = max(agreeing) if is_most else 0
    return found


def may_be_negative(symbol: str) -> bool:
    """Return whether a price can be zero or less: futures (`CL=F`) and indices (`^VIX`)."""
    return is_index(symbol) or is_future(symbol)


def unit_factor(quote: Quote) -> int:
    """Return how many minor units the currency of a share has; 0 if no provider quotes in them."""
    if quote.asset_class is not AssetClass.STOCKS or quote.currency is None:
        return 0
    if is_future(quote.symbol) and quote.currency in FUTURES_UNIT_FACTORS:
        return FUTURES_UNIT_FACTORS[quote.currency]
    return UNIT_FACTORS.get(quote.currency, 0)


def is_jump(price: Decimal, before: Decimal, asset_class: AssetClass) -> bool:
    """Return whether a price is beyond its class's limit against the price before."""
    return abs(price - before) > JUMP_LIMITS[asset_class] * abs(before)
