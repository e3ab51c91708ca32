"""Pipelines and commits for these tests, and a market with a clock of the test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from local.simulator import MarketServers
from marketdata.cache.client import Cache
from marketdata.domain.quotes import Source
from marketdata.settings import Settings
from tests.support.caches import emptied
from tests.support.commits import Commits
from tests.support.fault_support import moving_market
from tests.support.pipeline import Make, simulated
from tests.support.simulated_market import Clock


@pytest.fixture
def clock() -> Clock:
    """The true time, which is the market's."""
    return Clock()


@pytest.fixture
def market(clock: Clock) -> Iterator[MarketServers]:
    """A market with paid plans, whose quotas are exact, and which counts every call."""
    with moving_market(clock) as market:
        yield market


@pytest.fixture
def commits(cache: Cache, control_of) -> Commits:
    """Commits with paid limits, so that a symbol may be due in every slot."""
    env = {f"{name}_LIMITS": "6000/minute" for name in ("YAHOO", "FINNHUB", "COINGECKO")}
    control = control_of(cache, dict.fromkeys(Source, "6000/minute"))
    return Commits(cache, control, Settings.from_env(env))


@pytest.fixture
def make(plain_redis) -> Iterator[Make]:
    """Pipelines over a market with the free plans' limits."""
    with emptied(plain_redis) as cache, simulated(cache) as make:
        yield make
