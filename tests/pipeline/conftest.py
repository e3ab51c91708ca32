"""A market that follows a clock of the test, for the tests of workers that fail."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from local.simulator import MarketServers
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
