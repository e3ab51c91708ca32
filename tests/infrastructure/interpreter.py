"""moto's interpreter of state machines, with JSONata, a clock and final errors added.

On AWS an execution waits; here no thread ever waits for the wall clock. Time is shared by all
executions and passes when each of them has nothing to do but wait.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from types import SimpleNamespace
from typing import Any

import pytest
from jsonata import Jsonata
from moto.stepfunctions.parser.asl.component.common.error_name.error_equals_decl import (
    ErrorEqualsDecl,
)
from moto.stepfunctions.parser.asl.component.common.retry import retrier_decl
from moto.stepfunctions.parser.asl.component.common.timeouts.timeout import TimeoutSeconds
from moto.stepfunctions.parser.asl.component.state.exec.state_task import lambda_eval_utils
from moto.stepfunctions.parser.asl.component.state.wait.wait_function.timestamp import Timestamp
from moto.stepfunctions.parser.asl.jsonata import jsonata
from moto.stepfunctions.parser.asl.parse.asl_parser import AmazonStateLanguageParser
from moto.stepfunctions.parser.backend.execution import BaseExecutionWorkerCommunication

from tests.support.simulated_market import Clock
from tests.support.trading_support import utc_ms

REGION = "us-east-1"
# No execution of a test takes so long; one that does hangs.
PATIENCE_S = 60
ENTERED = "stateEnteredEventDetails"
# What States.ALL does not catch; moto lets it.
FINAL = frozenset({"States.DataLimitExceeded", "States.Runtime"})

_OPENED = re.compile(r"(\$exists\(|\$type\()?\(")
_BINDING = re.compile(r"\$(\w+):=")
_JSON = json.JSONDecoder()
# moto parses a definition twice for each execution, which takes longer than the execution itself.
# What an execution remembers is not in the parsed definition, so all executions can share one.
_parsed = cache(AmazonStateLanguageParser.parse)


@dataclass
class SharedClock(Clock):
    """The time of some executions: it goes on to the earliest time for which all of them wait.

    `running`: how many executions there are to wait for.
    """

    running: int = 0
    _awaited: list[int] = field(default_factory=list)
    _turned: threading.Condition = field(default_factory=threading.Condition)

    def reach(self, at_ms: int) -> None:
        """Move the clock to a time, unless the clock is later."""
        with self._turned:
            self.now_ms = max(self.now_ms, at_ms)
            self._awaited = [one for one in self._awaited if one > self.now_ms]
            self._turned.notify_all()

    def pass_s(self, seconds: float) -> None:
        """Let time pass."""
        self.reach(self.now_ms + int(seconds * 1000))

    def wait_until(self, at_ms: int) -> None:
        """Wait as one of the running executions."""
        with self._turned:
            if at_ms > self.now_ms:
                self._awaited.append(at_ms)
                self._turn()
                assert self._turned.wait_for(lambda: self.now_ms >= at_ms, PATIENCE_S)

    def leave(self) -> None:
        """Note that one of the running executions has ended."""
        with self._turned:
            self.running -= 1
            self._turn()

    def _turn(self) -> None:
        if self._awaited and len(self._awaited) == self.running:
            self.reach(min(self._awaited))


@contextmanager
def interpreter(
    clock: SharedClock, ended: Callable[[str, tuple[str, ...]], None]
) -> Iterator[None]:
    """Let moto run executions by a clock.

    `ended` is called for each execution that is over, with its ARN and the states that it entered.
    """

    def wait(state: Any, env: Any) -> None:
        state.string.eval(env=env)
        # AWS cuts a time to whole seconds.
        clock.wait_until(utc_ms(env.stack.pop()[:19]))

    def matches(declared: Any, env: Any) -> None:
        if env.stack[-1].error_name in FINAL:
            env.stack[-1] = False
        else:
            known_errors(declared, env)

    def terminated(worker: Any) -> None:
        reflect(worker)
        clock.leave()
        # Read here: as an answer of the API, a long history takes longer than its execution.
        events = worker.execution.to_history_output()["events"]
        entered = [event[ENTERED]["name"] for event in events if ENTERED in event]
        ended(worker.execution.exec_arn, tuple(entered))

    def limit(_declared: Any, env: Any) -> int:
        return PATIENCE_S

    known_errors = ErrorEqualsDecl._eval_body
    reflect = BaseExecutionWorkerCommunication.terminated
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(AmazonStateLanguageParser, "parse", staticmethod(_parsed))
        patch.setattr(jsonata, "_eval_jsonata", lambda text: evaluate(text, clock()))
        patch.setattr(Timestamp, "_eval_body", wait)
        patch.setattr(ErrorEqualsDecl, "_eval_body", matches)
        patch.setattr(BaseExecutionWorkerCommunication, "terminated", terminated)
        # moto makes one for each call, which costs as much as the call.
        client = lambda_eval_utils.boto_client_for(region=REGION, service="lambda")
        patch.setattr(lambda_eval_utils, "boto_client_for", lambda **_: client)
        patch.setattr(retrier_decl, "time", SimpleNamespace(sleep=clock.pass_s))
        # Time limits are a matter of the test's clock; see Machines.
        patch.setattr(TimeoutSeconds, "_eval_seconds", limit)
        yield


def evaluate(text: str, now_ms: int) -> Any:
    """Return the value of an expression at a time, as JSON; undefined is None.

    moto writes the values of variables before it, `$jobs:=[...];`. They are read as JSON, since
    as JSONata a large plan takes seconds to read.
    """
    opened = _OPENED.match(text)
    assert opened
    at, values = opened.end(), {}
    while bound := _BINDING.match(text, at):
        values[bound[1]], at = _JSON.raw_decode(text, bound.end())
        at += len(";")
    try:
        expression = Jsonata(opened[0] + text[at:])
        expression.register_lambda("millis", lambda: now_ms)
        for name, value in values.items():
            expression.assign(name, value)
        return json.loads(json.dumps(expression.evaluate(None)))
    except Exception as error:
        raise jsonata.JSONataException("UNKNOWN", str(error)) from error
