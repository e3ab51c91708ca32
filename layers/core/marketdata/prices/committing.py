"""The third step: write the quotes of a report, and record how its providers answered.

A report may arrive late, twice or not at all, so this step never assumes that it is the newest.
Quotes are written only if newer. Breakers accept only results of their current generation. A
reservation whose report never comes stays spent.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from marketdata.cache.control import ControlState
from marketdata.cache.quote_store import QuoteStore
from marketdata.domain.acceptance import Result, Verdict, rejection_message, times_ahead
from marketdata.domain.breaker import Transition
from marketdata.domain.messages import (
    MOST_NAMED,
    AttemptOutcome,
    BreakerChange,
    Report,
    Summary,
    SummaryOutcome,
)
from marketdata.domain.outcomes import MissingQuote, Outcome, Reason
from marketdata.domain.permits import AttemptResult
from marketdata.domain.quotes import Source
from marketdata.domain.staleness import STALE_SOURCE, only_repeats
from marketdata.prices.attempt_results import STALE, result_of, with_rejections, with_stale_sources
from marketdata.prices.due_times import next_due
from marketdata.settings import Settings


@dataclass(frozen=True, slots=True)
class _Written:
    """How the quotes of a report were judged.

    `rejections`: the reasons of rejected quotes for people, by source and symbol. `ahead`: by how
    many milliseconds the times of each source are ahead of our clock, 0 if they are not.
    """

    verdicts: tuple[Verdict, ...]
    rejections: Mapping[tuple[Source, str], str]
    ahead: Mapping[Source, int]


@dataclass(frozen=True, slots=True)
class Committer:
    """Commits reports into the stores that it is given."""

    settings: Settings
    control: ControlState
    quotes: QuoteStore

    def commit(self, report: Report, now_ms: int) -> Summary:
        """Record a report, or a job whose fetch failed.

        Raises `CacheUnavailableError` if Redis is away.
        """
        job = report.job
        outcomes = {outcome.provider: outcome for outcome in report.outcomes}
        written = self._write(report, now_ms)
        verdicts = written.verdicts
        results = [
            result_of(job, attempt, outcomes.get(attempt.provider), report.error, now_ms)
            for attempt in job.attempts
        ]
        results = with_stale_sources(results, report)
        results = with_rejections(results, written.rejections, report.quotes)
        stale = {result.source for result in results if result.effect is STALE}
        ahead = {source for source, ahead_ms in written.ahead.items() if ahead_ms}
        transitions = self.control.record(
            results,
            next_due(report, verdicts, self.settings.update_period_s, stale=stale, ahead=ahead),
            [
                (outcome.provider, symbol)
                for outcome in report.outcomes
                for symbol in outcome.not_entitled
            ],
            now_ms,
            ahead=written.ahead,
            report=job.id,
        )
        accepted = [verdict for verdict in verdicts if verdict.result is Result.WRITTEN]
        held_back = [verdict for verdict in verdicts if verdict.result is not Result.WRITTEN]
        return Summary(
            slot=job.slot,
            job=job.id,
            asset_class=job.asset_class,
            written=Counter(verdict.source for verdict in accepted),
            held_back=Counter(verdict.result for verdict in held_back),
            missing=Counter(missing.code for missing in report.missing),
            outcomes=tuple(
                _recorded(outcomes[result.source], result)
                for result in results
                if result.source in outcomes
            ),
            transitions=tuple(map(_change, transitions)),
            error=report.error,
            execution=job.execution,
            missing_symbols=_named(report.missing),
        )

    def _write(self, report: Report, now_ms: int) -> _Written:
        """Write the quotes of a report, except old prices that are no newer than the stored one.

        Writing such a price would renew `fetched_at`. If all quotes of a symbol were rejected, the
        reason is stored for clients.
        """
        last, trading = report.job.last, report.job.trading
        repeated = [
            quote for quote in report.quotes if only_repeats(quote, last.get(quote.symbol), trading)
        ]
        new = [quote for quote in report.quotes if quote not in repeated]
        coins = {one.symbol.text: one.ids for one in report.job.instruments if one.ids}
        verdicts = (
            self.quotes.commit(new, report.missing, now_ms, coins) if new or report.missing else ()
        )
        rejections = {
            (quote.source, quote.symbol): rejection_message(quote, verdict)
            for quote, verdict in zip(new, verdicts, strict=True)
            if verdict.result is Result.REJECTED
        }
        others = {verdict.symbol for verdict in verdicts if verdict.result is not Result.REJECTED}
        others |= {quote.symbol for quote in repeated}
        unexplained = {
            symbol: MissingQuote(symbol, Reason.PROVIDER_UNAVAILABLE, message)
            for (_, symbol), message in rejections.items()
            if symbol not in others
        }
        if unexplained:
            self.quotes.commit((), tuple(unexplained.values()), now_ms)
        old = [
            Verdict(quote.symbol, quote.source, Result.OLDER, STALE_SOURCE) for quote in repeated
        ]
        return _Written((*verdicts, *old), rejections, times_ahead(new, verdicts))


def _named(missing: Sequence[MissingQuote]) -> dict[Reason, tuple[str, ...]]:
    """Return the first missing symbols of each reason, in alphabetical order."""
    symbols: dict[Reason, list[str]] = {}
    for one in missing:
        symbols.setdefault(one.code, []).append(one.symbol)
    return {reason: tuple(sorted(of_reason)[:MOST_NAMED]) for reason, of_reason in symbols.items()}


def _recorded(outcome: AttemptOutcome, result: AttemptResult) -> SummaryOutcome:
    return SummaryOutcome(
        provider=outcome.provider,
        outcome=Outcome(result.outcome),
        calls_used=outcome.calls_used,
        latency_ms=outcome.latency_ms,
        quotes=outcome.quotes,
        detail=result.detail,
    )


def _change(transition: Transition) -> BreakerChange:
    return BreakerChange(
        provider=transition.source,
        asset_class=transition.asset_class,
        before=transition.before,
        after=transition.after,
        reason=transition.reason,
    )
