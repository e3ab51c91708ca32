"""Each sample event, given to its function's handler as Lambda would give it."""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator

import pytest

from functions.api import app as api
from local.market import MarketServers
from marketdata import bootstrap
from marketdata.settings import ENV_PREFIXES
from tests.infrastructure.answers import EVENTS, FUNCTIONS, assert_understood, function_of
from tests.pipeline import GENEROUS, GENEROUS_MARKET, KEYS
from tests.simulated_market import Clock


@pytest.fixture
def on_lambda(monkeypatch, tmp_path, redis_server) -> Iterator[None]:
    """A process as Lambda starts it: nothing made yet, Redis and providers by the environment."""
    made = [
        made
        for module in (bootstrap, api)
        for made in vars(module).values()
        if hasattr(made, "cache_clear")
    ]
    with MarketServers(clock=Clock(), limits=GENEROUS_MARKET) as market:
        environment = {
            **redis_server.env(),
            **KEYS,
            **GENEROUS,
            "ARCHIVE_FOLDER": str(tmp_path),
            **market_environment(market),
        }
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        for one in made:
            one.cache_clear()
        yield
    bootstrap.stores().cache.close()
    for one in made:
        one.cache_clear()


def market_environment(market: MarketServers) -> dict[str, str]:
    """The settings that lead to the simulated market."""
    return {f"{ENV_PREFIXES[source]}_BASE_URL": url for source, url in market.base_urls.items()}


def test_every_function_has_its_events():
    """Events are named `<function>__<case>`, and there is one at least for each function."""
    assert {function_of(name) for name in EVENTS} == FUNCTIONS
    assert all(name.count("__") == 1 for name in EVENTS)


@pytest.mark.parametrize("name", EVENTS)
def test_an_event_is_one_that_its_function_understands(on_lambda, name):
    """The handler answers with what the next step, or the gateway, expects, as plain JSON."""
    handler = importlib.import_module(f"functions.{function_of(name)}.app").handler
    event = json.loads(EVENTS[name].read_text(encoding="utf-8"))
    assert_understood(name, json.loads(json.dumps(handler(event, None))))
