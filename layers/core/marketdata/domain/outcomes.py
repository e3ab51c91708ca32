"""The outcomes of an attempt at a provider, and the effects of each one, as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from marketdata.domain.quotes import Source
from marketdata.errors import (
    BadPayloadError,
    CallsSpentError,
    NotEntitledError,
    ProviderError,
    RateLimitedError,
    UnauthorizedError,
)

# The detail of an attempt whose provider rejects our IP address. /health looks for this text to
# name that cause.
ADDRESS_NOT_ACCEPTED = "does not accept calls from this address"


class Outcome(StrEnum):
    """The result of one attempt. `skipped`: no call, because no symbol or no time was left.

    `bad_row`: the answer was good, but the rows of some symbols could not be used. `stale`: most
    prices were old while their market was open; the commit step sets this outcome.
    """

    OK = "ok"
    PARTIAL = "partial"
    NOT_FOUND = "not_found"
    BAD_ROW = "bad_row"
    RATE_LIMITED = "rate_limited"
    UNAUTHORIZED = "unauthorized"
    NOT_ENTITLED = "not_entitled"
    UNAVAILABLE = "unavailable"
    BAD_PAYLOAD = "bad_payload"
    STALE = "stale"
    SKIPPED = "skipped"


class BreakerEffect(StrEnum):
    """The effect of an outcome on the breaker.

    `trip` opens it at once. `stale` counts as a failure after several in a row.
    """

    SUCCESS = "success"
    FAILURE = "failure"
    NEUTRAL = "neutral"
    TRIP = "trip"
    STALE = "stale"


BREAKER_EFFECTS: Mapping[Outcome, BreakerEffect] = {
    Outcome.OK: BreakerEffect.SUCCESS,
    Outcome.PARTIAL: BreakerEffect.SUCCESS,
    Outcome.NOT_FOUND: BreakerEffect.NEUTRAL,
    Outcome.BAD_ROW: BreakerEffect.NEUTRAL,
    Outcome.RATE_LIMITED: BreakerEffect.NEUTRAL,
    Outcome.UNAUTHORIZED: BreakerEffect.TRIP,
    Outcome.NOT_ENTITLED: BreakerEffect.NEUTRAL,
    Outcome.UNAVAILABLE: BreakerEffect.FAILURE,
    Outcome.BAD_PAYLOAD: BreakerEffect.FAILURE,
    Outcome.STALE: BreakerEffect.STALE,
    Outcome.SKIPPED: BreakerEffect.NEUTRAL,
}


def outcome_of(error: ProviderError) -> Outcome:
    """Return the outcome of an attempt that ended with this error."""
    match error:
        case RateLimitedError():
            return Outcome.RATE_LIMITED
        case UnauthorizedError():
            return Outcome.UNAUTHORIZED
        case CallsSpentError():
            return Outcome.SKIPPED
        case NotEntitledError():
            return Outcome.NOT_ENTITLED
        case BadPayloadError():
            return Outcome.BAD_PAYLOAD
        case _:
            return Outcome.UNAVAILABLE


class Reason(StrEnum):
    """Why a symbol has no quote: the error codes of the API."""

    INVALID_SYMBOL = "invalid_symbol"
    NOT_FOUND = "not_found"
    PENDING = "pending"
    STALE = "stale"
    QUARANTINED = "quarantined"
    BUDGET_EXHAUSTED = "budget_exhausted"
    PROVIDER_UNAVAILABLE = "provider_unavailable"


@dataclass(frozen=True, slots=True)
class MissingQuote:
    """One symbol without a quote, or without a newer one, and the reason.

    `message` is for people and holds no secret. `retry_after_s`: seconds after which asking again
    may help, where that is known. `suggestions`: symbols that the client may have meant.
    """

    symbol: str
    code: Reason
    message: str
    retry_after_s: int | None = None
    suggestions: tuple[str, ...] = ()


class DenyReason(StrEnum):
    """Why a plan may not call a provider.

    `paced`: the window has calls left, but they are spread over the day or month. `no_room`: the
    plan has no place left for its job.
    """

    BREAKER_OPEN = "breaker_open"
    PROBING = "probing"
    BUDGET_EXHAUSTED = "budget_exhausted"
    PACED = "paced"
    HELD = "held"
    NO_ROOM = "no_room"


# The reason that a client gets for a provider that was not asked. The symbols of a job that has no
# room in its plan stay due, so they need no reason.
SKIP_REASONS: Mapping[DenyReason, Reason] = {
    DenyReason.BUDGET_EXHAUSTED: Reason.BUDGET_EXHAUSTED,
    DenyReason.PACED: Reason.BUDGET_EXHAUSTED,
    DenyReason.HELD: Reason.BUDGET_EXHAUSTED,
    DenyReason.BREAKER_OPEN: Reason.PROVIDER_UNAVAILABLE,
    DenyReason.PROBING: Reason.PROVIDER_UNAVAILABLE,
}


def missing_because(
    symbol: str, skipped: Sequence[tuple[Source, DenyReason, int | None]]
) -> MissingQuote:
    """Return the reason of a symbol for which no provider was asked.

    `skipped`: the providers of its chain, each with the plan's reason and the seconds until it may
    be asked, if known. The message names the first one.
    """
    if not skipped:
        return MissingQuote(symbol, Reason.NOT_FOUND, f"no configured provider lists {symbol}")
    source, reason, wait_s = skipped[0]
    text = f"{source.value}: {reason.replace('_', ' ')}"
    if wait_s is not None:
        text += f", next call in {wait_s} s"
    return MissingQuote(symbol, SKIP_REASONS[reason], text, wait_s)
