"""Redis loses everything under a service at its limits: prices return, and no quota is exceeded.

The simulated market keeps each provider's quota exactly and counts what came beyond it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from marketdata.cache.client import Cache
from marketdata.domain.quotes import Source
from tests.support.pipeline import ACTIVE, Make, simulated

YAHOO, FINNHUB = Source.YFINANCE, Source.FINNHUB
TEN_STOCKS = "AAPL,MSFT,GOOGL,AMZN,META,NVDA,TSLA,JPM,V,NFLX"
# Takes back the keys that `Pipeline` sets.
NO_KEYS = {f"{name}_API_KEY": "" for name in ("FINNHUB", "COINMARKETCAP", "ALPHA_VANTAGE")}


@pytest.fixture
def make(cache: Cache) -> Iterator[Make]:
    """Makes services on free plans, over one market that has them too."""
    with simulated(cache) as make:
        yield make


@pytest.fixture
def lose(cache: Cache) -> Callable[[], None]:
    """A function that lets Redis lose everything."""
    return lambda: cache.command("FLUSHALL")


@pytest.mark.parametrize("after_slots", [1, 7, 11, 12, 13])
def test_a_provider_at_its_limit_sees_no_call_too_many(make, lose, after_slots):
    """Whenever within a minute Redis is lost, no window of any provider is exceeded."""
    service = make(ACTIVE_SYMBOLS=TEN_STOCKS)
    make.market.control("status", provider=YAHOO.value, status=500)
    for _ in range(after_slots):
        service.run_next()
    for _ in range(2):
        lose()
        for _ in range(8):
            service.run_next()
    assert make.market.peak(FINNHUB)["minute"] > 50
    assert set(make.market.violations.values()) == {0}


def test_a_service_without_keys_has_all_its_prices_in_the_next_slot(make, lose):
    """After each loss a service on free plans has all its prices in the next slot."""
    service = make(**NO_KEYS)
    for _ in range(9):
        service.run_next()
    for _ in range(3):
        lose()
        assert set(service.read(ACTIVE).keys()) == set(ACTIVE.split(","))
        assert {entry["code"] for entry in service.read(ACTIVE).values()} == {"pending"}
        service.run_next()
        assert set(service.sources().values()) == {"yfinance", "coingecko"}
    assert set(make.market.violations.values()) == {0}


def test_a_report_of_before_the_loss_is_committed_after_it(make, lose):
    """A report from before a loss is written, and changes no breaker and exceeds no quota."""
    service = make()
    service.run()
    make.clock.pass_s(60)
    plan = service.planner.plan(make.clock() // 1000, make.clock())
    reports = [service.fetcher.fetch(job) for job in plan.jobs]
    lose()
    make.clock.pass_s(4)
    for report in reports:
        summary = service.committer.commit(report, make.clock()).to_event()
        assert summary["transitions"] == []
    assert "pending" not in service.sources().values()
    service.run_next()
    assert set(make.market.violations.values()) == {0}
