"""The messages between the functions of the price loop, and what all messages share.

Each message is a frozen pydantic model. A handler validates its event into one message and returns
another message as plain JSON. Decimals travel as strings, because Step Functions would turn JSON
numbers into doubles. While a deployment is under way two versions of the code exchange messages:
unknown fields are ignored, and a field that is added later has a default.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    WrapSerializer,
)

from marketdata.domain.acceptance import Result
from marketdata.domain.breaker import BreakerState, Permit
from marketdata.domain.budget import Use
from marketdata.domain.catalogue import Instrument
from marketdata.domain.outcomes import DenyReason, MissingQuote, Outcome, Reason
from marketdata.domain.quotes import FIGURES, MarketState, Quote, Source
from marketdata.domain.symbols import AssetClass
from marketdata.domain.trading_hours import Trading

_OPTIONAL = frozenset((*FIGURES, "market_state", "extended"))


def _without_absent_figures(quote: Quote, dump: SerializerFunctionWrapHandler) -> Any:
    """Drop the figures that a quote does not have, because a report must stay small."""
    return {
        name: value
        for name, value in dump(quote).items()
        if value is not None or name not in _OPTIONAL
    }


QuoteMessage = Annotated[Quote, WrapSerializer(_without_absent_figures)]


# Plain JSON: the event that Lambda gives a function, and the answer that the function returns.
EventJson = dict[str, Any]


class Message(BaseModel):
    """Any message between two functions."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    def to_event(self) -> EventJson:
        """Return the message as plain JSON.

        One function returns it, and the next function gets it.
        """
        return self.model_dump(mode="json")

    def json_bytes(self) -> int:
        """Return how many bytes the message takes in a list, as Lambda writes an answer."""
        return len(json.dumps(self.to_event())) + len(", ")


class SlotEvent(Message):
    """The input of plan_quotes: the start of a slot, epoch seconds.

    `execution` is the id of the state machine's execution; it is empty on one machine.
    """

    slot: int
    execution: str = ""


class Reservation(Message):
    """Calls that are reserved in a provider's budget, to be made until `end_ms`."""

    end_ms: int
    use: Use


class LastPrice(Message):
    """The stored quote of a symbol: its price, and the provider's time if there is one."""

    price: Decimal
    timestamp_ms: int | None = None


class Attempt(Message):
    """Calls that a job may make at one provider.

    `calls`: how many are reserved. `excluded`: symbols that the provider's plan does not cover.
    """

    provider: Source
    calls: int
    permit: Permit
    reservation: Reservation
    excluded: tuple[str, ...] = ()


class SkippedProvider(Message):
    """A provider of a job's chain that is not asked, and the reason.

    `available_at_ms`: when it may be asked again, if that is known.
    """

    provider: Source
    reason: DenyReason
    available_at_ms: int | None = None


class Job(Message):
    """Symbols of one class that are fetched together, before `deadline_ms`.

    `attempts` are in the order of the chain. `fillers` are symbols that take free places in calls
    that are made for other symbols. `last` has the stored quotes by symbol. `trading`: whether the
    market of the class is open. `market_state` is that of shares listed in New York, None for other
    classes and where the calendar ends. `clock_ahead_ms`: by how much the clock of the worker that
    planned the job is ahead of the clock of Redis; 0 if it is right.
    """

    id: str
    slot: int
    deadline_ms: int
    asset_class: AssetClass
    instruments: tuple[Instrument, ...]
    attempts: tuple[Attempt, ...]
    use: Use = Use.ACTIVE
    trading: Trading = Trading()
    market_state: MarketState | None = None
    fillers: tuple[str, ...] = ()
    skipped: tuple[SkippedProvider, ...] = ()
    last: Mapping[str, LastPrice] = Field(default_factory=dict)
    execution: str = ""
    clock_ahead_ms: int = 0


class SkippedInPlan(SkippedProvider):
    """A provider that at least one job of a class does not ask.

    The earliest time of all jobs counts.
    """

    asset_class: AssetClass


class Plan(Message):
    """The output of plan_quotes.

    `claimed`: whether this plan got the slot; without the slot there are no jobs. `previous`: the
    slot that was claimed before it, if that is known. `deferred`: how many due symbols did not fit.
    """

    slot: int
    claimed: bool
    jobs: tuple[Job, ...]
    previous: int | None = None
    due: int = 0
    deferred: int = 0
    skipped: tuple[SkippedInPlan, ...] = ()
    execution: str = ""


class AttemptOutcome(Message):
    """The result of one attempt at a provider.

    `hold_s`: for how many seconds the provider asks not to be called. `not_entitled`: symbols that
    the key's plan excludes. `bad_rows`: symbols whose rows could not be used. `quotes`: how many
    quotes it gave. `calls_unsent`: how many of the used calls never reached the provider.
    """

    provider: Source
    outcome: Outcome
    calls_used: int
    calls_unsent: int = 0
    hold_s: float | None = None
    detail: str = ""
    latency_ms: int = 0
    not_entitled: tuple[str, ...] = ()
    bad_rows: tuple[str, ...] = ()
    quotes: int = 0


class Report(Message):
    """The output of fetch_quotes, or a job whose fetch failed with `error`.

    Each instrument of the job has a quote or a reason. An instrument that needed a second opinion
    may have two quotes.
    """

    job: Job
    quotes: tuple[QuoteMessage, ...] = ()
    missing: tuple[MissingQuote, ...] = ()
    outcomes: tuple[AttemptOutcome, ...] = ()
    error: str = ""


class SummaryOutcome(Message):
    """One attempt as it was recorded."""

    provider: Source
    outcome: Outcome
    calls_used: int
    latency_ms: int
    quotes: int
    detail: str


class BreakerChange(Message):
    """A breaker that changed its state. `reason`: why it opened, None if it did not open."""

    provider: Source
    asset_class: AssetClass
    before: BreakerState
    after: BreakerState
    reason: str | None


# A summary names at most this many missing symbols of each reason. The others are counted.
MOST_NAMED = 5


class Summary(Message):
    """The output of commit_quotes.

    `written` counts quotes by source, `held_back` by verdict, `missing` by reason.
    `missing_symbols` names the first of the missing symbols of each reason, `MOST_NAMED` at most.
    """

    slot: int
    job: str
    asset_class: AssetClass
    written: Mapping[Source, int]
    held_back: Mapping[Result, int]
    missing: Mapping[Reason, int]
    outcomes: tuple[SummaryOutcome, ...]
    transitions: tuple[BreakerChange, ...]
    error: str = ""
    execution: str = ""
    missing_symbols: Mapping[Reason, tuple[str, ...]] = {}
