"""Writes the sample events of the steps anew: `python -m tests.infrastructure.sample_events`.

The events are the messages between the steps in one slot and one refresh on the simulated market.
Run this module when the shape of a job or a report changes. The api's events are written by hand.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from local.simulator import MarketServers
from marketdata.domain.symbols import AssetClass
from marketdata.lists.archive import LocalArchive
from marketdata.lists.fetching import AssetFetcher
from marketdata.lists.planning import AssetPlanner
from tests.infrastructure.stack import ROOT
from tests.support.caches import patient_cache
from tests.support.pipeline import GENEROUS_MARKET, Pipeline
from tests.support.redis_servers import RedisServer
from tests.support.simulated_market import Clock

NOW_MS = 1_763_820_310_020
# A deadline in 2100, because a job past its deadline is not fetched.
IN_2100_MS = 4_102_444_800_000
TIMED_OUT = "States.Timeout"
# The state machines pass on which execution calls a function.
EXECUTION = "arn:aws:states:us-east-1:123456789012:{}:market-data-{}:run:1"
MACHINES = {
    "quotes": EXECUTION.format("express", "price-loop"),
    "assets": EXECUTION.format("execution", "asset-refresh"),
}


def sample_events(folder: Path) -> dict[str, dict[str, Any]]:
    """Return the events by their names; `folder` is for temporary files."""
    server = RedisServer(folder)
    server.start()
    cache = patient_cache(server)
    clock = Clock(NOW_MS)
    try:
        with MarketServers(clock=clock, limits=GENEROUS_MARKET) as market:
            pipeline = Pipeline(cache, market, clock)
            try:
                slot = pipeline.run()
                refresh = _refresh(pipeline, folder)
            finally:
                pipeline.close()
    finally:
        cache.close()
        server.kill()
    reports = {report["job"]["asset_class"]: report for report in slot.reports}
    late, crypto = reports["stocks"]["job"], reports["crypto"]["job"]
    events = {
        "plan_quotes__slot": {"slot": slot.plan["slot"]},
        "fetch_quotes__late": late,
        "fetch_quotes__crypto": crypto | {"deadline_ms": IN_2100_MS},
        "commit_quotes__report": reports["crypto"],
        "commit_quotes__failed_fetch": {"job": late, "error": TIMED_OUT},
        "plan_assets__refresh": {},
        "fetch_assets__forex": refresh["job"],
        "commit_assets__report": refresh,
        "commit_assets__failed_fetch": {"job": refresh["job"], "error": TIMED_OUT},
        "commit_assets__restore": {"restore": True, "asset_class": "crypto"},
    }
    return {
        name: event | {"execution": MACHINES[name.split("__")[0].split("_")[1]]}
        for name, event in events.items()
    }


def _refresh(pipeline: Pipeline, folder: Path) -> dict[str, Any]:
    """The report of the refresh of one class."""
    planner = AssetPlanner(pipeline.settings, pipeline.control, pipeline.assets, lambda: "t1")
    fetcher = AssetFetcher(
        pipeline.provider, pipeline.sender, pipeline._calls, LocalArchive(folder), lambda *_: None
    )
    jobs = planner.plan(pipeline.clock()).jobs
    (job,) = (job for job in jobs if job.asset_class is AssetClass.FOREX)
    return fetcher.fetch(job).to_event()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        for name, event in sample_events(Path(place)).items():
            text = json.dumps(event, indent=2) + "\n"
            (ROOT / "events" / f"{name}.json").write_text(text, encoding="utf-8")
