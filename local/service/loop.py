"""The price loop on one machine: it replaces the state machine of AWS and calls the same handlers.

The messages between the steps pass through JSON, as on AWS. Each slot runs in a separate thread, so
a slow slot does not delay the next one. The claim of a slot prevents two threads from doing the
same work.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from marketdata.clock import SLOT_S
from marketdata.domain.messages import MOST_NAMED, EventJson, Plan, SkippedInPlan, Summary
from marketdata.errors import MarketDataError

log = logging.getLogger("marketdata.local")

Handler = Callable[[EventJson, Any], EventJson]


@dataclass(frozen=True, slots=True)
class Steps:
    """The three handlers of the loop, or of the refresh."""

    plan: Handler
    fetch: Handler
    commit: Handler


@dataclass(slots=True)
class Tick:
    """The result of one slot. `error`: why it failed, empty if it did not."""

    slot: int
    claimed: bool = False
    due: int = 0
    written: Counter[str] = field(default_factory=Counter)
    missing: Counter[str] = field(default_factory=Counter)
    missing_symbols: dict[str, list[str]] = field(default_factory=dict)
    held_back: Counter[str] = field(default_factory=Counter)
    skipped: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    changes: list[str] = field(default_factory=list)
    duration_ms: int = 0
    error: str = ""

    def line(self) -> str:
        """Return the tick as one line for a person."""
        time_of_day = datetime.fromtimestamp(self.slot, UTC).strftime("%H:%M:%S")
        took = f"{self.duration_ms} ms"
        if self.error:
            return f"{time_of_day}  failed: {self.error}  {took}"
        if not self.claimed:
            return f"{time_of_day}  done by another loop  {took}"
        parts = [f"{time_of_day}  due {self.due:>3}  written {self.written.total():>3}"]
        parts += [_counts(self.written)] if self.written else []
        parts += [f"{_counts(self.held_back)}"] if self.held_back else []
        parts += [f"missing: {self._missing()}"] if self.missing else []
        for title in ("failed", "skipped", "changes"):
            notes = sorted(set(getattr(self, title)))  # jobs end in any order
            parts += [f"{title}: {', '.join(notes)}"] if notes else []
        return "  ".join([*parts, took])

    def _missing(self) -> str:
        """Return the first missing symbols of each reason by name, and how many more there are."""
        texts = []
        for reason, count in self.missing.most_common():
            named = sorted(self.missing_symbols.get(reason, []))[:MOST_NAMED]
            left = count - len(named)
            more = f" and {left} more" if named else f"{left} symbols"
            symbols = ", ".join(named) + (more if left else "")
            texts.append(f"{symbols} ({reason.replace('_', ' ')})")
        return ", ".join(texts)


def next_slot(slot: int, now_s: float) -> int:
    """Return the slot after this one, epoch seconds. It starts at most two slots from now.

    Slots that were missed while the machine slept are not run. If the wall clock was set back, the
    next slot is that of the new time.
    """
    present = int(now_s // SLOT_S) * SLOT_S
    following = slot + SLOT_S
    if following > now_s + 2 * SLOT_S:
        return present + SLOT_S
    return max(following, present)


def run_slot(
    steps: Steps, slot: int, pool: ThreadPoolExecutor, monotonic: Callable[[], float]
) -> Tick:
    """Run one slot to its end: plan, then fetch and commit each job side by side."""
    started = monotonic()
    tick = Tick(slot)
    try:
        answer = through_json(steps.plan, {"slot": slot})
        plan = Plan.model_validate(answer)
        tick.claimed, tick.due = plan.claimed, plan.due
        tick.skipped = _skip_notes(plan.skipped, slot)
        for summary in pool.map(lambda job: run_job(steps, job), answer["jobs"]):
            _add(tick, Summary.model_validate(summary))
    except MarketDataError as error:
        tick.error = str(error)
    tick.duration_ms = round((monotonic() - started) * 1000)
    return tick


def run_job(steps: Steps, job: EventJson) -> EventJson:
    """Fetch and commit one job. If the fetch fails, its error is committed."""
    try:
        report = through_json(steps.fetch, job)
    except Exception as error:  # noqa: BLE001 - as the state machine's Catch of States.ALL
        report = {"job": job, "error": f"{type(error).__name__}: {error}"}
    return through_json(steps.commit, report)


class PriceLoop:
    """Runs a slot every five seconds, on the grid of the wall clock, until it is stopped."""

    def __init__(self, steps: Steps, report: Callable[[Tick], None]) -> None:
        self._steps = steps
        self._report = report
        self._stop = threading.Event()
        self._slots = ThreadPoolExecutor(4, thread_name_prefix="slot")
        self._jobs = ThreadPoolExecutor(16, thread_name_prefix="job")

    def run(self) -> None:
        """Run until `stop`. The current slot is run at once."""
        slot = int(time.time() // SLOT_S) * SLOT_S
        with self._jobs, self._slots:
            while not self._stop.is_set():
                self._slots.submit(self._one, slot)
                now_s = time.time()
                slot = next_slot(slot, now_s)
                self._stop.wait(max(0.0, slot - now_s))

    def stop(self) -> None:
        """Start no further slot, do not wait for running slots, and report no slot."""
        self._stop.set()

    def _one(self, slot: int) -> None:
        try:
            tick = run_slot(self._steps, slot, self._jobs, time.monotonic)
        except Exception as error:
            if self._stop.is_set():  # Redis may have ended before this thread
                return
            log.exception("slot failed", extra={"slot": slot})
            tick = Tick(slot, error=f"{type(error).__name__}, see the log")
        if not self._stop.is_set():
            self._report(tick)


def through_json(handler: Handler, event: EventJson) -> EventJson:
    """Call a handler as Lambda would, with event and answer through JSON."""
    answer: EventJson = json.loads(json.dumps(handler(json.loads(json.dumps(event)), None)))
    return answer


def _add(tick: Tick, summary: Summary) -> None:
    tick.written.update(summary.written)
    tick.missing.update(summary.missing)
    for code, symbols in summary.missing_symbols.items():
        tick.missing_symbols.setdefault(code, []).extend(symbols)
    tick.held_back.update(summary.held_back)
    for change in summary.transitions:
        reason = f" ({change.reason})" if change.reason else ""
        tick.changes.append(
            f"{change.provider.value}/{change.asset_class.value} breaker {change.after}{reason}"
        )
    for outcome in summary.outcomes:
        if outcome.detail:
            tick.failed.append(f"{outcome.provider.value} {outcome.outcome} ({outcome.detail})")
    if summary.error:
        tick.failed.append(f"{summary.asset_class.value} fetch failed ({summary.error})")


def _skip_notes(skipped: Sequence[SkippedInPlan], slot: int) -> list[str]:
    notes = {}
    for skip in skipped:
        reason = skip.reason.replace("_", " ")
        if skip.available_at_ms:
            reason += f", asked again in {max(0, skip.available_at_ms // 1000 - slot)} s"
        notes[f"{skip.provider.value}/{skip.asset_class.value}"] = reason
    return [f"{provider} ({reason})" for provider, reason in notes.items()]


def _counts(counter: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counter.most_common())
