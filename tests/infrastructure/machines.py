"""Both state machines with the real handlers, a real Redis and the simulated market.

moto interprets the definitions as the template deploys them. Only Lambda itself is left out: an
invocation calls the handler of the function that the ARN names, through JSON as Lambda does.
"""

from __future__ import annotations

import importlib
import json
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from moto import mock_aws
from moto.awslambda_simple.models import LambdaSimpleBackend
from moto.core.exceptions import JsonRESTError
from moto.stepfunctions.parser.asl.component.common.timeouts.timeout import EvalTimeoutError

from local.simulator import MarketServers
from marketdata import clock as clock_module
from marketdata.cache import client as client_module
from marketdata.cache.client import connect
from tests.infrastructure.interpreter import PATIENCE_S, REGION, SharedClock, interpreter
from tests.infrastructure.lambda_process import lambda_process
from tests.infrastructure.stack import definition, template
from tests.support.lambda_context import LambdaContext
from tests.support.pipeline import GENEROUS_MARKET
from tests.support.redis_servers import RedisServer
from tests.support.simulated_market import WEDNESDAY_MS

# What the schedule tells the loop at the time at which a test begins, and the minute that follows.
SCHEDULED = {"scheduled": "2026-03-18T15:00:00Z"}
MINUTE_MS = WEDNESDAY_MS + 60_000
BUCKET = "archive"
ROLE = "arn:aws:iam::123456789012:role/machine"
RESOURCES = {"price_loop": "PriceLoop", "asset_refresh": "AssetRefresh"}
MOTO = {"stepfunctions": {"execute_state_machine": True}, "lambda": {"use_docker": False}}

Handler = Callable[[dict[str, Any]], Any]


class ThrottledError(JsonRESTError):
    """Lambda has no concurrency left, so the invocation did not begin."""

    code = 429

    def __init__(self) -> None:
        super().__init__("TooManyRequestsException", "Rate Exceeded.")


@dataclass
class Call:
    """One invocation of a function; `answer` is None where it failed."""

    function: str
    event: dict[str, Any]
    at_ms: int
    answer: Any = None


@dataclass(frozen=True)
class Ended:
    """An execution that is over; `states` are the names of those that it entered."""

    arn: str
    status: str
    error: str | None
    cause: str | None
    states: tuple[str, ...]


@dataclass
class Machines:
    """The deployed machines. `calls` are all invocations so far, in their order.

    `instead` replaces handlers by function: it is given the event and the real handler.
    """

    clock: SharedClock
    market: MarketServers
    calls: list[Call] = field(default_factory=list)
    instead: dict[str, Callable[[dict[str, Any], Handler], Any]] = field(default_factory=dict)
    _over: dict[str, threading.Event] = field(default_factory=dict)
    _entered: dict[str, tuple[str, ...]] = field(default_factory=dict)
    _own: threading.local = field(default_factory=threading.local)

    def run(self, name: str, *inputs: Mapping[str, Any]) -> list[Ended]:
        """Run executions of a machine to their ends, all at the same time."""
        text, self._limits_s = deployed_definition(name)
        client = boto3.client("stepfunctions", REGION)
        machine = client.create_state_machine(
            name=f"{name}-{time.monotonic_ns()}",
            definition=text,
            roleArn=ROLE,
            type=template()["Resources"][RESOURCES[name]]["Properties"]["Type"],
        )["stateMachineArn"]
        self.clock.running = len(inputs)
        started = [
            client.start_execution(
                stateMachineArn=machine, name=f"run-{number}", input=json.dumps(one)
            )["executionArn"]
            for number, one in enumerate(inputs)
        ]
        for arn in started:
            assert self._event(arn).wait(PATIENCE_S), "the execution hangs"
        return [_ended(client, arn, self._entered[arn]) for arn in started]

    def run_minute(self, *, from_s: int = 0, times: int = 1) -> list[Ended]:
        """Run the loop in `times` executions at once, from second `from_s` of the minute."""
        if from_s:
            self.clock.reach(MINUTE_MS + from_s * 1000)
        return self.run("price_loop", *[SCHEDULED] * times)

    def slots(self) -> list[float]:
        """Return the times of the claimed slots, in seconds of the minute."""
        return [
            (call.at_ms - MINUTE_MS) / 1000
            for call in self.of("plan_quotes")
            if call.answer and call.answer["claimed"]
        ]

    def spend(self, seconds: float) -> None:
        """Let the calling handler take so many seconds; beyond its limit it times out."""
        self._own.spent_s += seconds
        self.clock.reach(self._own.began_ms + int(1000 * min(self._own.spent_s, self._own.limit_s)))

    def of(self, function: str) -> list[Call]:
        """The invocations of one function."""
        return [call for call in self.calls if call.function == function]

    def upstream(self) -> dict[str, int]:
        """Return how many calls for quotes reached each provider that was called."""
        asked = Counter(
            source.value
            for source, calls in self.market.calls.items()
            for call in calls
            if call.kind == "quote"
        )
        return dict(asked)

    def ended(self, arn: str, entered: tuple[str, ...]) -> None:
        """Note that an execution is over, and which states it entered."""
        self._entered[arn] = entered
        self._event(arn).set()

    def invoke(self, arn: str, body: bytes | str, response_headers: dict[str, str]) -> bytes:
        """Do what Lambda does with an invocation."""
        name = re.fullmatch(r".*:function:(\w+)", arn).group(1)
        call = Call(name, json.loads(body), self.clock())
        self._own.began_ms, self._own.spent_s = call.at_ms, 0.0
        self._own.limit_s = self._limits_s[name]
        self.calls.append(call)
        real = importlib.import_module(f"functions.{name}.app").handler
        instead = self.instead.get(name, lambda event, handler: handler(event))
        try:
            answer = json.dumps(instead(call.event, lambda event: real(event, LambdaContext(name))))
            call.answer = json.loads(answer)
        except JsonRESTError:
            raise
        except Exception as error:  # noqa: BLE001 - as Lambda does
            response_headers["X-Amz-Function-Error"] = "Unhandled"
            failure = {"errorMessage": str(error), "errorType": type(error).__name__}
            answer = json.dumps(failure)
        if self._own.spent_s > self._own.limit_s:
            call.answer = None
            raise EvalTimeoutError
        return answer.encode()

    def _event(self, arn: str) -> threading.Event:
        return self._over.setdefault(arn, threading.Event())


