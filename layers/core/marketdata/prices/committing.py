"""The third step: write what a job brought, and record what it says about the providers.

A report may come late, twice or not at all; nothing here trusts that it is the newest. Quotes are
written only if newer, breakers listen only to their current generation, and a reservation whose
report never comes stays spent.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from marketdata.cache.control import ControlState
from marketdata.cache.quote_store import QuoteStore
from marketdata.clock import SLOT_S
from marketdata.domain.acceptance import Result, Verdict
from marketdata.domain.breaker import Transition
from marketdata.domain.budget import DEFAULT_HOLD_S, Use
from marketdata.domain.outcomes import BREAKER_EFFECTS, BreakerEffect, MissingQuote, Outcome, Reason
from marketdata.domain.permits import AttemptResult
from marketdata.domain.quotes import Quote, Source
from marketdata.domain.staleness import STALE_SOURCE, Finding, findings, only_repeats
from marketdata.domain.symbols import AssetClass
from marketdata.domain.trading_hours import Trading
from marketdata.settings import Settings

# A symbol that nobody knows is looked for again after this time.
NOT_FOUND_PAUSE_S = 900
# One that had a price before is more likely missing by mistake.
LOST_PAUSE_S = 60
# A symbol whose price is old while its source has current ones for others: nobody trades it.
UNTRADED_PAUSE_S = 60

STALE = BREAKER_EFFECTS[Outcome.STALE]


@dataclass(frozen=True, slots=True)
class Committer:
    """Commits reports into the stores that it is given."""

    settings: Settings
    control: ControlState
    quotes: QuoteStore

    def commit(self, report: Mapping[str, Any], now_ms: int) -> dict[str, Any]:
        """Record a report, or a job whose fetch failed (`{job, error}`); a summary as plain JSON.

        The summary is `{slot, asset_class, written, held_back, missing, outcomes, transitions}`:
        `written` counts quotes by source, `held_back` by verdict, `missing` by reason. Raises
        `CacheUnavailableError` when Redis is away.
        """
        job = report["job"]
        quotes = [Quote.from_step(step) for step in report.get("quotes", ())]
        missing = [MissingQuote.from_step(step) for step in report.get("missing", ())]
        outcomes = {step["provider"]: step for step in report.get("outcomes", ())}
        trading = Trading.from_step(job.get("session"))
        verdicts = self._write(job, quotes, missing, trading, now_ms)
        results = [
            _result(job, attempt, outcomes.get(attempt["provider"]), report, now_ms)
            for attempt in job["attempts"]
        ]
        results = _judged(results, job, quotes, trading)
        transitions = self.control.record(
            results,
            self._next_due(
                job, verdicts, missing, {r.source for r in results if r.effect is STALE}
            ),
            [
                (Source(provider), symbol)
                for provider, step in outcomes.items()
                for symbol in step["not_entitled"]
            ],
            now_ms,
            report=job["id"],
        )
        written = [verdict for verdict in verdicts if verdict.result is Result.WRITTEN]
        held_back = [verdict for verdict in verdicts if verdict.result is not Result.WRITTEN]
        return {
            "slot": job["slot"],
            "asset_class": job["asset_class"],
            "written": dict(Counter(verdict.source.value for verdict in written)),
            "held_back": dict(Counter(verdict.result.value for verdict in held_back)),
            "missing": dict(Counter(reason.code.value for reason in missing)),
            "outcomes": [
                _told(outcomes[result.source.value], result)
                for result in results
                if result.source.value in outcomes
            ],
            "transitions": [_transition_step(transition) for transition in transitions],
            "error": report.get("error"),
        }

    def _write(
        self,
        job: Mapping[str, Any],
        quotes: Sequence[Quote],
        missing: Sequence[MissingQuote],
        trading: Trading,
        now_ms: int,
    ) -> list[Verdict]:
        """Write what a job brought, but for old prices that would only look fresh again."""
        last = job.get("last", {})
        repeats = [only_repeats(quote, last.get(quote.symbol), trading) for quote in quotes]
        told = [quote for quote, repeated in zip(quotes, repeats, strict=True) if not repeated]
        verdicts = self.quotes.commit(told, missing, now_ms) if told or missing else ()
        return [*verdicts] + [
            Verdict(quote.symbol, quote.source, Result.OLDER, STALE_SOURCE)
            for quote, repeated in zip(quotes, repeats, strict=True)
            if repeated
        ]

    def _next_due(
        self,
        job: Mapping[str, Any],
        verdicts: Sequence[Verdict],
        missing: Sequence[MissingQuote],
        stale: Collection[Source],
    ) -> dict[str, int]:
        """When each symbol of a job is next due, epoch ms: on the grid of slots, so without drift.

        A written one after its source's own period; one that nobody knows, or hardly anybody
        trades, after a pause; all others in the next slot.
        """
        slot_ms = job["slot"] * 1000
        due = {step["symbol"]: slot_ms + SLOT_S * 1000 for step in job["instruments"]}
        for reason in missing:
            if reason.code is Reason.NOT_FOUND:
                known = reason.symbol in job.get("last", {})
                pause_s = LOST_PAUSE_S if known else NOT_FOUND_PAUSE_S
                due[reason.symbol] = slot_ms + pause_s * 1000
        for verdict in sorted(verdicts, key=lambda v: v.result is Result.WRITTEN):
            pause_s = SLOT_S
            if verdict.result is Result.WRITTEN:
                pause_s = self.settings.update_period_s(verdict.source)
            elif verdict.reason == STALE_SOURCE and verdict.source not in stale:
                pause_s = UNTRADED_PAUSE_S
            due[verdict.symbol] = slot_ms + pause_s * 1000
        return due


def _result(
    job: Mapping[str, Any],
    attempt: Mapping[str, Any],
    told: Mapping[str, Any] | None,
    report: Mapping[str, Any],
    now_ms: int,
) -> AttemptResult:
    """What an attempt means to its provider's breaker and budget.

    Without a word from the fetch the calls count as spent, and the breaker learns nothing: it was
    our part that failed, not the provider.
    """
    permit, reservation = attempt["permit"], attempt["reservation"]
    outcome = Outcome(told["outcome"]) if told else Outcome.SKIPPED
    hold_s = told["hold_s"] if told else None
    if outcome is Outcome.RATE_LIMITED and hold_s is None:
        hold_s = DEFAULT_HOLD_S
    effect = BREAKER_EFFECTS[outcome]
    return AttemptResult(
        source=Source(attempt["provider"]),
        asset_class=AssetClass(job["asset_class"]),
        generation=permit["generation"],
        probe=permit["probe"],
        effect=effect,
        outcome=outcome.value,
        calls_granted=attempt["calls"],
        calls_used=told["calls_used"] if told else attempt["calls"],
        end_ms=reservation["end_ms"],
        use=Use(reservation["use"]),
        hold_until_ms=None if hold_s is None else now_ms + round(hold_s * 1000),
        detail=(told["detail"] if told else str(report.get("error", "")))[:200],
        reason="bad_key" if effect is BreakerEffect.TRIP else outcome.value,
    )


def _judged(
    results: Sequence[AttemptResult],
    job: Mapping[str, Any],
    quotes: Sequence[Quote],
    trading: Trading,
) -> list[AttemptResult]:
    """The results, those that went well seen by the age of the prices that they brought."""
    sources = [result.source for result in results]
    chosen = job.get("use", Use.ACTIVE) == Use.ACTIVE
    found = findings(sources, quotes, trading, chosen=chosen)
    return [
        _seen(result, found[result.source]) if result.effect is BreakerEffect.SUCCESS else result
        for result in results
    ]


def _seen(result: AttemptResult, found: Finding) -> AttemptResult:
    if not found.stale:
        return replace(result, judged=found.judged)
    return replace(
        result, effect=STALE, outcome=Outcome.STALE.value, detail=found.stale, reason=STALE_SOURCE
    )


def _told(step: Mapping[str, Any], result: AttemptResult) -> dict[str, Any]:
    kept = {name: step[name] for name in ("provider", "calls_used", "latency_ms", "quotes")}
    return {**kept, "outcome": result.outcome, "detail": result.detail}


def _transition_step(transition: Transition) -> dict[str, Any]:
    return {
        "provider": transition.source.value,
        "asset_class": transition.asset_class.value,
        "from": transition.before.value,
        "to": transition.after.value,
        "reason": transition.reason,
    }
