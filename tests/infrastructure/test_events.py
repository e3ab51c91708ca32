"""Each sample event, given to its function's handler as Lambda would give it."""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator

import pytest

from local.simulator import MarketServers
from tests.infrastructure.answers import EVENTS, FUNCTIONS, assert_understood, function_of
from tests.infrastructure.lambda_process import lambda_process
from tests.support.lambda_context import LambdaContext
from tests.support.pipeline import GENEROUS_MARKET
from tests.support.simulated_market import Clock


@pytest.fixture
def on_lambda(tmp_path, redis_server) -> Iterator[None]:
    """A process as Lambda starts it, before its first event."""
    with (
        MarketServers(clock=Clock(), limits=GENEROUS_MARKET) as market,
        lambda_process(redis_server, market, ARCHIVE_FOLDER=str(tmp_path)),
    ):
        yield


def test_every_function_has_its_events():
    """Events are named `<function>__<case>`, and there is one at least for each function."""
    assert {function_of(name) for name in EVENTS} == FUNCTIONS
    assert all(name.count("__") == 1 for name in EVENTS)


@pytest.mark.parametrize("name", EVENTS)
def test_an_event_is_one_that_its_function_understands(on_lambda, name):
    """The handler answers with what the next step, or the gateway, expects, as plain JSON."""
    handler = importlib.import_module(f"functions.{function_of(name)}.app").handler
    event = json.loads(EVENTS[name].read_text(encoding="utf-8"))
    assert_understood(name, json.loads(json.dumps(handler(event, LambdaContext()))))
