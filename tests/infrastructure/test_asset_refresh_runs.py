"""Refreshes of the asset lists by their state machine's definition, with S3 by moto."""

from __future__ import annotations

import os

import boto3
import pytest

from marketdata.cache.client import connect
from marketdata.errors import CacheUnavailableError
from marketdata.settings import Settings
from tests.infrastructure.api_client import get, lists
from tests.infrastructure.interpreter import REGION
from tests.infrastructure.machines import BUCKET, ThrottledError
from tests.infrastructure.stack import definition
from tests.support.simulated_market import WEDNESDAY_MS

CLASSES = ("stocks", "crypto", "forex")
BEGUN = "2026-03-18T15:00:00Z"


@pytest.fixture(autouse=True)
def bucket(machines) -> None:
    """The archive, empty."""
    boto3.client("s3", REGION).create_bucket(Bucket=BUCKET)


def refresh(machines):
    """One execution, as the schedule starts it."""
    (ended,) = machines.run("asset_refresh", {})
    return ended


def lose_lists() -> None:
    """Let the cache lose everything."""
    cache = connect(Settings.from_env(os.environ))
    cache.command("FLUSHALL")
    cache.close()


def only_forex(machines) -> None:
    """Let plan return the job of the shortest list alone, and nothing to restore."""

    def instead(event, handler):
        plan = handler(event)
        jobs = [job for job in plan["jobs"] if job["asset_class"] == "forex"]
        return {**plan, "restore": [], "jobs": jobs}

    machines.instead["plan_assets"] = instead


def fail_for(machines, function: str, asset_class: str, error: Exception, times: int = 99) -> None:
    """Let a function fail for one class, so many times."""
    failures = [error] * times

    def instead(event, handler):
        if event.get("job", event)["asset_class"] == asset_class and failures:
            raise failures.pop()
        return handler(event)

    machines.instead[function] = instead


def test_a_refresh_brings_lists_that_the_api_serves(machines):
    """Each class is listed, ranked and dated by the refresh; nothing was lost before."""
    ended = refresh(machines)
    assert (ended.status, ended.states[-1]) == ("SUCCEEDED", "Done")
    assert lists() == dict.fromkeys(CLASSES, BEGUN)
    for asset_class, first in (("stocks", "NVDA"), ("crypto", "BTC-USD"), ("forex", "EUR/USD")):
        page = get(f"/v1/assets/{asset_class}?limit=5")
        assert page["total"] > len(page["assets"]) == 5
        assert (page["updated_at"], page["stale"]) == (BEGUN, False)
        assert first in [asset["symbol"] for asset in page["assets"]], asset_class


def test_a_refresh_that_is_not_due_does_nothing(machines):
    """An execution ten minutes after a refresh has nothing due and succeeds after its plan."""
    refresh(machines)
    asked = len(machines.calls)
    machines.clock.pass_s(600)
    ended = refresh(machines)
    assert ended.status == "SUCCEEDED"
    assert ended.states == ("Plan", "IsAnyLost", "IsAnyDue", "Done")
    assert [call.function for call in machines.calls[asked:]] == ["plan_assets"]


def test_a_lost_cache_has_its_lists_back_though_no_provider_answers(machines):
    """Lost lists come back from the archive with their age, and no provider is asked."""
    refresh(machines)
    lose_lists()
    assert set(lists().values()) == {None}
    machines.clock.pass_s(3600)
    machines.market.control("status")
    ended = refresh(machines)
    assert (ended.status, ended.states.count("Restore")) == ("SUCCEEDED", 3)
    assert lists() == dict.fromkeys(CLASSES, BEGUN)
    assert {call.answer["swapped"] for call in machines.of("commit_assets")[-3:]} == {False}


def test_a_restore_that_fails_is_repeated_by_the_refresh(machines):
    """If a restore fails, the refresh of the same execution restores the archived lists."""
    refresh(machines)
    lose_lists()
    machines.clock.pass_s(3600)

    def no_restore(event, handler):
        if event.get("restore") and not event.get("job"):
            raise CacheUnavailableError("gone")
        return handler(event)

    machines.instead["commit_assets"] = no_restore
    ended = refresh(machines)
    assert (ended.status, ended.states.count("NotRestored")) == ("SUCCEEDED", 3)
    assert lists() == dict.fromkeys(CLASSES, BEGUN)


def test_a_class_whose_fetch_fails_keeps_no_other_from_its_list(machines):
    """A failed class does not stop the others, and the execution fails at its end."""
    refresh(machines)
    machines.clock.pass_s(86_400)
    fail_for(machines, "fetch_assets", "crypto", OSError("no space left"))
    ended = refresh(machines)
    assert (ended.status, ended.error) == ("FAILED", "NotRefreshed")
    assert "fetch_assets" in ended.cause
    new = "2026-03-19T15:00:00Z"
    assert lists() == {"stocks": new, "crypto": BEGUN, "forex": new}
    (failed,) = [call for call in machines.of("commit_assets") if call.event.get("error")]
    assert failed.event["error"].startswith("OSError: ")
    assert failed.answer["swapped"] is False


