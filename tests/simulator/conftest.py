"""A simulated market with a clock that stands still, and clients of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests

from local.simulator import MarketServers
from marketdata.domain.quotes import Source
from tests.support.simulated_market import MANY, Clients, Clock

UPDATE_S = dict.fromkeys(Source, 0.0)


@pytest.fixture
def clock() -> Clock:
    """The market's clock."""
    return Clock()


@pytest.fixture
def clients(clock) -> Iterator[Clients]:
    """Clients, with a crumb, of a market without faults whose providers update at once."""
    with (
        MarketServers(clock=clock, limits=MANY, update_s=UPDATE_S) as market,
        requests.Session() as session,
    ):
        clients = Clients(market, session)
        clients._crumb()
        yield clients
