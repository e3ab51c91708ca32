"""The results of a report's attempts, as breakers and budgets record them. Pure.

Each result begins with the outcome in the report. Then the quotes can change it: an answer with
mostly old prices becomes stale, and rejected quotes are shown as bad rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from marketdata.domain.budget import DEFAULT_HOLD_S, Use
from marketdata.domain.messages import Attempt, AttemptOutcome, Job, Report
from marketdata.domain.outcomes import BREAKER_EFFECTS, BreakerEffect, Outcome
from marketdata.domain.permits import MOST_DETAIL, AttemptResult
from marketdata.domain.quotes import Quote, Source
from marketdata.domain.staleness import STALE_SOURCE, Finding, findings

STALE = BREAKER_EFFECTS[Outcome.STALE]


def result_of(
    job: Job, attempt: Attempt, outcome: AttemptOutcome | None, error: str, now_ms: int
) -> AttemptResult:
    """Return the result of an attempt for its provider's breaker and budget.

    If the fetch failed, the calls count as spent and the breaker counts nothing, because our code
    failed and not the provider.
    """
    kind = Outcome.SKIPPED if outcome is None else outcome.outcome
    hold_s = None if outcome is None else outcome.hold_s
    if kind is Outcome.RATE_LIMITED and hold_s is None:
        hold_s = DEFAULT_HOLD_S
    effect = BREAKER_EFFECTS[kind]
    return AttemptResult(
        source=attempt.provider,
        asset_class=job.asset_class,
        generation=attempt.permit.generation,
        probe=attempt.permit.probe,
        effect=effect,
        outcome=kind.value,
        calls_granted=attempt.calls,
        calls_used=attempt.calls if outcome is None else outcome.calls_used,
        end_ms=attempt.reservation.end_ms,
        use=attempt.reservation.use,
        hold_until_ms=None if hold_s is None else now_ms + round(hold_s * 1000),
        detail=(error if outcome is None else outcome.detail)[:MOST_DETAIL],
        reason="bad_key" if effect is BreakerEffect.TRIP else kind.value,
        calls_unsent=0 if outcome is None else outcome.calls_unsent,
        # A probe counts even if its symbols are those of clients. Otherwise a failing provider
        # would get another probe in each slot.
        only_client_symbols=job.use is not Use.ACTIVE and attempt.permit.probe is None,
    )


def with_stale_sources(results: Sequence[AttemptResult], report: Report) -> list[AttemptResult]:
    """Return the results; the success of a source with mostly old prices becomes stale."""
    job = report.job
    sources = [result.source for result in results]
    found = findings(sources, report.quotes, job.trading, chosen=job.use is Use.ACTIVE)
    return [
        _with_finding(result, found[result.source])
        if result.effect is BreakerEffect.SUCCESS
        else result
        for result in results
    ]


def _with_finding(result: AttemptResult, found: Finding) -> AttemptResult:
    if not found.stale:
        return replace(result, judged=found.judged)
    return replace(
        result, effect=STALE, outcome=Outcome.STALE.value, detail=found.stale, reason=STALE_SOURCE
    )


def with_rejections(
    results: Sequence[AttemptResult],
    rejections: Mapping[tuple[Source, str], str],
    quotes: Sequence[Quote],
) -> list[AttemptResult]:
    """Return the results; a success with rejected quotes is shown as `bad_row` or `partial`.

    `rejections`: the reason of each rejected quote of the report, by source and symbol. An answer
    with some good rows stays a success for the breaker.
    """
    shown = []
    for result in results:
        messages = [text for (source, _), text in rejections.items() if source is result.source]
        if result.effect is not BreakerEffect.SUCCESS or not messages:
            shown.append(result)
            continue
        are_all = all(
            (quote.source, quote.symbol) in rejections
            for quote in quotes
            if quote.source is result.source
        )
        more = f" (and {len(messages) - 1} more)" if len(messages) > 1 else ""
        shown.append(
            replace(
                result,
                effect=BreakerEffect.NEUTRAL if are_all else result.effect,
                outcome=(Outcome.BAD_ROW if are_all else Outcome.PARTIAL).value,
                detail=(messages[0] + more)[:MOST_DETAIL],
            )
        )
    return shown
