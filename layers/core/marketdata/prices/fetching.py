"""The second step: ask the providers of a job in order, each for what is still missing.

It knows no Redis and decides nothing that outlives it: a job in, a report out. Every wait has an
end: the job's deadline, shared out so that a hanging provider leaves time for the next one.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Executor, Future, wait
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from marketdata.domain.catalogue import Instrument, batches, serves
from marketdata.domain.outcomes import MissingQuote, Outcome, Reason, missing_because, outcome_of
from marketdata.domain.quotes import Quote, Source
from marketdata.domain.second_opinion import needs_second_look
from marketdata.domain.symbols import AssetClass
from marketdata.domain.trading_hours import Trading
from marketdata.errors import CallsSpentError, ProviderError, UnavailableError
from marketdata.providers.contract import CallAllowance, Parsed, Provider, Sender

# Of the time that is left, an attempt that has a successor may use this much.
SHARE_WITH_SUCCESSOR = 0.6
# Below this many seconds a call would only waste budget.
LEAST_CALL_S = 0.15

log = logging.getLogger("marketdata.fetching")


@dataclass(frozen=True, slots=True)
class Clock:
    """The two clocks of this step: `wall_ms` for stamps and deadlines, `steady_s` for waiting."""

    wall_ms: Callable[[], int]
    steady_s: Callable[[], float]


@dataclass(slots=True)
class _Attempt:
    """What one provider did with its part of a job."""

    source: Source
    quotes: list[Quote] = field(default_factory=list)
    missing: list[MissingQuote] = field(default_factory=list)
    bad_rows: list[MissingQuote] = field(default_factory=list)
    not_entitled: list[str] = field(default_factory=list)
    errors: list[ProviderError] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    batches_asked: int = 0
    calls_used: int = 0
    hold_s: float | None = None
    latency_ms: int = 0

    def outcome(self) -> Outcome:
        """One word for all calls: the gravest error unless most calls went well."""
        if not self.batches_asked:
            return Outcome.SKIPPED
        if self.errors:
            kinds = [outcome_of(error) for error in self.errors]
            for grave in (Outcome.UNAUTHORIZED, Outcome.RATE_LIMITED):
                if grave in kinds:
                    return grave
            if 2 * len(kinds) >= self.batches_asked:
                return max(set(kinds), key=kinds.count)
        if not self.quotes:
            if self.bad_rows:
                return Outcome.BAD_ROW
            only_plan = self.not_entitled and len(self.not_entitled) == len(self.missing)
            return Outcome.NOT_ENTITLED if only_plan else Outcome.NOT_FOUND
        return Outcome.PARTIAL if self.missing or self.errors else Outcome.OK

    def detail(self) -> str:
        """The words, for people, of the first error that the outcome is about, else of any."""
        outcome = self.outcome()
        told = [error for error in self.errors if outcome_of(error) is outcome] or self.errors
        if told:
            return str(told[0])
        notes = [*(bad.message for bad in self.bad_rows), *self.notes]
        return notes[0] if notes else ""


@dataclass(frozen=True, slots=True)
class Fetcher:
    """Fetches jobs through the providers and senders that it is given.

    `executor` runs the calls of one attempt side by side. `clock` is an argument so that a test
    moves time.
    """

    provider: Callable[[Source], Provider]
    sender: Callable[[Source], Sender]
    executor: Executor
    clock: Clock

    def fetch(self, job: Mapping[str, Any]) -> dict[str, Any]:
        """Do a job: `{job, quotes, missing, outcomes}`, as plain JSON. Never raises for a provider.

        Each instrument has a quote or a reason; one that needed a second look may have two quotes.
        """
        asset_class = AssetClass(job["asset_class"])
        instruments = [Instrument.from_step(step, asset_class) for step in job["instruments"]]
        trading = Trading.from_step(job.get("session"))
        end_s = self.clock.steady_s() + (job["deadline_ms"] - self.clock.wall_ms()) / 1000
        todo = {instrument.symbol.text: instrument for instrument in instruments}
        quotes: list[Quote] = []
        attempts: list[_Attempt] = []
        for number, step in enumerate(job["attempts"]):
            left_s = end_s - self.clock.steady_s()
            is_last = number + 1 == len(job["attempts"])
            share_s = left_s if is_last else left_s * SHARE_WITH_SUCCESSOR
            asked = list(todo.values()) or _probed(step, instruments)
            attempt = self._attempt(step, asked, job.get("riders", ()), share_s)
            attempts.append(attempt)
            quotes += attempt.quotes
            for quote in attempt.quotes:
                if not needs_second_look(quote, job["last"].get(quote.symbol), trading):
                    todo.pop(quote.symbol, None)
        answered = {quote.symbol for quote in quotes}
        missing = [
            _reason(instrument, attempts, job["skipped"])
            for instrument in instruments
            if instrument.symbol.text not in answered
        ]
        return {
            "job": job,
            "quotes": [quote.to_step() for quote in quotes],
            "missing": [reason.to_step() for reason in missing],
            "outcomes": [_outcome_step(attempt) for attempt in attempts],
        }

    def _attempt(
        self,
        step: Mapping[str, Any],
        todo: Sequence[Instrument],
        riders: Collection[str],
        share_s: float,
    ) -> _Attempt:
        """Ask one provider, with at most the calls that it was granted, side by side.

        No call is made for riders alone; they fill those that are made for others.
        """
        source = Source(step["provider"])
        attempt = _Attempt(source)
        not_for = set(step.get("not_for", ()))
        asked = [instrument for instrument in todo if instrument.symbol.text not in not_for]
        needed = len(batches(source, [one for one in asked if one.symbol.text not in riders]))
        groups = batches(source, asked)[: min(needed, step["calls"])]
        if not groups or share_s < LEAST_CALL_S:
            return attempt
        started_s, allowance = self.clock.steady_s(), CallAllowance(step["calls"])
        calls = {
            self.executor.submit(self._call, source, group, started_s + share_s, allowance): group
            for group in groups
        }
        attempt.batches_asked = len(calls)
        # A sender keeps its own deadline; the margin only guards against one that does not.
        wait(calls, timeout=share_s + 0.25)
        attempt.calls_used = allowance.close()
        for call, group in calls.items():
            _collect(attempt, call, group, share_s)
        attempt.latency_ms = round((self.clock.steady_s() - started_s) * 1000)
        return attempt

    def _call(
        self, source: Source, group: Sequence[Instrument], end_s: float, allowance: CallAllowance
    ) -> Parsed:
        provider = self.provider(source)
        left_s = end_s - self.clock.steady_s()
        if left_s <= 0:
            raise UnavailableError(f"{source.value}: no time left to ask")
        response = self.sender(source).send(provider.build_request(group), left_s, allowance)
        fetched_at = datetime.fromtimestamp(self.clock.wall_ms() / 1000, UTC)
        return provider.parse(group, response, fetched_at)


def _collect(
    attempt: _Attempt, call: Future[Parsed], group: Sequence[Instrument], share_s: float
) -> None:
    """Add one call's result, whatever it is, to its attempt."""
    error: ProviderError
    try:
        parsed = call.result(timeout=0)
    except TimeoutError:
        call.cancel()
        error = UnavailableError(f"{attempt.source.value}: no answer within {share_s:.1f} s")
    except ProviderError as caught:
        error = caught
    except Exception:
        # A defect of ours in one provider must not take the other providers' answers with it.
        log.exception("provider code failed", extra={"provider": attempt.source.value})
        error = UnavailableError(f"{attempt.source.value}: internal error, see the log")
    else:
        attempt.quotes += parsed.quotes
        attempt.missing += parsed.missing + parsed.bad_rows
        attempt.bad_rows += parsed.bad_rows
        attempt.notes += [parsed.note] if parsed.note else []
        attempt.not_entitled += parsed.not_entitled
        attempt.hold_s = _longest(attempt.hold_s, parsed.hold_s)
        return
    attempt.errors.append(error)
    attempt.hold_s = _longest(attempt.hold_s, getattr(error, "retry_after_s", None))
    if outcome_of(error) is Outcome.NOT_ENTITLED:
        attempt.not_entitled += [instrument.symbol.text for instrument in group]
    is_budget = isinstance(error, CallsSpentError)
    code = Reason.BUDGET_EXHAUSTED if is_budget else Reason.PROVIDER_UNAVAILABLE
    attempt.missing += [
        MissingQuote(instrument.symbol.text, code, str(error)) for instrument in group
    ]


