"""Changes of a deployed stack: a second stack, a parameter, a rollback and a deletion."""

from __future__ import annotations

import json

import pytest

from local.service.terminal import say
from tests.deployment.api import ask
from tests.deployment.conftest import Took
from tests.deployment.minute import Minute, run_slot
from tests.deployment.sam import Deployed, Sam
from tests.deployment.smoke import Target, smoke

SECOND = "market-data-second"
BROKEN = """
def handler(event, context):
    raise RuntimeError("this version is broken")
"""


@pytest.fixture(scope="module")
def second(stack: Deployed, given: dict[str, str], minute: Minute) -> Deployed:
    """Another stack of the same template whose schedules are off."""
    stacks = stack.client("cloudformation")
    with Took("stack", f"{SECOND}, beside {stack.name}"):
        stacks.create_stack(
            StackName=SECOND, **stack.source({**given, "ScheduleState": "DISABLED"})
        )
        stacks.get_waiter("stack_create_complete").wait(
            StackName=SECOND, WaiterConfig={"Delay": 1, "MaxAttempts": 30}
        )
    return Deployed(stack.ground, SECOND)


def test_nothing_changed_is_nothing_done(unchanged: str):
    """A deployment without a change succeeds and says that nothing has changed."""
    assert "No changes to deploy. Stack market-data is up to date" in unchanged


def test_two_stacks_do_not_collide(stack: Deployed, second: Deployed):
    """A second stack shares no resource with the first, nor a key in the Redis that both use."""
    ids = [
        {entry["PhysicalResourceId"] for entry in deployed.resources.values()}
        - {"$default"}  # the stage of an API, within that API
        for deployed in (stack, second)
    ]
    assert not ids[0] & ids[1]
    assert ask(second, "/v1/quotes", symbols="AAPL").json["quotes"] == []
    assert ask(stack, "/v1/quotes", symbols="AAPL").json["quotes"]


def test_a_disabled_stack_is_silent(second: Deployed):
    """With ScheduleState=DISABLED no schedule runs, and alarms for old prices are off."""
    client = second.client("scheduler")
    for name in ("PriceLoopEachMinute", "AssetRefreshEachTenMinutes"):
        assert client.get_schedule(Name=second.id(name))["State"] == "DISABLED"
    alarms = second.client("cloudwatch").describe_alarms(AlarmNamePrefix=f"{SECOND}-")
    silent = {alarm["AlarmName"] for alarm in alarms["MetricAlarms"] if not alarm["ActionsEnabled"]}
    assert silent == {
        f"{SECOND}-{what}" for what in ("stocks-are-old", "crypto-is-old", "forex-is-old")
    }


def test_a_changed_parameter_goes_live(stack: Deployed, sam: Sam, minute: Minute):
    """A changed parameter has an effect from the next request on; other parameters stay."""
    (quote,) = ask(stack, "/v1/quotes", symbols="AAPL").json["quotes"]
    assert quote["stale"] is False
    with Took("sam", "deploy, with QuoteTtl=1"):
        sam.deploy(QuoteTtl="1")
    assert stack.function("PlanQuotes")["Environment"]["Variables"]["QUOTE_TTL"] == "1"
    (quote,) = ask(stack, "/v1/quotes", symbols="AAPL").json["quotes"]
    assert quote["stale"] is True


def test_a_rollback_brings_the_version_before(stack: Deployed, gateway: Target, sam: Sam):
    """A broken version fails the smoke check, and the previous version passes it again.

    A parameter that only the newer version has is removed with it.
    """
    newer = sam.copy_of_build("newer")
    (newer / "Api" / "app.py").write_text(BROKEN, encoding="utf-8")
    for compiled in (newer / "Api" / "__pycache__").glob("app.*"):
        compiled.unlink()  # Python would use the bytecode in place of the source
    document = json.loads((newer / "template.yaml").read_text(encoding="utf-8"))
    document["Parameters"]["AddedLater"] = {"Type": "String", "Default": "a"}
    (newer / "template.yaml").write_text(json.dumps(document), encoding="utf-8")
    with Took("sam", "deploy, of a version whose api is broken"):
        sam.deploy(newer, AddedLater="b")
    assert stack.parameters()["AddedLater"] == "b"
    assert not smoke(gateway, wait_s=0, report=lambda _, line: say("broken", line))
    with Took("sam", "deploy, of the version before"):
        sam.deploy(QuoteTtl="300")  # another test has made every quote stale
    assert "AddedLater" not in stack.parameters()
    run_slot(stack)  # no schedule starts the loop here
    assert smoke(gateway, wait_s=0)


def test_a_deleted_stack_leaves_its_archive(second: Deployed, sam: Sam):
    """`sam delete` removes everything of a stack except the bucket with the asset lists."""
    bucket, function = second.outputs["ArchiveBucketName"], second.id("Api")
    with Took("sam", f"delete, stack {SECOND}"):
        assert "Deleted successfully" in sam.delete(SECOND)
    stacks = second.client("cloudformation")
    with pytest.raises(stacks.exceptions.ClientError, match="does not exist"):
        stacks.describe_stacks(StackName=SECOND)
    functions = second.client("lambda")
    with pytest.raises(functions.exceptions.ResourceNotFoundException):
        functions.get_function(FunctionName=function)
    names = [entry["Name"] for entry in second.client("s3").list_buckets()["Buckets"]]
    assert bucket in names
