"""A market with a clock of the test, for tests of failing workers, and commits by hand."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from local.simulator import MarketServers
from marketdata.cache.client import Cache
from marketdata.domain.quotes import Source
from marketdata.settings import Settings
from tests.support.commits import Commits
from tests.support.fault_support import moving_market
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