def test_executions_fail_until_the_next_good_refresh(machines):
    """While a list is older than its interval each execution fails, so the alarm does not end."""
    refresh(machines)
    machines.clock.pass_s(86_400 - 1_700)
    fail_for(machines, "fetch_assets", "crypto", OSError("no space left"), times=1)
    assert refresh(machines).error == "NotRefreshed"
    machines.clock.pass_s(1_800)
    for _ in range(3):
        ended = refresh(machines)
        assert (ended.status, ended.error, ended.states[-1]) == ("FAILED", "Overdue", "Overdue")
        assert "crypto" in ended.cause
        assert "stocks" not in ended.cause
        machines.clock.pass_s(600)
    machines.clock.pass_s(86_400)
    assert refresh(machines).status == "SUCCEEDED"
    machines.clock.pass_s(600)
    assert refresh(machines).status == "SUCCEEDED"


def test_executions_fail_while_a_class_has_no_list(machines):
    """A list that the archive does not have either keeps the alarm until a refresh brings it."""
    fail_for(machines, "fetch_assets", "crypto", OSError("no space left"), times=1)
    assert refresh(machines).error == "NotRefreshed"
    machines.clock.pass_s(30)
    ended = refresh(machines)
    assert (ended.error, ended.states.count("Restore")) == ("Overdue", 1)
    machines.clock.pass_s(600)
    assert refresh(machines).status == "SUCCEEDED"


@pytest.mark.parametrize("jitter_s", [0, 59])
def test_no_list_is_stale_while_it_is_replaced(machines, jitter_s):
    """The refresh of the next day ends before the list of this one counts as stale."""
    refresh(machines)
    # The executions of the first 18 hours are left out: none of them has anything to refresh.
    machines.clock.pass_s(110 * (600 + jitter_s))
    for _ in range(40):
        machines.clock.pass_s(600 + jitter_s)
        ended = refresh(machines)
        assert ended.status == "SUCCEEDED"
        if "RefreshLists" in ended.states:
            break
    age_s = (machines.clock() - WEDNESDAY_MS) / 1000
    longest_refresh_s = definition("asset_refresh")["TimeoutSeconds"]
    assert 80_000 < age_s + longest_refresh_s < 86_400


def test_a_fetch_that_hangs_is_committed_as_failed(machines):
    """A fetch that hangs times out after five minutes, and its class has no list."""

    def hang(event, handler):
        machines.spend(400)
        return handler(event)

    only_forex(machines)
    machines.instead["fetch_assets"] = hang
    ended = refresh(machines)
    assert (ended.status, ended.error) == ("FAILED", "NotRefreshed")
    (commit,) = machines.of("commit_assets")
    assert commit.event["error"].startswith("States.Timeout")
    assert commit.at_ms - machines.of("fetch_assets")[0].at_ms == 300_000
    assert lists()["forex"] is None


def test_a_commit_that_fails_for_a_while_is_tried_again(machines):
    """A failed commit is retried after five and ten seconds, and then counts as committed."""
    only_forex(machines)
    fail_for(machines, "commit_assets", "forex", CacheUnavailableError("away"), times=2)
    assert refresh(machines).status == "SUCCEEDED"
    first, second, third = machines.of("commit_assets")
    assert (second.at_ms - first.at_ms, third.at_ms - second.at_ms) == (5_000, 10_000)
    assert third.answer["swapped"]
    assert lists()["forex"] == BEGUN


def test_a_commit_that_goes_on_failing_fails_the_execution(machines):
    """A commit that fails three times fails the execution."""
    only_forex(machines)
    fail_for(machines, "commit_assets", "forex", CacheUnavailableError("away"))
    ended = refresh(machines)
    assert (ended.status, ended.error) == ("FAILED", "NotRefreshed")
    assert ended.states.count("NotCommitted") == 1
    assert len(machines.of("commit_assets")) == 3


def test_a_throttled_fetch_is_tried_again(machines):
    """A fetch that Lambda throttled is tried again with the same job."""
    only_forex(machines)
    fail_for(machines, "fetch_assets", "forex", ThrottledError(), times=2)
    assert refresh(machines).status == "SUCCEEDED"
    first, second, third = machines.of("fetch_assets")
    assert first.event == second.event == third.event
    assert lists()["forex"] == BEGUN


@pytest.mark.parametrize("wrong", ["raises", "nothing"])
def test_a_plan_that_fails_fails_the_execution_by_name(machines, wrong):
    """An execution whose plan fails ends as NotPlanned, with the error's name as the cause."""

    def plan(_event, _handler):
        if wrong == "raises":
            raise CacheUnavailableError("Redis is away")
        return {}

    machines.instead["plan_assets"] = plan
    ended = refresh(machines)
    assert (ended.status, ended.error) == ("FAILED", "NotPlanned")
    expected = {"raises": "CacheUnavailableError: ", "nothing": "States.QueryEvaluationError: "}
    assert ended.cause.startswith(expected[wrong])
    assert ("Redis is away" in ended.cause) == (wrong == "raises")
    assert [call.function for call in machines.calls] == ["plan_assets"]
