"""The third step: write the quotes of a report, and record how its providers answered.

A report may arrive late, twice or not at all, so this step never assumes that it is the newest.
Quotes are written only if newer. Breakers accept only results of their current generation. A
reservation whose report never comes stays spent.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from marketdata.cache.control import ControlState
from marketdata.cache.quote_store import QuoteStore
from marketdata.clock import SLOT_MS, SLOT_S
from marketdata.domain.acceptance import Result, Verdict, rejection_message, times_ahead
from marketdata.domain.breaker import Transition
from marketdata.domain.budget import Use
from marketdata.domain.messages import (
    MOST_NAMED,
    AttemptOutcome,
    BreakerChange,
    Report,
    Summary,
    SummaryOutcome,
)
from marketdata.domain.outcomes import (
    MissingQuote,
    Outcome,
    Reason,
)
from marketdata.domain.permits import AttemptResult
from marketdata.domain.quotes import Source
from marketdata.domain.staleness import STALE_SOURCE, only_repeats
from marketdata.prices.attempt_results import STALE, result_of, with_rejections, with_stale_sources
from marketdata.settings import Settings

# A symbol that no provider knows is asked for again after this time.
NOT_FOUND_PAUSE_S = 900
# The same for a symbol that had a price before, because it is more likely missing by mistake.
LOST_PAUSE_S = 60
# An answer is incomplete if it lacks most of the symbols that had a price before, and at least this
# many. Bad rows in most of an answer, and at least this many, are a defect of the provider.
LEAST_LOST = 3
# The pause of a thinly traded symbol: its price is old while its source has current prices of
# others.
UNTRADED_PAUSE_S = 60
# The pause of a symbol whose row or price has a defect.
REJECTED_PAUSE_S = 60


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
            self._next_due(report, verdicts, stale, ahead),
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

    def _next_due(
        self,
        report: Report,
        verdicts: Sequence[Verdict],
        stale: Collection[Source],
        ahead: Collection[Source],
    ) -> dict[str, int]:
        """Return when each symbol of a job is next due, epoch ms, always at the start of a slot.

        A written symbol is due after the period of its source. A symbol is due after a pause if no
        provider knows it, if it is thinly traded, or if its price has a defect. So is a symbol of a
        client whose row has a defect. All other symbols are due in the next slot, also the missing
        symbols of an incomplete answer and of an answer with mostly bad rows.
        """
        job = report.job
        slot_ms = job.slot * 1000
        due = {instrument.symbol.text: slot_ms + SLOT_MS for instrument in job.instruments}
        lost = [one.symbol for one in report.missing if one.symbol in job.last]
        are_most_lost = len(lost) >= LEAST_LOST and 2 * len(lost) > len(job.last)
        bad = {symbol for outcome in report.outcomes for symbol in outcome.bad_rows}
        are_bad_rows = job.use is not Use.ACTIVE and not (
            len(bad) >= LEAST_LOST and 2 * len(bad) > len(job.instruments)
        )
        for reason in report.missing:
            if reason.symbol in bad and are_bad_rows:
                due[reason.symbol] = slot_ms + REJECTED_PAUSE_S * 1000
            elif reason.code is Reason.NOT_FOUND and reason.symbol not in job.last:
                due[reason.symbol] = slot_ms + NOT_FOUND_PAUSE_S * 1000
            elif reason.code is Reason.NOT_FOUND and not are_most_lost:
                due[reason.symbol] = slot_ms + LOST_PAUSE_S * 1000
        for verdict in sorted(verdicts, key=lambda v: v.result is Result.WRITTEN):
            pause_s = SLOT_S
            if verdict.result is Result.WRITTEN:
                pause_s = self.settings.update_period_s(verdict.source)
            elif verdict.reason == STALE_SOURCE and verdict.source not in stale:
                pause_s = UNTRADED_PAUSE_S
            elif verdict.result is Result.REJECTED and verdict.source not in ahead:
                pause_s = REJECTED_PAUSE_S
            due[verdict.symbol] = slot_ms + pause_s * 1000
        return due


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
