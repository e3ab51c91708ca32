"""Circuit breakers: their states, their rule and their changes of state.

There is one breaker per provider and asset class, shared by all workers. It runs in Redis
(`cache/lua/breaker_rules.lua`), because only there a decision is atomic for all of them. This
module defines its terms.

closed: calls pass, successes and failures are counted. open: nothing passes. half-open: exactly
one probe passes. Every change of state begins a new generation; a result that carries another
generation than the current one changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from marketdata.clock import MINUTE_MS
from marketdata.domain.quotes import Source
from marketdata.domain.symbols import AssetClass


class BreakerState(StrEnum):
    """The three states; an open breaker becomes half-open with the permit of its first probe."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@dataclass(frozen=True, slots=True)
class BreakerPolicy:
    """When breakers open and how they close again.

    `open_ms`: how long an open breaker lets nothing pass. `probe_lease_ms`: how long a probe may
    take to be reported; after that it counts as lost and is given again. A closed breaker opens
    when the last `window_ms` hold at least `failures` failures and these are at least half of the
    results counted. Stale answers count once `stale_answers` of them came in a row without a
    success between them: then as that many failures, and each further one as one failure.
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
