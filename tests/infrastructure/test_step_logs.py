"""The log lines of plan, fetch and commit on Lambda name their slot, job and execution."""

from __future__ import annotations

import importlib
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from local.simulator import MarketServers
from marketdata.errors import CacheUnavailableError, InvalidEventError
from tests.infrastructure.lambda_process import lambda_process
from tests.infrastructure.stack import ROOT
from tests.support.lambda_context import LambdaContext
from tests.support.pipeline import GENEROUS_MARKET
from tests.support.redis_servers import RedisServer

EXECUTION = "arn:aws:states:eu-central-1:123456789012:express:loop:run:1"
STEPS = ("plan_quotes", "fetch_quotes", "commit_quotes")
# Events that are not a message of any step: a ping, a scheduler's event, nothing, a list.
ODD_EVENTS = ({"warmup": True}, {"source": "aws.scheduler", "id": "1"}, {}, None, [], "ping")
PING_LIKE = (
    {"requestContext": {}},
    {"requestContext": {"http": None}, "version": "2.0"},
    {"requestContext": {"http": {"method": "GET"}}, "version": "2.0"},
    {"requestContext": {"elb": {}}, "httpMethod": "GET", "path": "/"},
    {"requestContext": {"connectionId": "a", "routeKey": "$connect"}},
)


@dataclass
class Functions:
    """The functions as Lambda starts them."""

    capture: pytest.CaptureFixture[str]
    market: MarketServers

    def call(self, name: str, event: object, request_id: str) -> tuple[Any, list[dict[str, Any]]]:
        """Return what a function answers, or its error, and the lines that it logs."""
        handler = importlib.import_module(f"functions.{name}.app").handler
        self.capture.readouterr()
        try:
            answer = handler(event, LambdaContext(aws_request_id=request_id))
        except Exception as error:  # noqa: BLE001 - as Lambda catches any
            answer = error
        lines = self.capture.readouterr().out.splitlines()
        return answer, [json.loads(line) for line in lines]


@pytest.fixture
def functions(redis_server: RedisServer, capsys) -> Iterator[Functions]:
    """The functions of a new process, with metrics on."""
    with (
        MarketServers(limits=GENEROUS_MARKET) as market,
        lambda_process(redis_server, market, METRICS_SERVICE="prod", ACTIVE_SYMBOLS="AAPL"),
    ):
        yield Functions(capsys, market)


def slot_event() -> dict[str, Any]:
    """The slot of this moment, when the function that gets it is ready."""
    importlib.import_module("functions.plan_quotes.app")
    return {"slot": int(time.time()) // 5 * 5, "execution": EXECUTION}


def test_every_line_of_a_slot_names_slot_job_request_and_execution(functions):
    """Every line of a slot has these ids, lines of metrics and of failures included."""
    functions.market.control(fault="status", provider="yfinance", status=503)
    event = slot_event()
    plan, planned = functions.call("plan_quotes", event, "plan-1")
    (job,) = plan["jobs"]
    late = {**job, "deadline_ms": job["deadline_ms"] + 20_000}
    report, fetched = functions.call("fetch_quotes", late, "fetch-1")
    _, committed = functions.call("commit_quotes", report, "commit-1")
    for lines, request_id in ((planned, "plan-1"), (fetched, "fetch-1"), (committed, "commit-1")):
        assert lines
        for line in lines:
            assert line["slot"] == event["slot"], line
            assert line["execution"] == EXECUTION, line
            assert line["function_request_id"] == request_id, line
    assert {line["job"] for line in (*fetched, *committed)} == {job["id"]}
    assert any("_aws" in line for line in planned)
    assert any("ProviderLatency" in line for line in committed)
    assert "provider failed" in {line.get("message") for line in committed}


def test_an_error_that_reaches_lambda_names_slot_and_job(functions, redis_server):
    """An error's text, which Lambda logs, names slot and job; our line has the traceback."""
    event = slot_event()
    plan, _ = functions.call("plan_quotes", event, "plan-1")
    redis_server.kill()
    (job,) = plan["jobs"]
    error, lines = functions.call("commit_quotes", {"job": job, "error": "Lambda.Unknown"}, "c-1")
    assert isinstance(error, CacheUnavailableError)
    assert str(error).endswith(f"(slot {event['slot']}, job {job['id']})")
    (failed,) = [line for line in lines if line["message"] == "step failed"]
    assert (failed["slot"], failed["job"]) == (event["slot"], job["id"])
    assert "Traceback" in failed["exception"]


@pytest.mark.parametrize("name", STEPS)
@pytest.mark.parametrize("event", ODD_EVENTS, ids=str)
def test_an_event_that_is_no_message_is_an_error_in_one_line(functions, name, event):
    """A step says which message it takes and what is wrong, without a traceback."""
    error, (line,) = functions.call(name, event, "odd-1")
    assert isinstance(error, InvalidEventError)
    assert str(error).startswith("the event is not a ")
    assert "\n" not in str(error)
    assert (line["level"], line["message"]) == ("ERROR", "event not understood")
    assert line["function_request_id"] == "odd-1"
    assert "exception" not in line


def test_a_message_that_is_damaged_names_its_slot_and_job(functions):
    """A report of which one field is wrong is found by the query for its slot."""
    plan, _ = functions.call("plan_quotes", slot_event(), "plan-1")
    (job,) = plan["jobs"]
    damaged = {"job": {**job, "deadline_ms": "soon"}}
    error, (line,) = functions.call("commit_quotes", damaged, "commit-1")
    assert "job.deadline_ms: Input should be a valid integer" in str(error)
    assert str(error).endswith(f"(slot {job['slot']}, job {job['id']})")
    assert (line["slot"], line["job"]) == (job["slot"], job["id"])


@pytest.mark.parametrize("name", ["http_quotes", "rest_quotes"])
def test_the_line_of_a_request_has_the_ids_of_the_gateway_and_of_the_function(functions, name):
    """The line of a request has both request ids, by which the saved query finds the line."""
    event = json.loads((ROOT / "events" / f"api__{name}.json").read_text(encoding="utf-8"))
    _, lines = functions.call("api", event, "api-1")
    (line,) = [line for line in lines if line.get("message") == "request"]
    assert line["gateway_request_id"] == event["requestContext"]["requestId"]
    assert line["function_request_id"] == "api-1"


@pytest.mark.parametrize("event", [*ODD_EVENTS, *PING_LIKE], ids=str)
def test_the_api_answers_an_event_that_is_no_request_with_nothing(functions, event):
    """A warm-up ping, or another service's event, gets an empty answer and no line."""
    assert functions.call("api", event, "ping-1") == ({}, [])
