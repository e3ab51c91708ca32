"""The log of the deployed functions: queries, JSON, metrics and secrets."""

from __future__ import annotations

import json
import re

from local.service.terminal import say
from marketdata.observability.metrics import METRICS, NAMESPACE
from tests.deployment.logs import Logs
from tests.deployment.minute import SLOTS, Minute
from tests.deployment.sam import Deployed
from tests.infrastructure.stack import Stack

SAMPLE_SLOT = "1763820300"


def test_one_query_finds_all_lines_of_a_slot(stack: Deployed, minute: Minute, logs: Logs):
    """The saved query "one slot" finds the lines of all three steps, and of no other slot."""
    slot = minute.slots[6]
    query = Stack().resources["SlotQuery"]["Properties"]["QueryString"]
    client = stack.client("logs")
    started = client.start_query(
        logGroupName=stack.id("FunctionLogs"),
        startTime=minute.start_s - 600,
        endTime=minute.start_s + 600,
        queryString=query.replace(SAMPLE_SLOT, str(slot)),
    )
    rows = client.get_query_results(queryId=started["queryId"])["results"]
    lines = [
        json.loads(field["value"]) for row in rows for field in row if field["field"] == "@message"
    ]
    assert {line["slot"] for line in lines} == {slot}
    steps = {stack.id(name) for name in ("PlanQuotes", "FetchQuotes", "CommitQuotes")}
    assert {line["function"] for line in lines if "function" in line} == steps
    assert all(line["function_request_id"] for line in lines)
    assert {len(line["job"].split("-")) for line in lines if "ProviderLatency" in line} == {3}
    # Two executions claim each slot; one of them gets the slot and runs its jobs.
    assert all(line["execution"] for line in lines)
    (execution,) = {line["execution"] for line in lines if line.get("job")}
    assert execution in {entry["executionArn"] for entry in minute.executions}


def test_one_query_finds_what_lambda_says_of_a_failed_slot(stack: Deployed, minute: Minute):
    """An error that a step raises has its slot in the text that Lambda logs."""
    slot = minute.start_s - 3_600
    damaged = {"job": {"slot": slot, "id": f"{slot}-0-damaged"}}
    answer = stack.client("lambda").invoke(
        FunctionName=stack.id("CommitQuotes"), Payload=json.dumps(damaged)
    )
    message = json.loads(answer["Payload"].read())["errorMessage"]
    assert message.startswith("the event is not a Report: ")
    query = Stack().resources["SlotQuery"]["Properties"]["QueryString"]
    (pattern,) = re.findall(r"like /(.+)/", query.replace(SAMPLE_SLOT, str(slot)))
    assert re.search(pattern, message)


def test_every_line_is_json(minute: Minute, logs: Logs):
    """Each line of our functions is a JSON object."""
    for line in logs.lines():
        assert isinstance(line, dict)
    written = [
        text
        for line, text in zip(logs.lines(), logs.messages, strict=True)
        if line.get("slot") in minute.slots
        or 0 <= line.get("_aws", {}).get("Timestamp", 0) // 1000 - minute.start_s < 60
    ]
    size = sum(map(len, written)) / len(written)
    say("logs", f"{len(written) / SLOTS:.1f} lines a slot, {size:.0f} bytes each")


def test_nothing_goes_wrong(minute: Minute, logs: Logs):
    """In the watched minute nothing is logged as a warning or an error."""
    wrong = [
        line
        for line in logs.lines()
        if line.get("level") in ("WARNING", "ERROR") and line.get("slot", 0) >= minute.start_s
    ]
    assert not wrong


def test_metrics_are_written(stack: Deployed, logs: Logs):
    """Every metric has lines in the embedded metric format, with the stack as its service."""
    written = [line for line in logs.lines() if "_aws" in line]
    names = set()
    for line in written:
        assert line["service"] == stack.name
        (directive,) = line["_aws"]["CloudWatchMetrics"]
        assert directive["Namespace"] == NAMESPACE
        names |= {metric["Name"] for metric in directive["Metrics"]}
    assert names == {metric.name for metric in METRICS}


def test_requests_are_logged(logs: Logs):
    """Each request has one line with its route, its status and its metrics."""
    requests = [line for line in logs.lines() if line.get("message") == "request"]
    assert requests
    assert {line["status"] for line in requests} == {200}
    assert all(line["route"] for line in requests)
    assert len({line["function_request_id"] for line in requests}) == len(requests)
    assert requests == [line for line in logs.lines() if "ApiLatency" in line]


def test_no_secret_is_logged(stack: Deployed, logs: Logs, keys: dict[str, str]):
    """No key of a provider is in the log or in the emulator's own log."""
    everything = "\n".join((*logs.messages, *logs.lambdas_own, stack.ground.emulator.log()))
    for key in keys.values():
        assert key not in everything
