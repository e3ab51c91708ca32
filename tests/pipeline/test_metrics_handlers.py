"""The handlers of plan and commit as Lambda calls them: what they print for CloudWatch."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.support.metric_lines import metrics_in

ROOT = Path(__file__).parents[2]
# Plans a slot twice, and commits its jobs as failed fetches, at the real time, as on Lambda.
SCRIPT = """
import json, time
import functions.plan_quotes.app as plan, functions.commit_quotes.app as commit
slot = int(time.time()) // 5 * 5
planned = plan.handler({"slot": slot}, None)
assert planned["claimed"] and planned["jobs"], planned
assert not plan.handler({"slot": slot}, None)["claimed"]
for job in planned["jobs"]:
    commit.handler({"job": job, "error": "Lambda.Unknown"}, None)
"""


def printed(**env: str) -> str:
    """All that the handlers print in a fresh process."""
    done = subprocess.run(  # noqa: S603 - fixed arguments
        [sys.executable, "-c", SCRIPT],
        cwd=ROOT,
        env={"PYTHONPATH": f"{ROOT}:{ROOT / 'layers/core'}", "PATH": "", **env},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stderr == ""
    return done.stdout


def test_a_deployment_prints_metrics_with_its_name(redis_server):
    """A claim, the gauges of its minute and each commit print metrics; a lost claim does not."""
    text = printed(**redis_server.env(METRICS_SERVICE="prod", ACTIVE_SYMBOLS="AAPL,EUR/USD"))
    found = metrics_in(text)
    names = [metric.name for metric in found]
    assert {metric.service for metric in found} == {"prod"}
    assert names.count("TickLag") == names.count("MissedSlots") == 1
    assert names.count("QuotesWritten") == text.count("quotes committed") == 2
    # No class has a quote, and crypto has no symbols either; two providers need no key.
    ages = [metric.dimensions["asset_class"] for metric in found if metric.name == "QuoteAge"]
    assert ages == ["crypto"]
    assert names.count("BudgetLeft") == 2


def test_one_machine_prints_no_metrics(redis_server):
    """Without METRICS_SERVICE the handlers print lines of the log only."""
    text = printed(**redis_server.env(ACTIVE_SYMBOLS="AAPL,EUR/USD"))
    assert metrics_in(text) == []
    assert "_aws" not in text
    assert all("message" in json.loads(line) for line in text.splitlines())
