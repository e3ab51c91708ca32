"""Each sample event, given to its function's handler as Lambda would give it."""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator

import pytest

from local.market import MarketServers
from tests.infrastructure.lambda_process import lambda_process
from tests.infrastructure.stack import ROOT
from tests.pipeline import GENEROUS_MARKET
from tests.simulated_market import Clock

FUNCTIONS = {path.parent.name for path in (ROOT / "functions").glob("*/app.py")}
EVENTS = {path.stem: path for path in (ROOT / "events").glob("*.json")}
# What an answer must hold, by function.
TOLD = {
    "plan_quotes": {"slot", "claimed", "jobs", "skipped"},
    "fetch_quotes": {"job", "quotes", "missing", "outcomes"},
    "commit_quotes": {"slot", "asset_class", "written", "outcomes", "transitions"},
    "plan_assets": {"version", "restore", "jobs"},
    "fetch_assets": {"job", "candidate", "total", "sources", "outcomes"},
    "commit_assets": {"asset_class", "swapped", "restored", "failed", "reason"},
    "api": {"statusCode", "headers", "body", "isBase64Encoded"},
}


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
    assert {name.split("__")[0] for name in EVENTS} == FUNCTIONS
    assert all(name.count("__") == 1 for name in EVENTS)


@pytest.mark.parametrize("name", EVENTS)
def test_an_event_is_one_that_its_function_understands(on_lambda, name):
    """The handler answers with what the next step, or the gateway, expects, as plain JSON."""
    function = name.split("__")[0]
    handler = importlib.import_module(f"functions.{function}.app").handler
    event = json.loads(EVENTS[name].read_text(encoding="utf-8"))
    answer = json.loads(json.dumps(handler(event, None)))
    assert answer.keys() >= TOLD[function]
    assert answer.get("statusCode") != 500  # with an empty cache 503 is a true answer
