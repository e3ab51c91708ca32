"""The third step of the daily refresh: swap a merged list in, unless the old one is better."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from marketdata.cache.asset_store import AssetStore
from marketdata.cache.control import ControlState
from marketdata.domain.budget import DEFAULT_HOLD_S, Use
from marketdata.domain.outcomes import BreakerEffect, Outcome
from marketdata.domain.permits import AttemptResult
from marketdata.domain.quotes import Source
from marketdata.domain.symbols import AssetClass
from marketdata.domain.trading_hours import Timetable
from marketdata.lists.archive import LAST_GOOD, Archive, decode
from marketdata.lists.merging import guard

log = logging.getLogger("marketdata.assets")


@dataclass(frozen=True, slots=True)
class AssetCommitter:
    """Commits refreshes into the stores that it is given; `archive` outlives a lost cache."""

    control: ControlState
    assets: AssetStore
    archive: Archive

    def commit(self, report: Mapping[str, Any], now_ms: int) -> dict[str, Any]:
        """Swap a report's candidate in, or keep the old list and say why, as plain JSON.

        `{asset_class, swapped, restored, failed, total, sources, reason, outcomes}`; `failed`: the
        class was to be refreshed and has no list of this refresh or a later one. A report without a
        candidate, `{"restore": true, "asset_class": ...}` or one whose fetch failed included, puts
        the last good list back where the cache has lost it. A timetable is kept in any case.
        Raises `CacheUnavailableError` and `ArchiveError`.
        """
        job = report.get("job", report)
        asset_class = AssetClass(job["asset_class"])
        reserved = [attempt for attempt in job.get("attempts", ()) if attempt["reservation"]]
        if reserved:
            self.control.record(
                [_result(asset_class, attempt, report, now_ms) for attempt in reserved],
                {},
                (),
                now_ms,
                report=job["id"],
            )
        timetable = Timetable.from_step(report.get("timetable"))
        if timetable is not None:  # it holds whatever became of the list
            self.control.keep_timetable(asset_class, timetable)
        summary: dict[str, Any] = {
            "asset_class": asset_class.value,
            "swapped": False,
            "restored": False,
            "failed": "id" in job,
            "total": 0,
            "sources": [],
            "reason": report.get("error", ""),
            "outcomes": report.get("outcomes", []),
        }
        stored = self.assets.meta(asset_class)
        candidate = report.get("candidate")
        if candidate:
            summary |= self._swap(asset_class, candidate, stored.total if stored else 0)
        elif not summary["reason"]:
            summary["reason"] = (
                "the cache had lost it" if report.get("restore") else "no provider gave a list"
            )
        if not summary["swapped"] and self.assets.is_lost(asset_class):
            summary |= self._restore(asset_class)
        if summary["swapped"] or summary["restored"] or "id" in job:
            _log(summary)
        return summary

    def _swap(self, asset_class: AssetClass, candidate: str, old_total: int) -> dict[str, Any]:
        data = self.archive.get(asset_class, candidate)
        if data is None:
            return {"reason": f"{candidate} is not in the archive"}
        listed = decode(data)
        refusal = guard(len(listed.assets), old_total)
        if refusal:
            return {"reason": refusal, "total": old_total}
        if not self.assets.swap(listed):
            reason = "a later list is already there"
            return {"failed": False, "reason": reason, "total": old_total}
        self.archive.put(asset_class, LAST_GOOD, data)
        return {
            "swapped": True,
            "failed": False,
            "total": len(listed.assets),
            "sources": [source.value for source in listed.sources],
        }

    def _restore(self, asset_class: AssetClass) -> dict[str, Any]:
        """Put the last good list into a cache that has none, with the age that it has."""
        data = self.archive.get(asset_class, LAST_GOOD)
        if data is None:
            return {}
        listed = decode(data)
        self.assets.swap(listed)
        return {
            "restored": True,
            "total": len(listed.assets),
            "sources": [source.value for source in listed.sources],
        }


def _result(
    asset_class: AssetClass, attempt: Mapping[str, Any], report: Mapping[str, Any], now_ms: int
) -> AttemptResult:
    """What a listing attempt means to its provider's budget; breakers are about quotes alone."""
    told = next(
        (o for o in report.get("outcomes", ()) if o["provider"] == attempt["provider"]), None
    )
    outcome = told["outcome"] if told else Outcome.SKIPPED.value
    hold_s = told["hold_s"] if told else None
    if outcome == Outcome.RATE_LIMITED and hold_s is None:
        hold_s = DEFAULT_HOLD_S
    return AttemptResult(
        source=Source(attempt["provider"]),
        asset_class=asset_class,
        generation=attempt["permit"]["generation"],
        probe=None,
        effect=BreakerEffect.NEUTRAL,
        outcome=outcome,
        calls_granted=attempt["calls"],
        calls_used=min(told["calls_used"], attempt["calls"]) if told else attempt["calls"],
        end_ms=attempt["reservation"]["end_ms"],
        use=Use(attempt["reservation"]["use"]),
        hold_until_ms=None if hold_s is None else now_ms + round(hold_s * 1000),
        detail=(told["detail"] if told else str(report.get("error", "")))[:200],
        reason=None,
    )


def _log(summary: Mapping[str, Any]) -> None:
    level = logging.INFO if summary["swapped"] else logging.WARNING
    log.log(level, "asset list committed", extra=dict(summary))
    for step in summary["outcomes"]:
        if step["outcome"] != Outcome.OK:
            log.error("provider gave no list", extra={**step, "list": summary["asset_class"]})
