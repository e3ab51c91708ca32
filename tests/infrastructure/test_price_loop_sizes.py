"""The price loop with more symbols than a state may hold."""

from __future__ import annotations

import json
import os

import pytest
from aws_lambda_powertools import Logger

from marketdata import composition
from marketdata.cache.asset_store import AssetStore
from marketdata.cache.client import connect
from marketdata.settings import Settings
from tests.benchmarks.market import coin_list, symbols_of
from tests.infrastructure.api_client import get
from tests.infrastructure.machines import MINUTE_MS, deployed

MOST_STATE_BYTES = 262_144
# Coins, because the simulated market answers these fastest.
MANY = [symbol for symbol in symbols_of(10_000) if "-" in symbol][:3_000]


@pytest.fixture
def crowd(plain_redis, request):
    """The machines with so many active symbols, priced once a minute."""
    active = ",".join(MANY[: request.param])
    with deployed(plain_redis, ACTIVE_SYMBOLS=active, PRICE_FETCH_INTERVAL="60") as machines:
        cache = connect(Settings.from_env(os.environ))
        assert AssetStore(cache).swap(coin_list(MINUTE_MS))
        cache.close()
        yield machines


@pytest.mark.parametrize("crowd", [1_000], indirect=True)
def test_what_does_not_fit_is_priced_in_the_next_slots(crowd, monkeypatch, caplog):
    """Symbols that do not fit into a plan are priced in the next slots, and the log says so."""
    monkeypatch.setattr(composition, "MOST_PLAN_BYTES", 60_000)
    (ended,) = crowd.run_minute(from_s=45)
    plans = [call.answer for call in crowd.of("plan_quotes")]
    sizes = [(plan["due"], plan["deferred"]) for plan in plans]
    assert (ended.status, sizes) == ("SUCCEEDED", [(1_000, 500), (500, 0), (0, 0)])
    assert get("/health")["quotes"]["fresh_ratio"] == 1
    (line,) = [record for record in caplog.records if record.message == "plan is full"]
    assert (line.levelname, line.slot) == ("WARNING", plans[0]["slot"])
    assert (line.due, line.deferred) == (1_000, 500)


@pytest.mark.parametrize("crowd", [3_000], indirect=True)
def test_a_full_plan_goes_through(crowd):
    """A plan of the largest size passes through the state machine, and its jobs are fetched."""
    crowd.instead["fetch_quotes"] = lambda job, _handler: {"job": job, "error": "not today"}
    (ended,) = crowd.run_minute(from_s=55)
    (plan,) = (call.answer for call in crowd.of("plan_quotes"))
    assert plan["deferred"] > 0
    assert 0.9 * composition.MOST_PLAN_BYTES < len(json.dumps(plan)) <= composition.MOST_PLAN_BYTES
    assert composition.MOST_PLAN_BYTES < 0.95 * MOST_STATE_BYTES
    assert ended.status == "SUCCEEDED"
    assert len(crowd.of("commit_quotes")) == len(plan["jobs"])


@pytest.mark.parametrize("crowd", [3_000], indirect=True)
def test_a_plan_that_is_too_large_would_end_the_minute(crowd, monkeypatch):
    """A larger plan fails the execution, because Catch does not get States.DataLimitExceeded."""
    monkeypatch.setattr(composition, "MOST_PLAN_BYTES", 10_000_000)
    (ended,) = crowd.run_minute(from_s=50)
    assert (ended.status, ended.error) == ("FAILED", "States.DataLimitExceeded")
    assert (ended.states[-1], crowd.of("fetch_quotes")) == ("Plan", [])


@pytest.mark.parametrize(
    ("on_lambda", "most"), [(True, composition.MOST_PLAN_BYTES), (False, None)]
)
def test_a_plan_is_bounded_on_lambda_alone(plain_redis, on_lambda, most):
    """A plan has a limit on Lambda, and none on one machine, without a state machine."""
    settings = Settings.from_env(plain_redis.env())
    stores = composition.connect_stores(settings)
    process = composition.Process(settings, Logger(), "plan_quotes", on_lambda)
    assert composition.make_planner(process, stores).most_bytes == most
    stores.cache.close()
