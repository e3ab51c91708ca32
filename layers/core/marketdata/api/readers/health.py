"""The rules by which the service is healthy, degraded or unhealthy, each with its reason.

Pure: no clock and no cache is read here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from marketdata.domain.breaker import BreakerState
from marketdata.domain.outcomes import ADDRESS_NOT_ACCEPTED, Outcome
from marketdata.domain.quotes import Source
from marketdata.domain.symbols import AssetClass

if TYPE_CHECKING:
    from marketdata.cache.memory import MemoryState
    from marketdata.domain.permits import ClassState, LastError

# After twelve slots in a row without a claim, the loop counts as stopped.
MOST_LAG_S = 60
FRESH_ENOUGH = 0.9
FRESH_AT_LEAST = 0.5
# A rate limit of Yahoo ends after about a minute. If Yahoo rejects calls for this long, it rejects
# our IP address, because the service sends fewer calls than Yahoo allows.
REJECTED_MS = 900_000


class Status(StrEnum):
    """`degraded`: parts of the service do not work. `unhealthy`: do not rely on its quotes."""

    HEALTHY = "healthy"
    DEGRADED = "degraded"
    UNHEALTHY = "unhealthy"


@dataclass(frozen=True, slots=True)
class ClassFacts:
    """How many symbols of a class are always priced, and how many of them have a fresh quote."""

    asset_class: AssetClass
    active: int
    fresh: int


@dataclass(frozen=True, slots=True)
class ListFacts:
    """One asset list: its length and its time of refresh, both None before the first list."""

    asset_class: AssetClass
    total: int | None
    updated_at_ms: int | None
    stale: bool


@dataclass(frozen=True, slots=True)
class Facts:
    """The facts that decide the health. `lag_s`: age of the last claimed slot, None without one.

    `breakers` are those of enabled providers. `wrong_clocks`: workers whose clock differs from that
    of Redis, and by how many milliseconds they are ahead. `times_ahead`: sources whose times are
    ahead of our clock, and by how many milliseconds. `memory`: None if it is unknown.
    """

    lag_s: float | None
    classes: Sequence[ClassFacts]
    lists: Sequence[ListFacts]
    breakers: Sequence[tuple[Source, AssetClass, ClassState]]
    wrong_clocks: Mapping[str, int] = field(default_factory=dict)
    times_ahead: Mapping[Source, int] = field(default_factory=dict)
    memory: MemoryState | None = None


Finding = tuple[Status, str]


def judge(facts: Facts) -> tuple[Status, list[str]]:
    """Return the worst status of all findings, and their texts, the causes first."""
    causes = (_memory, _loop, _clocks, _unreachable, _address, _breakers)
    consequences = (_quotes, _lists)
    findings = [finding for find in (*causes, *consequences) for finding in find(facts)]
    statuses = [status for status, _ in findings]
    worst = next((s for s in (Status.UNHEALTHY, Status.DEGRADED) if s in statuses), Status.HEALTHY)
    return worst, [reason for _, reason in findings]


def fresh_ratio(classes: Sequence[ClassFacts]) -> float | None:
    """Return the share of active symbols with a fresh quote, three digits; None without symbols."""
    active = sum(facts.active for facts in classes)
    return round(sum(facts.fresh for facts in classes) / active, 3) if active else None


def _memory(facts: Facts) -> Iterator[Finding]:
    memory = facts.memory
    if memory is None:
        return
    limit = f"its limit is {memory.most_bytes:,} bytes"
    if memory.rejects_writes:
        yield Status.DEGRADED, f"Redis is full ({limit}) and rejects what is written"
    elif memory.evicts:
        count = f"{memory.evicted_keys:,} keys so far"
        yield Status.DEGRADED, f"Redis is full ({limit}), so quotes are being evicted ({count})"


def _loop(facts: Facts) -> Iterator[Finding]:
    if facts.lag_s is None:
        yield Status.UNHEALTHY, "the price loop has not run yet"
    elif facts.lag_s > MOST_LAG_S:
        yield Status.UNHEALTHY, f"the price loop has not run for {facts.lag_s:.0f} s"


def _clocks(facts: Facts) -> Iterator[Finding]:
    for worker, offset_ms in sorted(facts.wrong_clocks.items()):
        side = "ahead of" if offset_ms > 0 else "behind"
        text = f"the clock of worker {worker} is {abs(offset_ms) / 1000:.0f} s {side} that of Redis"
        yield Status.DEGRADED, text
    if facts.times_ahead:
        sources = ", ".join(source.value for source in facts.times_ahead)
        behind_s = max(facts.times_ahead.values()) / 1000
        text = (
            f"our clock is {behind_s:.0f} s behind the times of {sources}, so prices are rejected"
        )
        yield Status.DEGRADED, text


def _unreachable(facts: Facts) -> Iterator[Finding]:
    """Find that at every provider that was asked the latest attempt ended as `unavailable`."""
    latest = _latest_attempts(facts)
    errors = [error for error in latest.values() if error is not None]
    unavailable = [error for error in errors if error.outcome == Outcome.UNAVAILABLE]
    if latest and len(unavailable) == len(latest):
        newest = max(unavailable, key=lambda error: error.at_ms)
        yield Status.DEGRADED, f"no provider can be reached ({newest.detail})"


def _address(facts: Facts) -> Iterator[Finding]:
    """Find a provider that rejects every call because of the address that calls come from.

    Yahoo answers callers from some addresses that they call too often, even if they call rarely.
    """
    for source, error in _latest_attempts(facts).items():
        if error is None or error.outcome not in (Outcome.RATE_LIMITED, Outcome.UNAVAILABLE):
            continue
        if ADDRESS_NOT_ACCEPTED in error.detail:
            yield Status.DEGRADED, error.detail
        elif source is Source.YFINANCE and error.outcome == Outcome.RATE_LIMITED:
            successes = [
                state.last_success_ms or 0 for one, _, state in facts.breakers if one is source
            ]
            if error.at_ms - max(successes) >= REJECTED_MS:
                text = "rejects every call as one too many, so perhaps it"
                yield Status.DEGRADED, f"{source.value} {text} {ADDRESS_NOT_ACCEPTED}"


def _latest_attempts(facts: Facts) -> dict[Source, LastError | None]:
    """Return the error of the latest attempt at each asked provider; None for a success."""
    latest: dict[Source, tuple[int, LastError | None]] = {}
    for source, _, state in facts.breakers:
        attempts: list[tuple[int, LastError | None]] = []
        if state.last_success_ms is not None:
            attempts.append((state.last_success_ms, None))
        if state.last_error is not None:
            attempts.append((state.last_error.at_ms, state.last_error))
        for attempt in attempts:
            if source not in latest or attempt[0] >= latest[source][0]:
                latest[source] = attempt
    return {source: error for source, (_, error) in latest.items()}


def _quotes(facts: Facts) -> Iterator[Finding]:
    ratio = fresh_ratio(facts.classes)
    if ratio is not None and ratio < FRESH_ENOUGH:
        status = Status.UNHEALTHY if ratio < FRESH_AT_LEAST else Status.DEGRADED
        yield status, f"{ratio:.0%} of the active symbols have a fresh quote"
    for found in facts.classes:
        if found.active and not found.fresh:
            yield Status.DEGRADED, f"no quote of {found.asset_class.value} is fresh"


def _breakers(facts: Facts) -> Iterator[Finding]:
    for source, asset_class, found in facts.breakers:
        if found.state is not BreakerState.CLOSED:
            state = found.state.value.replace("_", "-")
            why = f" ({found.reason.replace('_', ' ')})" if found.reason else ""
            yield (
                Status.DEGRADED,
                f"the breaker of {source.value} for {asset_class.value} is {state}{why}",
            )


def _lists(facts: Facts) -> Iterator[Finding]:
    for found in facts.lists:
        if found.total is None:
            yield Status.DEGRADED, f"there is no list of {found.asset_class.value} yet"
        elif found.stale:
            yield Status.DEGRADED, f"the list of {found.asset_class.value} is stale"
