"""The third step of the daily refresh: swap in a merged list, unless the current one is better."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from marketdata.cache.asset_store import AssetStore
from marketdata.cache.control import ControlState
from marketdata.cache.quote_store import QuoteStore
from marketdata.domain.budget import DEFAULT_HOLD_S
from marketdata.domain.list_messages import AssetReport, AssetSummary, ListAttempt, ListOutcome
from marketdata.domain.outcomes import BreakerEffect, Outcome
from marketdata.domain.permits import MOST_DETAIL, AttemptResult
from marketdata.domain.shipped_tables import coin_ids
from marketdata.lists.archive import LAST_GOOD, Archive, decode, encode, last_good
from marketdata.lists.coin_changes import coin_changes, with_changes, with_former
from marketdata.lists.merging import guard

log = logging.getLogger("marketdata.assets")


@dataclass(frozen=True, slots=True)
class AssetCommitter:
    """Commits refreshes into the stores that it is given; `archive` outlives a lost cache."""

    control: ControlState
    assets: AssetStore
    quotes: QuoteStore
    archive: Archive

    def commit(self, report: AssetReport, now_ms: int) -> AssetSummary:
        """Swap a report's candidate in, or keep the old list and say why.

        If the cache has lost a list and the report has no new one, the last good list is put back.
        A timetable is always stored. If a ticker becomes another coin, its stored quote and history
        are removed, and a late price of the former coin is not written. Raises
        `CacheUnavailableError` and `ArchiveError`.
        """
        asset_class = report.of_class
        self._settle(report, now_ms)
        if report.timetable is not None:
            self.control.keep_timetable(asset_class, report.timetable)
        summary = self._swapped(report)
        if not summary.swapped and self.assets.is_lost(asset_class):
            summary = self._restored(summary)
        if report.job is not None and report.restore:
            summary = summary.model_copy(update={"failed": self.assets.is_lost(asset_class)})
        if summary.swapped or summary.restored or report.job is not None:
            _log(summary)
        return summary

    def _settle(self, report: AssetReport, now_ms: int) -> None:
        """Record how the reserved calls were used. A report counts once."""
        if report.job is None:
            return
        outcomes = {outcome.provider: outcome for outcome in report.outcomes}
        results = [
            _result(attempt, outcomes.get(attempt.provider), report, now_ms)
            for attempt in report.job.attempts
            if attempt.reservation is not None
        ]
        if results:
            self.control.record(results, {}, (), now_ms, report=report.job.id)

    def _swapped(self, report: AssetReport) -> AssetSummary:
        """Swap in the candidate if there is one. Return the summary in both cases."""
        asset_class = report.of_class
        summary = AssetSummary(
            asset_class=asset_class,
            failed=report.job is not None,
            reason=report.error,
            outcomes=report.outcomes,
            execution=report.execution,
        )
        if report.candidate is None:
            reason = "the cache had lost it" if report.restore else "no provider gave a list"
            if report.job is not None and report.restore:
                reason = "the list of the archive is young"
            return summary.model_copy(update={"reason": report.error or reason})
        data = self.archive.get(asset_class, report.candidate)
        if data is None:
            reason = f"{report.candidate} is not in the archive"
            return summary.model_copy(update={"reason": reason})
        return self._swap_in(data, summary)

    def _swap_in(self, data: bytes, summary: AssetSummary) -> AssetSummary:
        """Swap in a candidate of the archive if it is good enough. Return the summary."""
        asset_class = summary.asset_class
        listed, stored = decode(data), self.assets.meta(asset_class)
        old_total = stored.total if stored else 0
        objection = guard(len(listed.assets), old_total)
        if objection:
            return summary.model_copy(update={"reason": objection, "total": old_total})
        before = last_good(self.archive, asset_class)
        changes = coin_changes(before, listed)
        marked = with_former(with_changes(listed, changes, before), before)
        if marked is not listed:
            listed, data = marked, encode(marked)
        if not self.assets.swap(listed):
            reason = "a later list is already there"
            return summary.model_copy(
                update={"failed": False, "reason": reason, "total": old_total}
            )
        for change in changes:
            log.warning("ticker names another coin", extra=change.to_log())
            self.quotes.name_coin(change.base, coin_ids(change.base, change.ids))
            self.quotes.forget(change.symbols())
        self.archive.put(asset_class, LAST_GOOD, data)
        return summary.model_copy(
            update={
                "swapped": True,
                "failed": False,
                "total": len(listed.assets),
                "sources": listed.sources,
            }
        )

    def _restored(self, summary: AssetSummary) -> AssetSummary:
        """Put the last good list into a cache that has none. The list keeps its time of refresh."""
        data = self.archive.get(summary.asset_class, LAST_GOOD)
        if data is None:
            return summary
        listed = decode(data)
        self.assets.swap(listed)
        return summary.model_copy(
            update={"restored": True, "total": len(listed.assets), "sources": listed.sources}
        )


def _result(
    attempt: ListAttempt, outcome: ListOutcome | None, report: AssetReport, now_ms: int
) -> AttemptResult:
    """Return the result of a list for its provider's budget; lists do not affect breakers."""
    assert attempt.reservation is not None  # noqa: S101  the caller leaves out the others
    kind = Outcome.SKIPPED if outcome is None else outcome.outcome
    hold_s = None if outcome is None else outcome.hold_s
    if kind is Outcome.RATE_LIMITED and hold_s is None:
        hold_s = DEFAULT_HOLD_S
    used = attempt.calls if outcome is None else min(outcome.calls_used, attempt.calls)
    return AttemptResult(
        source=attempt.provider,
        asset_class=report.of_class,
        generation=attempt.permit.generation,
        probe=None,
        effect=BreakerEffect.NEUTRAL,
        outcome=kind.value,
        calls_granted=attempt.calls,
        calls_used=used,
        end_ms=attempt.reservation.end_ms,
        use=attempt.reservation.use,
        hold_until_ms=None if hold_s is None else now_ms + round(hold_s * 1000),
        detail=(report.error if outcome is None else outcome.detail)[:MOST_DETAIL],
        reason=None,
    )


def _log(summary: AssetSummary) -> None:
    level = logging.INFO if summary.swapped or summary.restored else logging.WARNING
    log.log(level, "asset list committed", extra=summary.to_event())
    for outcome in summary.outcomes:
        if outcome.outcome not in (Outcome.OK, Outcome.SKIPPED):
            fields = {**outcome.to_event(), "list": summary.asset_class.value}
            log.error("provider gave no list", extra=fields)
