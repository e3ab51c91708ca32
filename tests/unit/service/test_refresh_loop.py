"""The refresh on one machine: its rounds and its lines."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from local.service.refresh import Refresher
from marketdata.domain.list_messages import AssetJob, AssetSummary
from marketdata.domain.quotes import Source
from marketdata.domain.symbols import AssetClass
from marketdata.errors import CacheUnavailableError
from tests.support.step_fakes import SLOT, Fakes

LIST_JOB = AssetJob(
    id="l1",
    asset_class=AssetClass.CRYPTO,
    version="1",
    planned_ms=SLOT * 1000,
    sources=(),
    attempts=(),
).to_event()


LIST = AssetSummary(
    asset_class=AssetClass.CRYPTO,
    total=1495,
    swapped=True,
    sources=(Source.COINGECKO, Source.COINMARKETCAP),
).to_event()


def lists_plan(restore: list[str], jobs: list[dict[str, Any]]) -> dict[str, Any]:
    """A plan of the asset lists."""
    return {"version": "1", "restore": restore, "jobs": jobs}


def refreshed(fakes: Fakes) -> list[str]:
    """The lines of one round."""
    lines: list[str] = []
    refresher = Refresher(fakes.steps(), lines.append)
    refresher.refresh()
    return lines


def test_a_refresh_commits_each_list_and_tells_of_it():
    """A refresh restores the lists that are lost, fetches those that are due, and reports both."""

    def commit(report: dict[str, Any]) -> Any:
        if report.get("restore"):
            asset_class = report["asset_class"]
            restored = asset_class == "forex"
            lost = {**LIST, "swapped": False, "total": 60, "restored": restored}
            return {**lost, "asset_class": asset_class}
        return LIST

    fakes = Fakes(plan=lists_plan(["forex", "stocks"], [LIST_JOB]), commit=commit)
    assert refreshed(fakes) == [
        "forex 60 from the archive",
        "crypto 1495 from coingecko, coinmarketcap",
    ]
    assert fakes.given[1] == ("commit", {"restore": True, "asset_class": "forex"})


@pytest.mark.parametrize(
    ("summary", "line"),
    [
        (
            {"restored": True, "failed": True, "reason": "too small"},
            "crypto 1495 from the archive (too small)",
        ),
        (
            {"failed": True, "reason": "no provider gave a list"},
            "crypto not refreshed: no provider gave a list",
        ),
        (
            {
                "swapped": True,
                "sources": ["coinmarketcap"],
                "outcomes": [
                    {"provider": "coingecko", "outcome": "unavailable", "detail": "timed out"},
                    {"provider": "coinmarketcap", "outcome": "ok", "total": 1495},
                ],
            },
            "crypto 1495 from coinmarketcap (coingecko: timed out)",
        ),
    ],
)
def test_a_list_that_was_not_refreshed_says_why(summary, line):
    """The line of a list has the reason why the list, or a part of it, was not refreshed."""
    commit = {**LIST, "swapped": False, **summary}
    plan = lists_plan([], [LIST_JOB])
    assert refreshed(Fakes(plan=plan, commit=commit)) == [line]


@pytest.mark.parametrize(
    ("plan", "logged"),
    [
        (lists_plan([], []), ""),
        (CacheUnavailableError("Redis is away"), "asset refresh failed"),
        (KeyError("jobs"), "asset refresh failed"),
    ],
)
def test_the_first_round_is_over_whatever_it_ends_in(plan, logged, caplog):
    """The first round counts as done after a failure, too, so the price loop does not wait."""
    refresher = Refresher(Fakes(plan=plan).steps(), print)
    thread = threading.Thread(target=refresher.run)
    thread.start()
    assert refresher.first_done.wait(10)
    refresher.stop()
    thread.join(10)
    assert not thread.is_alive()
    assert logged in caplog.text
