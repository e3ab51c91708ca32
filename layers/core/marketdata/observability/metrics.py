"""All metrics: the one table of their series, and the samples of plans, commits and requests.

Each series is paid for by the month. So a dimension has few values, never a symbol, and a value
that no alarm needs is a field of the log instead. `meter` writes the samples.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

from marketdata.clock import SLOT_S
from marketdata.domain.acceptance import Result
from marketdata.domain.breaker import BreakerState
from marketdata.domain.catalogue import CHAINS
from marketdata.domain.outcomes import Outcome
from marketdata.domain.quotes import Source
from marketdata.domain.symbols import AssetClass

if TYPE_CHECKING:
    from marketdata.domain.messages import Plan, Summary
    from marketdata.domain.permits import ProviderState

NAMESPACE = "MarketData"

# A dimension of every metric: the name of the deployment, so that two in one account do not mix.
SERVICE = "service"

Dimensions = Mapping[str, str]

_ONE: tuple[Dimensions, ...] = ({},)
_CLASSES = tuple({"asset_class": asset_class.value} for asset_class in AssetClass)
_PROVIDERS = tuple({"provider": source.value} for source in Source)
_ATTEMPTS = tuple(
    {"provider": source.value, "outcome": outcome}
    for source in Source
    for outcome in ("answered", "failed")
)
_BREAKERS = tuple(
    {"provider": source.value, "asset_class": asset_class.value}
    for asset_class, chain in CHAINS.items()
    for source in chain
)


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric: its name and unit as in CloudWatch, and the dimensions of each of its series."""

    name: str
    unit: str
    meaning: str
    series: tuple[Dimensions, ...] = _ONE

    def sample(self, value: float, **dimensions: str) -> Sample:
        """One value of one of the series. Raises ValueError for a series that is not in the table.

        Values are rounded to thousandths.
        """
        if dimensions not in self.series:
            raise ValueError(f"{self.name} has no series {dimensions}; metrics.py lists them")
        return Sample(self, round(float(value), 3), dimensions)


@dataclass(frozen=True, slots=True)
class Sample:
    """One value of one series."""

    metric: Metric
    value: float
    dimensions: Dimensions = field(default_factory=dict)


TICK_LAG = Metric("TickLag", "Milliseconds", "how late a slot was claimed; each claim is a sample")
MISSED_SLOTS = Metric(
    "MissedSlots", "Count", "slots that no plan claimed, counted by the next claim"
)
QUOTE_AGE = Metric(
    "QuoteAge",
    "Seconds",
    "age of the oldest quote among the active symbols of a class, by our fetch; once a minute",
    _CLASSES,
)
BREAKER_STATE = Metric(
    "BreakerState", "None", "0 closed, 1 half-open, 2 open; once a minute", _BREAKERS
)
BUDGET_LEFT = Metric(
    "BudgetLeft",
    "Percent",
    "what is left of the longest window of a provider's limits; once a minute",
    _PROVIDERS,
)
PROVIDER_LATENCY = Metric(
    "ProviderLatency",
    "Milliseconds",
    "how long an attempt at a provider took; the number of samples is that of attempts",
    _ATTEMPTS,
)
RATE_LIMITED = Metric(
    "RateLimited", "Count", "attempts that a provider limited; they count as failed, too"
)
QUOTES_WRITTEN = Metric("QuotesWritten", "Count", "quotes that were accepted")
QUOTES_QUARANTINED = Metric(
    "QuotesQuarantined", "Count", "quotes that were held until another one confirms them"
)
API_LATENCY = Metric(
    "ApiLatency", "Milliseconds", "how long the api took for an answer; each one is a sample"
)
API_FAILED = Metric(
    "ApiFailed",
    "Count",
    "1 for a request that was answered with 5xx, else 0; each request is a sample. A 503 that says"
    " why there is no price or no list yet is a 0",
)
CACHE_HITS = Metric("CacheHits", "Count", "requested symbols that had a quote")
CACHE_MISSES = Metric("CacheMisses", "Count", "requested valid symbols that had none")

METRICS: tuple[Metric, ...] = (
    TICK_LAG,
    MISSED_SLOTS,
    QUOTE_AGE,
    BREAKER_STATE,
    BUDGET_LEFT,
    PROVIDER_LATENCY,
    RATE_LIMITED,
    QUOTES_WRITTEN,
    QUOTES_QUARANTINED,
    API_LATENCY,
    API_FAILED,
    CACHE_HITS,
    CACHE_MISSES,
)

