"""Whether a price may be believed: the limits, and the checks that one quote alone can fail.

What depends on the stored price and on other sources is decided in `cache/quotes_put.lua`, in the
same atomic step that writes; the limits that it uses are these.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from marketdata.clock import epoch_ms
from marketdata.domain.quotes import Quote, Source
from marketdata.domain.symbols import AssetClass

# The relative change against the stored price beyond which a price needs a second opinion.
JUMP_LIMITS: Mapping[AssetClass, float] = MappingProxyType(
    {AssetClass.STOCKS: 0.25, AssetClass.FOREX: 0.05, AssetClass.CRYPTO: 0.30}
)
# Older stored prices are no yardstick for a jump: a night or an outage lies between.
BASELINE_MS = 3_600_000
# How close two prices must be to confirm each other.
AGREEMENT = 0.02
# A ratio of prices in these bounds, or its inverse, is pence taken for pounds.
UNIT_RATIO = (95.0, 105.0)
# How far clocks may differ before a time counts as the future.
FUTURE_MS = 60_000


class Result(StrEnum):
    """What became of a quote.

    `older`: what is stored is newer, nothing changed. `quarantined`: held until it is confirmed.
    `rejected`: it can never be right.
    """

    WRITTEN = "written"
    OLDER = "older"
    QUARANTINED = "quarantined"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one quote, and why where it was not written.

    `reason` is `jump` or `unit_mismatch` for a quarantined quote, `not_finite`, `not_positive` or
    `future` for a rejected one, else None.
    """

    symbol: str
    source: Source
    result: Result
    reason: str | None = None


def refusal(quote: Quote, now_ms: int) -> str | None:
    """Why a quote can never be right, whatever is stored: a word for `Verdict.reason`, or None."""
    numbers = (quote.price, quote.change, quote.percent_change)
    if not all(number is None or number.is_finite() for number in numbers):
        return "not_finite"
    if quote.price <= 0:
        return "not_positive"
    times = (quote.timestamp, quote.fetched_at)
    if any(time is not None and epoch_ms(time) > now_ms + FUTURE_MS for time in times):
        return "future"
    return None
