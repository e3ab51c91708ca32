"""The loop of the day. All workers claim every slot; some jobs are late, repeated or lost.

All random numbers are drawn in one thread in one order, so a seed always gives the same run. The
messages between the steps pass through JSON, as between the states of the state machine.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from enum import Enum
from functools import partial
from typing import TypeVar

from local.day.clock import DayClock
from local.day.judge import Judge
from local.day.parts import REFRESHES, Service, Worker
from local.day.script import Script
from marketdata.clock import SLOT_MS
from marketdata.domain.list_messages import AssetReport
from marketdata.domain.messages import Job, Message, Plan, Report, Summary
from marketdata.errors import CacheUnavailableError

# A fetch that took less than this did not wait for a provider.
NO_WAIT_MS = 1_000

_M = TypeVar("_M", bound=Message)
_T = TypeVar("_T")


class Fate(Enum):
    """What happens to one job."""

    DONE = "jobs committed once"
    LATE = "jobs committed late"
    TWICE = "jobs committed twice"
    KILLED_BEFORE = "jobs lost with a worker before fetching"
    KILLED_AFTER = "jobs lost with a worker before committing"


_ODDS = {
    Fate.DONE: 0.95,
    Fate.LATE: 0.02,
    Fate.TWICE: 0.02,
    Fate.KILLED_BEFORE: 0.005,
    Fate.KILLED_AFTER: 0.005,
}
LATEST_MS = 90_000


@dataclass(slots=True)
class Driver:
    """Runs a service through a script, and passes all results to the judge."""

    service: Service
    clock: DayClock
    judge: Judge
    script: Script
    rng: random.Random
    pool: ThreadPoolExecutor
    _late: list[tuple[int, Report]] = field(default_factory=list)

    def run(self, progress: Callable[[int], None]) -> None:
        """Run every slot, then read once more. `progress` gets each slot's start (epoch ms)."""
        script = self.script
        every_ms = (script.end_ms - script.start_ms) // REFRESHES // SLOT_MS * SLOT_MS
        for slot_ms in range(script.start_ms, script.end_ms, SLOT_MS):
            self.clock.move_to(slot_ms)
            if (slot_ms - script.start_ms) % every_ms == 0:
                self._refresh()
            self.judge.look(slot_ms)
            self._slot(slot_ms)
            progress(slot_ms)
        self.clock.move_to(script.end_ms)
        self.judge.look(script.end_ms)

    def _slot(self, slot_ms: int) -> None:
        jobs = self._plan(slot_ms)
        fates = [self._fate() for _ in jobs]
        self.clock.move_to(slot_ms + self.rng.randrange(300, 900))
        fetched = [
            (fate, job)
            for fate, job in zip(fates, jobs, strict=True)
            if fate is not Fate.KILLED_BEFORE
        ]
        fetch = self.service.fetcher.fetch
        reports = list(self._together([partial(_fetch_once, fetch, job) for _, job in fetched]))
        self.clock.move_to(self.clock.now_ms + max(map(_waited_ms, reports), default=0))
        due = [report for at_ms, report in self._late if at_ms <= slot_ms]
        self._late = [late for late in self._late if late[0] > slot_ms]
        for (fate, _), report in zip(fetched, reports, strict=True):
            due += self._deliveries(fate, report, slot_ms)
        self.clock.move_to(self.clock.now_ms + self.rng.randrange(20, 200))
        for summary in self._together([self._commit(report) for report in due]):
            self.judge.committed(summary, self.clock.now_ms)
        for name in (fate.value for fate in fates):
            self.judge.count(name)

    def _plan(self, slot_ms: int) -> list[Job]:
        """Return the slot's jobs from the worker that claimed it."""
        plans = self._together(
            [
                partial(_plan_once, worker, slot_ms, slot_ms + self.rng.randrange(300))
                for worker in self.service.workers
            ]
        )
        won = [plan for plan in plans if plan.claimed]
        self.judge.claimed(len(won))
        return [job for plan in won for job in plan.jobs]

    def _deliveries(self, fate: Fate, report: Report, slot_ms: int) -> list[Report]:
        """Return the report once for each time that it arrives in this slot."""
        wrong = self.judge.fetched(report, lost=fate is Fate.KILLED_AFTER)
        if fate is Fate.KILLED_AFTER:
            return []
        if fate is Fate.LATE:
            after_ms = self.rng.randrange(SLOT_MS, LATEST_MS)
            self._late.append((slot_ms + after_ms, report))
            return []
        # A wrong price must not be confirmed by a second copy of the same report.
        again = fate is Fate.TWICE or (wrong and self.rng.random() < 0.5)
        return [report, report] if again else [report]

    def _commit(self, report: Report) -> Callable[[], Summary]:
        worker = self.rng.choice(self.service.workers)
        return partial(_commit_once, worker, self.clock.now_ms, report)

    def _refresh(self) -> None:
        """Refresh the asset lists once."""
        service, now_ms = self.service, self.clock.now_ms
        plan = service.asset_planner.plan(now_ms)
        self.judge.count("asset lists planned", len(plan.jobs))
        for job in plan.jobs:
            report = through_json(AssetReport, service.asset_fetcher.fetch(job))
            summary = service.asset_committer.commit(report, now_ms)
            self.judge.count("asset lists kept" if summary.swapped else "asset lists not accepted")

    def _fate(self) -> Fate:
        return self.rng.choices(list(_ODDS), list(_ODDS.values()))[0]

    def _together(self, steps: Sequence[Callable[[], _T]]) -> list[_T]:
        """Run steps in parallel.

        Return their results, without those that failed because of Redis.
        """
        done = [self.pool.submit(step) for step in steps]
        results = []
        for step in done:
            try:
                results.append(step.result())
            except CacheUnavailableError:
                self.judge.count("steps that Redis did not answer")
        return results


def _plan_once(worker: Worker, slot_ms: int, now_ms: int) -> Plan:
    return through_json(Plan, worker.planner.plan(slot_ms // 1000, now_ms))


def _fetch_once(fetch: Callable[[Job], Report], job: Job) -> Report:
    return through_json(Report, fetch(job))


def _commit_once(worker: Worker, now_ms: int, report: Report) -> Summary:
    return worker.committer.commit(report, now_ms)


def through_json(model: type[_M], message: Message) -> _M:
    """Return a message as the next step gets it: through JSON, as on AWS."""
    return model.model_validate_json(message.model_dump_json())


def _waited_ms(report: Report) -> int:
    """Return how long a fetch waited for providers, 0 for no wait."""
    waited = sum(outcome.latency_ms for outcome in report.outcomes)
    return waited if waited >= NO_WAIT_MS else 0
