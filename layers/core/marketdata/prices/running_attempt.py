"""One attempt at a provider while it runs: the answers and errors of its calls, and its outcome."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from marketdata.domain.catalogue import Instrument
from marketdata.domain.messages import AttemptOutcome
from marketdata.domain.outcomes import (
    BREAKER_EFFECTS,
    BreakerEffect,
    MissingQuote,
    Outcome,
    Reason,
    outcome_of,
)
from marketdata.domain.quotes import Quote, Source
from marketdata.errors import CallsSpentError, ProviderError, RateLimitedError
from marketdata.providers.contract import Parsed

# At most this many symbols of an incomplete answer are named.
MOST_NAMED = 5


@dataclass(slots=True)
class RunningAttempt:
    """The attempt at one provider while it runs."""

    source: Source
    quotes: list[Quote] = field(default_factory=list)
    missing: list[MissingQuote] = field(default_factory=list)
    bad_rows: list[MissingQuote] = field(default_factory=list)
    not_entitled: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    errors: list[ProviderError] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    batches_asked: int = 0
    calls_used: int = 0
    calls_unsent: int = 0
    hold_s: float | None = None
    latency_ms: int = 0

    def add_answer(self, parsed: Parsed) -> None:
        """Add the answer to one call."""
        self.quotes += parsed.quotes
        self.missing += parsed.missing + parsed.bad_rows
        self.bad_rows += parsed.bad_rows
        self.notes += [parsed.note] if parsed.note else []
        self.not_entitled += parsed.not_entitled
        self.hold_s = _longest(self.hold_s, parsed.hold_s)

    def add_error(self, error: ProviderError, group: Sequence[Instrument]) -> None:
        """Add the error of one call for a group of instruments."""
        self.errors.append(error)
        if isinstance(error, RateLimitedError):
            self.hold_s = _longest(self.hold_s, error.retry_after_s)
        symbols = [instrument.symbol.text for instrument in group]
        if outcome_of(error) is Outcome.NOT_ENTITLED:
            self.not_entitled += symbols
        is_budget = isinstance(error, CallsSpentError)
        code = Reason.BUDGET_EXHAUSTED if is_budget else Reason.PROVIDER_UNAVAILABLE
        self.missing += [MissingQuote(symbol, code, str(error)) for symbol in symbols]

    def outcome(self) -> Outcome:
        """Return one outcome for all calls.

        One rejected key or rate limit decides. Other errors decide if at least half of the calls
        had one; then the most frequent kind counts. Of equally frequent kinds a failure of the
        provider counts, else the first kind.
        """
        if not self.batches_asked:
            return Outcome.SKIPPED
        if self.errors:
            kinds = [outcome_of(error) for error in self.errors]
            for grave in (Outcome.UNAUTHORIZED, Outcome.RATE_LIMITED):
                if grave in kinds:
                    return grave
            if 2 * len(kinds) >= self.batches_asked:
                return max(kinds, key=lambda kind: (kinds.count(kind), _is_failure(kind)))
        if not self.quotes:
            if self.bad_rows:
                return Outcome.BAD_ROW
            only_plan = self.not_entitled and len(self.not_entitled) == len(self.missing)
            return Outcome.NOT_ENTITLED if only_plan else Outcome.NOT_FOUND
        is_partial = self.missing or self.bad_rows or self.errors
        return Outcome.PARTIAL if is_partial else Outcome.OK

    def detail(self) -> str:
        """Return the first error of the outcome, else any error, bad row, note or lost symbol."""
        outcome = self.outcome()
        of_outcome = [error for error in self.errors if outcome_of(error) is outcome]
        if of_outcome or self.errors:
            return str((of_outcome or self.errors)[0])
        notes = [*(bad.message for bad in self.bad_rows), *self.notes]
        if not notes and self.lost:
            names, more = ", ".join(self.lost[:MOST_NAMED]), len(self.lost) - MOST_NAMED
            others = f" and {more} more" if more > 0 else ""
            had = "a price" if len(self.lost) == 1 else "prices"
            return f"{self.source.value}: no quote for {names}{others}, which had {had} before"
        return notes[0] if notes else ""

    def reported(self) -> AttemptOutcome:
        """Return the attempt as part of a report."""
        return AttemptOutcome(
            provider=self.source,
            outcome=self.outcome(),
            calls_used=self.calls_used,
            calls_unsent=self.calls_unsent,
            hold_s=self.hold_s,
            detail=self.detail(),
            latency_ms=self.latency_ms,
            not_entitled=tuple(self.not_entitled),
            bad_rows=tuple(missing.symbol for missing in self.bad_rows),
            quotes=len(self.quotes),
        )


def _is_failure(kind: Outcome) -> bool:
    return BREAKER_EFFECTS[kind] is BreakerEffect.FAILURE


def _longest(first: float | None, second: float | None) -> float | None:
    return max((hold for hold in (first, second) if hold is not None), default=None)
