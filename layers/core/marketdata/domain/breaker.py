"""Circuit breakers: their states, their rule and their changes of state.

Each provider has one breaker per asset class, shared by all workers. The rules run in Redis
(`cache/lua/breaker_rules.lua`), because a decision for all workers is atomic only there. This
module defines the terms.

closed: calls pass, and successes and failures are counted. open: no call passes. half-open: exactly
one test call passes, the probe. Every change of state begins a new generation. A result of an
earlier generation changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from marketdata.clock import MINUTE_MS
from marketdata.domain.quotes import Source
from marketdata.domain.symbols import AssetClass


class BreakerState(StrEnum):
    """The three states. An open breaker becomes half-open when its first probe gets a permit."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@dataclass(frozen=True, slots=True)
class BreakerPolicy:
    """When breakers open and how they close again.

    `open_ms`: how long an open breaker lets no call pass. `probe_lease_ms`: if a probe is not
    reported within this time, it counts as lost, and another probe is given. A closed breaker opens
    when there were at least `failures` failures in the last `window_ms`, and they are at least half
    of the counted results. `stale_answers` stale answers in a row, without a success between them,
    count as that many failures, and each further one counts as one failure.
    """

    open_ms: int = 300_000
    probe_lease_ms: int = 15_000
    window_ms: int = MINUTE_MS
    failures: int = 5
    stale_answers: int = 3


@dataclass(frozen=True, slots=True)
class Permit:
    """Permission for one attempt: the breaker's generation, and the token if it is the probe."""

    generation: int
    probe: str | None = None


@dataclass(frozen=True, slots=True)
class Transition:
    """One change of state, for the log. `reason`: why it opened; None when it did not open."""

    source: Source
    asset_class: AssetClass
    before: BreakerState
    after: BreakerState
    reason: str | None
    generation: int
