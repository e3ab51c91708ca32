"""The second step: ask the providers of a job in order, each for the missing symbols.

This step does not use Redis and stores nothing: it makes a report from a job. Each attempt has a
share of the time until the job's deadline, so that a provider that does not answer leaves time for
the next one.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future, wait
from dataclasses import dataclass

from marketdata.clock import from_epoch_ms
from marketdata.domain.catalogue import Instrument, batches, serves
from marketdata.domain.market_state import with_new_york_state
from marketdata.domain.messages import Attempt, Job, Report, SkippedProvider
from marketdata.domain.outcomes import DenyReason, MissingQuote, Reason, missing_because
from marketdata.domain.quotes import Quote, Source
from marketdata.domain.second_opinion import needs_second_opinion
from marketdata.errors import ProviderError, UnauthorizedError, UnavailableError
from marketdata.prices.running_attempt import RunningAttempt
from marketdata.providers.contract import CallAllowance, Parsed, Provider, Sender

# The share of the remaining time that an attempt may use if another provider follows.
SHARE_WITH_SUCCESSOR = 0.6
# Below this many seconds a call would only waste budget.
LEAST_CALL_S = 0.15

log = logging.getLogger("marketdata.fetching")


@dataclass(frozen=True, slots=True)
class Clock:
    """The two clocks of this step: `wall_ms` for stamps and deadlines, `steady_s` for waiting."""

    wall_ms: Callable[[], int]
    steady_s: Callable[[], float]


@dataclass(frozen=True, slots=True)
class Fetcher:
    """Fetches jobs through the providers and senders that it is given.

    `executor` runs the calls of one attempt side by side. `clock` is an argument so that a test
    moves time. `note_rejected_key` is called when a provider's key is missing or rejected.
    """

    provider: Callable[[Source], Provider]
    sender: Callable[[Source], Sender]
    executor: Executor
    clock: Clock
    note_rejected_key: Callable[[], None] = lambda: None

    def fetch(self, job: Job) -> Report:
        """Do a job. A failure of a provider is not raised but reported.

        Each instrument has a quote or a reason. An instrument that needed a second opinion may have
        two quotes.
        """
        end_s = self.clock.steady_s() + (job.deadline_ms - self.clock.wall_ms()) / 1000
        todo = {instrument.symbol.text: instrument for instrument in job.instruments}
        quotes: list[Quote] = []
        attempts: list[RunningAttempt] = []
        for number, granted in enumerate(job.attempts, start=1):
            left_s = end_s - self.clock.steady_s()
            is_last = number == len(job.attempts)
            share_s = left_s if is_last else left_s * SHARE_WITH_SUCCESSOR
            asked = list(todo.values()) or _probed(granted, job.instruments)
            attempt = self._attempt(granted, asked, job, share_s)
            attempt.lost = [
                missing.symbol
                for missing in attempt.missing
                if missing.code is Reason.NOT_FOUND and missing.symbol in job.last
            ]
            attempts.append(attempt)
            quotes += [with_new_york_state(quote, job.market_state) for quote in attempt.quotes]
            for quote in attempt.quotes:
                if not needs_second_opinion(quote, job.last.get(quote.symbol), job.trading):
                    todo.pop(quote.symbol, None)
        answered = {quote.symbol for quote in quotes}
        return Report(
            job=job,
            quotes=tuple(quotes),
            missing=tuple(
                _reason(instrument, attempts, job.skipped)
                for instrument in job.instruments
                if instrument.symbol.text not in answered
            ),
            outcomes=tuple(attempt.reported() for attempt in attempts),
        )

    def _attempt(
        self,
        granted: Attempt,
        todo: Sequence[Instrument],
        job: Job,
        share_s: float,
    ) -> RunningAttempt:
        """Ask one provider, with at most the calls that it was granted, side by side.

        No call is made for fillers alone. They fill calls that are made for others.
        """
        attempt = RunningAttempt(granted.provider)
        asked = [one for one in todo if one.symbol.text not in granted.excluded]
        needed = [one for one in asked if one.symbol.text not in job.fillers]
        most = min(len(batches(granted.provider, needed)), granted.calls)
        groups = batches(granted.provider, asked)[:most]
        if not groups or share_s < LEAST_CALL_S:
            return attempt
        started_s, allowance = self.clock.steady_s(), CallAllowance(granted.calls)
        calls = {
            self.executor.submit(
                self._call, granted.provider, group, started_s + share_s, allowance, job
            ): group
            for group in groups
        }
        attempt.batches_asked = len(calls)
        # A sender keeps its deadline; the margin is for a sender that does not.
        wait(calls, timeout=share_s + 0.25)
        attempt.calls_used, attempt.calls_unsent = allowance.close(), allowance.unsent
        for call, group in calls.items():
            _collect(attempt, call, group, share_s)
        if any(isinstance(error, UnauthorizedError) for error in attempt.errors):
            self.note_rejected_key()
        attempt.latency_ms = round((self.clock.steady_s() - started_s) * 1000)
        return attempt

    def _call(
        self,
        source: Source,
        group: Sequence[Instrument],
        end_s: float,
        allowance: CallAllowance,
        job: Job,
    ) -> Parsed:
        provider = self.provider(source)
        left_s = end_s - self.clock.steady_s()
        if left_s <= 0:
            raise UnavailableError(f"{source.value}: no time left to ask")
        response = self.sender(source).send(provider.build_request(group), left_s, allowance)
        fetched_ms = self.clock.wall_ms() - job.clock_ahead_ms
        return provider.parse(group, response, from_epoch_ms(fetched_ms))


def _collect(
    attempt: RunningAttempt, call: Future[Parsed], group: Sequence[Instrument], share_s: float
) -> None:
    """Add the result of one call, an answer or an error, to its attempt."""
    error: ProviderError
    try:
        parsed = call.result(timeout=0)
    except TimeoutError:
        call.cancel()
        error = UnavailableError(f"{attempt.source.value}: no answer within {share_s:.1f} s")
    except ProviderError as caught:
        error = caught
    except Exception:
        # A defect of our code for one provider must not lose the answers of the others.
        log.exception("provider code failed", extra={"provider": attempt.source.value})
        error = UnavailableError(f"{attempt.source.value}: internal error, see the log")
    else:
        attempt.add_answer(parsed)
        return
    attempt.add_error(error, group)


def _probed(granted: Attempt, instruments: Sequence[Instrument]) -> Sequence[Instrument]:
    """Return the instruments to ask for if nothing is missing: all for a probe, else none."""
    return instruments if granted.permit.probe else ()


def _reason(
    instrument: Instrument, attempts: Sequence[RunningAttempt], skipped: Sequence[SkippedProvider]
) -> MissingQuote:
    """Return the reason why an instrument has no quote.

    The reason is `not_found` only if every provider that could know the symbol was asked and none
    failed.
    """
    symbol = instrument.symbol.text
    reasons = [
        missing for attempt in attempts for missing in attempt.missing if missing.symbol == symbol
    ]
    for missing in reasons:
        if missing.code is not Reason.NOT_FOUND:
            return missing
    not_asked = [s for s in skipped if serves(s.provider, instrument)]
    skips = [(skip.provider, skip.reason, None) for skip in not_asked]
    if reasons:
        spent = (DenyReason.BUDGET_EXHAUSTED, DenyReason.PACED)
        broken = [skip for skip in skips if skip[1] not in spent]
        return missing_because(symbol, broken) if broken else reasons[0]
    served = [attempt for attempt in attempts if serves(attempt.source, instrument)]
    if served and not skips:
        return MissingQuote(
            symbol,
            Reason.BUDGET_EXHAUSTED,
            f"{served[0].source.value}: this slot's budget went to other symbols",
        )
    return missing_because(symbol, skips)
