"""What one attempt at a provider resulted in, and what follows from it: one table, as data."""

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

# What an attempt's detail says where a provider rejects the address that calls come from, so that
# /health can name that cause.
ADDRESS_NOT_ACCEPTED = "does not accept calls from this address"


class Outcome(StrEnum):
    """The result of one attempt. `skipped`: no symbol was left to ask for, or no time.

    `bad_row`: the rows of single symbols were unusable, and the answer was not. `stale`: most
    prices were old while their market was open; the commit step judges that.
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
    """What an outcome does to the breaker.

    `trip` opens it at once; `stale` is a failure once it has come several times in a row.
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
    """Return the outcome that an error stands for."""
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


# The reason that a client gets for a provider that was not asked, by the plan's reason.
SKIP_REASONS: Mapping[str, Reason] = {
    "budget_exhausted": Reason.BUDGET_EXHAUSTED,
    "paced": Reason.BUDGET_EXHAUSTED,
    "held": Reason.BUDGET_EXHAUSTED,
    "breaker_open": Reason.PROVIDER_UNAVAILABLE,
    "probing": Reason.PROVIDER_UNAVAILABLE,
}


def missing_because(symbol: str, skipped: Sequence[tuple[Source, str, int | None]]) -> MissingQuote:
    """Return why a symbol is missing that no provider was asked for.

    `skipped` are the providers of its chain that were not asked, each with the plan's reason and
    the seconds until it may be asked, if they are known; the first one is named.
    """
    if not skipped:
        return MissingQuote(symbol, Reason.NOT_FOUND, f"no configured provider lists {symbol}")
    source, reason, wait_s = skipped[0]
    text = f"{source.value}: {reason.replace('_', ' ')}"
    if wait_s is not None:
        text += f", next call in {wait_s} s"
    return MissingQuote(symbol, SKIP_REASONS[reason], text, wait_s)