def _probed(step: Mapping[str, Any], instruments: Sequence[Instrument]) -> Sequence[Instrument]:
    """What to ask a provider for when nothing is missing: only a probe is worth a call."""
    return instruments if step["permit"]["probe"] else ()


def _reason(
    instrument: Instrument, attempts: Sequence[_Attempt], skipped: Sequence[Mapping[str, Any]]
) -> MissingQuote:
    """Why an instrument has no quote.

    `not_found` only when everybody who could know was asked and nobody was in trouble.
    """
    symbol = instrument.symbol.text
    told = [
        missing for attempt in attempts for missing in attempt.missing if missing.symbol == symbol
    ]
    for missing in told:
        if missing.code is not Reason.NOT_FOUND:
            return missing
    unasked = [s for s in skipped if serves(Source(s["provider"]), instrument)]
    if told:
        broken = [s for s in unasked if s["reason"] != "budget_exhausted"]
        return missing_because(symbol, broken) if broken else told[0]
    served = [attempt for attempt in attempts if serves(attempt.source, instrument)]
    if served and not unasked:
        return MissingQuote(
            symbol,
            Reason.BUDGET_EXHAUSTED,
            f"{served[0].source.value}: this slot's budget went to other symbols",
        )
    return missing_because(symbol, unasked)


def _outcome_step(attempt: _Attempt) -> dict[str, Any]:
    return {
        "provider": attempt.source.value,
        "outcome": attempt.outcome().value,
        "calls_used": attempt.calls_used,
        "hold_s": attempt.hold_s,
        "detail": attempt.detail(),
        "latency_ms": attempt.latency_ms,
        "not_entitled": attempt.not_entitled,
        "quotes": len(attempt.quotes),
    }


def _longest(first: float | None, second: float | None) -> float | None:
    return max((hold for hold in (first, second) if hold is not None), default=None)
