"""Pipelines without limits, and a service whose only stocks are those of a test's Yahoo server."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from marketdata.domain.quotes import Source
from tests.support.caches import emptied
from tests.support.fake_yahoo import FakeYahoo
from tests.support.pipeline import GENEROUS_MARKET, Make, Pipeline, simulated

Service = Callable[[str], Pipeline]


@pytest.fixture
def yahoo() -> Iterator[FakeYahoo]:
    """A server without rows."""
    with FakeYahoo() as server:
        yield server


@pytest.fixture
def make(plain_redis) -> Iterator[Make]:
    """Pipelines over a market that limits no caller."""
    with emptied(plain_redis) as cache, simulated(cache, limits=GENEROUS_MARKET) as make:
        yield make


@pytest.fixture
def service(plain_redis, yahoo: FakeYahoo) -> Iterator[Service]:
    """Makes the service with the given active symbols and Yahoo as the only source of stocks."""
    with emptied(plain_redis) as cache, simulated(cache) as make:
        yield lambda symbols: _service(make, yahoo, symbols)


def _service(make: Make, yahoo: FakeYahoo, symbols: str) -> Pipeline:
    return make(
        urls={Source.YFINANCE: yahoo.url}, ACTIVE_SYMBOLS=symbols, FINNHUB_API_KEY="",
        ALPHA_VANTAGE_API_KEY="", YAHOO_LIMITS="10000/minute",
    )  # fmt: skip
