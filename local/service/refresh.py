"""The refresh of the asset lists on one machine: it replaces the daily state machine of AWS.

It calls `plan_assets` regularly. That step decides whether a refresh is due, for all services that
share a Redis.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from local.service.loop import Steps, run_job, through_json
from marketdata.domain.list_messages import AssetPlan, AssetSummary
from marketdata.domain.outcomes import Outcome
from marketdata.errors import MarketDataError

POLL_S = 5.0

log = logging.getLogger("marketdata.local")


class Refresher:
    """Refreshes the lists whenever they are due, until it is stopped.

    `report` gets one line for each list that was committed.
    """

    def __init__(self, steps: Steps, report: Callable[[str], None]) -> None:
        self._steps = steps
        self._report = report
        self._stop = threading.Event()
        self._pool = ThreadPoolExecutor(3, thread_name_prefix="assets")
        self.first_done = threading.Event()

    def run(self) -> None:
        """Run until `stop`; `first_done` is set once the first round is over."""
        with self._pool:
            while not self._stop.is_set():
                self._round()
                self.first_done.set()
                self._stop.wait(POLL_S)

    def refresh(self) -> None:
        """Do one round: put back lists that the cache lost, then refresh lists that are due."""
        answer = through_json(self._steps.plan, {})
        plan = AssetPlan.model_validate(answer)
        for asset_class in plan.restore:
            report = {"restore": True, "asset_class": asset_class.value}
            summary = AssetSummary.model_validate(through_json(self._steps.commit, report))
            if summary.restored:
                self._report_on(summary)
        for done in self._pool.map(lambda job: run_job(self._steps, job), answer["jobs"]):
            summary = AssetSummary.model_validate(done)
            if summary.swapped or summary.restored or summary.failed:
                self._report_on(summary)

    def stop(self) -> None:
        """Start no further round, do not wait for a running one, and report none."""
        self._stop.set()

    def _round(self) -> None:
        try:
            self.refresh()
        except Exception as error:
            if self._stop.is_set():  # Redis may have ended before this thread
                return
            if isinstance(error, MarketDataError):
                log.warning("asset refresh failed", extra={"error": str(error)})
            else:
                log.exception("asset refresh failed")

    def _report_on(self, summary: AssetSummary) -> None:
        if not self._stop.is_set():
            self._report(_line(summary))


def _line(summary: AssetSummary) -> str:
    name, total = summary.asset_class.value, summary.total
    failed = [
        f"{one.provider.value}: {one.detail or one.outcome.value}"
        for one in summary.outcomes
        if one.outcome not in (Outcome.OK, Outcome.SKIPPED)
    ]
    if summary.swapped:
        line = f"{name} {total} from {', '.join(source.value for source in summary.sources)}"
    elif summary.restored:
        line = f"{name} {total} from the archive"
        failed = [summary.reason, *failed] if summary.failed else failed
    else:
        line = f"{name} not refreshed: {summary.reason}"
    return f"{line} ({'; '.join(failed)})" if failed else line
