"""Requests to the shared control state and its answers, as plain values.

Times are epoch milliseconds unless named otherwise. Nothing here talks to Redis.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from marketdata.domain.breaker import BreakerState
from marketdata.domain.budget import Limit, Use
from marketdata.domain.outcomes import BreakerEffect, DenyReason
from marketdata.domain.quotes import Source
from marketdata.domain.symbols import AssetClass
from marketdata.domain.trading_hours import Timetable

MOST_DETAIL = 200  # characters of an error that are kept


@dataclass(frozen=True, slots=True)
class DueSymbol:
    """A symbol to be priced now, its use, and since when it is due (0: never priced)."""

    symbol: str
    use: Use
    due_ms: int


@dataclass(frozen=True, slots=True)
class OpenSlot:
    """A claimed slot.

    `due`: the active symbols, the longest due first; then the new ones; then the watched ones; then
    those that no asset list knows, with or without a price. `now_ms`: the time of the clock that
    decided. `excluded`: symbols that a provider's plan excludes; the provider is not asked for them
    today. `timetables`: when markets trade, for each class whose timetable is stored. `previous_s`:
    the slot that was claimed before this one; None if that is not known.
    """

    slot_s: int
    now_ms: int
    due: tuple[DueSymbol, ...]
    excluded: frozenset[tuple[Source, str]]
    timetables: Mapping[AssetClass, Timetable]
    previous_s: int | None


@dataclass(frozen=True, slots=True)
class CallRequest:
    """Calls that a job would make at one provider, at any time until `until_ms`.

    `calls` is the most that is useful and `least` the fewest: the number of granted calls is
    between the two, or 0. `extra` more calls are granted if the budget has room after all requests
    have been answered. `ask_breaker` is False for asset lists, which are fetched even if the
    breaker of the quotes is open. `job` is the number of the job; a plan grows by that job's `size`
    with its first grant.
    """

    source: Source
    asset_class: AssetClass
    calls: int
    use: Use
    until_ms: int
    least: int = 1
    extra: int = 0
    ask_breaker: bool = True
    job: int = 0
    size: int = 0


@dataclass(frozen=True, slots=True)
class CallGrant:
    """The answer to a request: a permit and reserved calls, or neither (`calls` is 0).

    `use` is PROBE if a half-open breaker made the request its probe. `available_at_ms`: when a
    denied request may be granted, if no other request is granted before; None if that is not known.
    """

    source: Source
    asset_class: AssetClass
    calls: int
    generation: int
    probe: str | None
    end_ms: int
    use: Use
    reason: DenyReason | None = None
    available_at_ms: int | None = None


@dataclass(frozen=True, slots=True)
class AttemptResult:
    """The result of one grant. The first block repeats the grant.

    `reason`: why the breaker would open (`bad_key`). `hold_until_ms`: the provider is not called
    before that time. `detail` is for people and holds no secret. `judged`: whether the age of the
    prices could be judged; only then does a success end a row of stale answers. `calls_unsent`: how
    many of the used calls never reached the provider (name not resolved, connection refused); they
    do not delay the next one. `only_client_symbols`: no symbol of the calls was an active one.
    """

    source: Source
    asset_class: AssetClass
    generation: int
    probe: str | None
    calls_granted: int
    end_ms: int
    use: Use

    calls_used: int
    effect: BreakerEffect
    outcome: str
    detail: str = ""
    reason: str | None = None
    hold_until_ms: int | None = None
    judged: bool = True
    calls_unsent: int = 0
    only_client_symbols: bool = False


@dataclass(frozen=True, slots=True)
class LastError:
    """The latest failed attempt."""

    at_ms: int
    outcome: str
    detail: str


@dataclass(frozen=True, slots=True)
class ClassState:
    """The state of one breaker. `probe_due_ms`: when its next probe may be given, unless closed.

    `since_ms` is None for a breaker that never changed.
    """

    state: BreakerState
    since_ms: int | None
    reason: str | None
    generation: int
    probe_due_ms: int | None
    probing: bool
    last_success_ms: int | None
    last_error: LastError | None


@dataclass(frozen=True, slots=True)
class LimitState:
    """The state of one limit. `reset_ms`: when the oldest counted call leaves the window."""

    limit: Limit
    used: int
    reset_ms: int | None


@dataclass(frozen=True, slots=True)
class ProviderState:
    """The state of one provider: a breaker per class, one ledger.

    `routine_at_ms`: when a routine call fits its budget; at once if that is not in the future. None
    if the ledger cannot be read, so that nothing is granted.
    """

    source: Source
    classes: Mapping[AssetClass, ClassState]
    limits: tuple[LimitState, ...]
    hold_until_ms: int | None
    routine_at_ms: int | None


@dataclass(frozen=True, slots=True)
class ControlView:
    """All control state, read at once, and the time (`now_ms`) of the clock that decides.

    `last_slot_s` is None before the first slot. `wrong_clocks`: workers whose clock differed from
    that of Redis in the last minute, and by how many milliseconds they were ahead. `times_ahead`:
    sources whose times were ahead of our clock in the last minute, and by how many milliseconds.
    """

    providers: Mapping[Source, ProviderState]
    last_slot_s: int | None
    now_ms: int
    wrong_clocks: Mapping[str, int]
    times_ahead: Mapping[Source, int] = field(default_factory=dict)