@contextmanager
def deployed(server: RedisServer, **settings: str) -> Iterator[Machines]:
    """The machines over a Redis without data and a new market.

    `settings` are further ones of the functions. The archive's bucket is for the test to make.
    """
    clock = SharedClock()
    with server.client() as client:
        client.flushall()
    with (
        MarketServers(clock=clock, limits=GENEROUS_MARKET) as market,
        pytest.MonkeyPatch.context() as patch,
        mock_aws(config=MOTO),
        lambda_process(server, market, ARCHIVE_BUCKET=BUCKET, **settings),
    ):
        machines = Machines(clock, market)
        patch.setenv("AWS_DEFAULT_REGION", REGION)
        patch.setattr(
            LambdaSimpleBackend,
            "invoke",
            lambda _backend, arn, _qualifier, body, _headers, headers: machines.invoke(
                arn, body, headers
            ),
        )
        # The scripts in Redis work at the time of the machines, too.
        patch.setattr(client_module, "connect", partial(connect, caller_time=True))
        # The handlers' wall clock; what they measure durations with goes on.
        clocks = SimpleNamespace(time_ns=lambda: clock() * 1_000_000, monotonic=time.monotonic)
        patch.setattr(clock_module, "time", clocks)
        with interpreter(clock, machines.ended):
            yield machines


def deployed_definition(name: str) -> tuple[str, dict[str, float]]:
    """A definition with the template's substitutions, and the time limit of each function."""
    resources = template()["Resources"]
    text = json.dumps(definition(name))
    substitutions = resources[RESOURCES[name]]["Properties"]["DefinitionSubstitutions"]
    for placeholder, value in substitutions.items():
        if value == {"Ref": "AWS::Partition"}:
            text = text.replace(f"${{{placeholder}}}", "aws")
            continue
        function, _ = value["Fn::GetAtt"]
        folder = resources[function]["Properties"]["CodeUri"].removeprefix("functions/")
        arn = f"arn:aws:lambda:{REGION}:123456789012:function:{folder}"
        text = text.replace(f"${{{placeholder}}}", arn)
    limits = re.findall(
        r'"TimeoutSeconds": (\d+), "Arguments": {"FunctionName": "[^"]*:(\w+)"', text
    )
    return text, {function: float(seconds) for seconds, function in limits}


def _ended(client: Any, arn: str, entered: tuple[str, ...]) -> Ended:
    described = client.describe_execution(executionArn=arn)
    return Ended(arn, described["status"], described.get("error"), described.get("cause"), entered)