# How an attempt counts. A `skipped` one made no call, so it does not count.
ANSWERS: Mapping[Outcome, str | None] = MappingProxyType(
    {
        Outcome.OK: "answered",
        Outcome.PARTIAL: "answered",
        Outcome.NOT_FOUND: "answered",
        Outcome.BAD_ROW: "answered",
        Outcome.RATE_LIMITED: "failed",
        Outcome.UNAUTHORIZED: "failed",
        Outcome.NOT_ENTITLED: "failed",
        Outcome.UNAVAILABLE: "failed",
        Outcome.BAD_PAYLOAD: "failed",
        Outcome.STALE: "failed",
        Outcome.SKIPPED: None,
    }
)
STATES: Mapping[BreakerState, int] = MappingProxyType(
    {BreakerState.CLOSED: 0, BreakerState.HALF_OPEN: 1, BreakerState.OPEN: 2}
)


def of_plan(plan: Plan, now_ms: int) -> list[Sample]:
    """Return the samples of a plan that began at `now_ms`; none if another plan has its slot."""
    if not plan.claimed:
        return []
    missed = 0 if plan.previous is None else (plan.slot - plan.previous) // SLOT_S - 1
    return [
        TICK_LAG.sample(max(0, now_ms - plan.slot * 1000)),
        MISSED_SLOTS.sample(max(0, missed)),
    ]


def opens_minute(plan: Plan) -> bool:
    """Return whether a plan's slot is the first that was claimed in its minute."""
    is_new = plan.previous is None or plan.previous // 60 != plan.slot // 60
    return plan.claimed and is_new


def of_commit(summary: Summary) -> list[Sample]:
    """Return the samples of a commit."""
    limited = sum(outcome.outcome is Outcome.RATE_LIMITED for outcome in summary.outcomes)
    return [
        QUOTES_WRITTEN.sample(sum(summary.written.values())),
        QUOTES_QUARANTINED.sample(summary.held_back.get(Result.QUARANTINED, 0)),
        RATE_LIMITED.sample(limited),
        *(
            PROVIDER_LATENCY.sample(step.latency_ms, provider=step.provider.value, outcome=counts)
            for step in summary.outcomes
            if (counts := ANSWERS[step.outcome])
        ),
    ]


def of_ages(fetched_ms: Mapping[AssetClass, Sequence[int | None]], now_ms: int) -> list[Sample]:
    """Return the age of the oldest quote of each class; None in `fetched_ms` is a missing quote.

    A class without active symbols has the age 0. A class with symbols and without any quote has no
    sample: the alarm on the age treats missing samples as a breach.
    """
    samples = []
    for asset_class, all_times in fetched_ms.items():
        times = [time_ms for time_ms in all_times if time_ms is not None]
        if times or not all_times:
            age_s = max(0, now_ms - min(times, default=now_ms)) / 1000
            samples.append(QUOTE_AGE.sample(age_s, asset_class=asset_class.value))
    return samples


def of_provider(state: ProviderState) -> list[Sample]:
    """Return the samples of a provider's breakers and budget."""
    source = state.source.value
    longest = max(state.limits, key=lambda state: state.limit.window_ms)
    # A ledger that cannot be read grants nothing.
    left = 0 if state.routine_at_ms is None else 1 - longest.used / longest.limit.calls
    return [
        BUDGET_LEFT.sample(100 * max(0.0, left), provider=source),
        *(
            BREAKER_STATE.sample(
                STATES[breaker.state], provider=source, asset_class=asset_class.value
            )
            for asset_class, breaker in state.classes.items()
        ),
    ]


def of_request(
    duration_ms: float, *, hits: int | None, misses: int | None, failed: bool
) -> list[Sample]:
    """Return the samples of a request; `hits` and `misses` are None if it is not about quotes.

    `failed`: whether the api could not answer, although the request was right.
    """
    samples = [API_LATENCY.sample(duration_ms), API_FAILED.sample(int(failed))]
    if hits is not None and misses is not None:
        samples += [CACHE_HITS.sample(hits), CACHE_MISSES.sample(misses)]
    return samples
