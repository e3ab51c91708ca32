"""Whether a price may be believed: the limits, and the checks that need one quote alone.

The checks that need the stored price or another source are in `cache/lua/acceptance_rules.lua`, in
the atomic step that writes. They use the limits of this module.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType

from marketdata.clock import DAY_MS, HOUR_MS, MINUTE_MS, epoch_ms
from marketdata.domain.quotes import Quote, Source
from marketdata.domain.symbols import AssetClass

# The relative change against the stored price beyond which a price needs a second observation.
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
# Observations of two sources that are further apart in time are not of one look: the later one is
# written.
SAME_LOOK_MS = 10 * MINUTE_MS
# How many minor units a currency has, where providers quote shares in the minor unit. Futures of
# the United States are quoted in cents.
UNIT_FACTORS: Mapping[str, int] = MappingProxyType(
    {"GBP": 100, "ZAR": 100, "ILS": 100, "KWD": 1000}
)
FUTURES_UNIT_FACTORS: Mapping[str, int] = MappingProxyType({"USD": 100})
# A ratio of two prices counts as a unit's factor if it differs from it by at most this share.
UNIT_TOLERANCE = 0.05
# A source that keeps saying a price of another unit is believed after this time.
UNIT_HOLD_MS = DAY_MS
# An answer with the stored price and a time that is older by at most this confirms that quote.
REPEAT_MS = 2 * MINUTE_MS
# A time that is ahead of the clock by more than this is in the future.
FUTURE_MS = MINUTE_MS
# Clocks of two machines that differ by more than this are named.
CLOCK_SKEW_MS = 2_000


class Result(StrEnum):
    """What became of a quote.

    `written`: readers see it, or it confirmed the stored quote. `older`: the stored quote is newer,
    nothing changed. `quarantined`: held until it is confirmed. `rejected`: it can never be right.
    """

    WRITTEN = "written"
    OLDER = "older"
    QUARANTINED = "quarantined"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one quote, and the reason if it was not written.

    `source` is the source whose price was written, for a written quote: a second source can confirm
    the price of the first. `reason` is `jump` or `unit_mismatch` for a quarantined quote,
    `not_finite`, `not_positive` or `future` for a rejected one, else None.
    """

    symbol: str
    source: Source
    result: Result
    reason: str | None = None


def rejection_reason(quote: Quote, now_ms: int) -> str | None:
    """Return why a quote can never be right, whatever is stored, as `Verdict.reason`; else None."""
    numbers = (quote.price, quote.change, quote.percent_change, *quote.figures)
    if not all(number is None or number.is_finite() for number in numbers):
        return "not_finite"
    if quote.price <= 0 and not may_be_negative(quote.symbol):
        return "not_positive"
    times = (quote.timestamp, quote.fetched_at)
    if any(time is not None and epoch_ms(time) > now_ms + FUTURE_MS for time in times):
        return "future"
    return None


def rejection_message(quote: Quote, reason: str, now_ms: int) -> str:
    """Return the reason of a rejected quote for a person."""
    source = quote.source.value
    if reason == "future" and quote.timestamp is not None:
        ahead_s = round((epoch_ms(quote.timestamp) - now_ms) / 1000)
        return f"{source}: the price has a time that is {ahead_s} s ahead of our clock"
    if reason == "not_positive":
        return f"{source}: the price is {quote.price}, not above zero"
    if reason == "not_finite":
        return f"{source}: the price or its change is not a finite number"
    return f"{source}: the price was fetched at a time that is ahead of our clock"


def may_be_negative(symbol: str) -> bool:
    """Return whether a price can be zero or less: futures (`CL=F`) and indices (`^VIX`)."""
    return symbol.startswith("^") or symbol.endswith("=F")


def unit_factor(quote: Quote) -> int:
    """Return how many minor units the currency of a share has, 0 where providers quote in none."""
    if quote.asset_class is not AssetClass.STOCKS or quote.currency is None:
        return 0
    if quote.symbol.endswith("=F") and quote.currency in FUTURES_UNIT_FACTORS:
        return FUTURES_UNIT_FACTORS[quote.currency]
    return UNIT_FACTORS.get(quote.currency, 0)


def is_jump(price: Decimal, before: Decimal, asset_class: AssetClass) -> bool:
    """Return whether a price is beyond its class's limit against the price before."""
    return abs(price - before) > JUMP_LIMITS[asset_class] * abs(before)
