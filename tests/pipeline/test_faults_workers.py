"""Workers that die, work at the same time or have a wrong clock exceed no quota.

The whole way runs over a real Redis and against the simulated market, which counts every call.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass

import pytest

from local.simulator import MarketServers
from marketdata.cache.client import Cache
from marketdata.clock import SLOT_S
from marketdata.domain.catalogue import FACTS
from marketdata.domain.quotes import Source
from marketdata.settings import ENV_PREFIXES
from tests.support.fault_support import LIMITS, Workers, plan_and_be_killed, used
from tests.support.pipeline import ACTIVE, KEYS, SLOT_MS, Pipeline
from tests.support.redis_servers import RedisServer
from tests.support.simulated_market import WEDNESDAY_MS, Clock

YAHOO, FINNHUB = Source.YFINANCE, Source.FINNHUB
FIRST = {"AAPL": "yfinance", "BTC-USD": "coingecko", "EUR/USD": "alpha_vantage"}
TEN_STOCKS = "AAPL,MSFT,GOOGL,AMZN,META,NVDA,TSLA,JPM,V,NFLX"


@pytest.fixture
def workers(cache: Cache, market: MarketServers) -> Iterator[Workers]:
    """Makes workers, each with a clock of its own."""
    with closing(Workers(cache, market)) as workers:
        yield workers


@dataclass
class Shift:
    """Two workers of one service, and by how much the clock of the second is off."""

    market: MarketServers
    right: Pipeline
    wrong: Pipeline
    off_ms: int

    def run(self, who: str, true_ms: int, clock: Clock) -> bool:
        """Run the slot of a worker's own clock; return whether this worker claimed the slot."""
        worker, off_ms = (self.right, 0) if who == "right" else (self.wrong, self.off_ms)
        clock.now_ms, worker.clock.now_ms = true_ms, true_ms + off_ms
        return worker.run().tick.claimed

    def overspent_nothing(self) -> None:
        """The limit was reached, and never passed; every price is the market's own."""
        assert self.market.peak(FINNHUB)["minute"] > 50
        assert set(self.market.violations.values()) == {0}
        assert set(self.right.sources(TEN_STOCKS).values()) <= {"finnhub", "stale"}


# kill -9 between plan and commit


@pytest.fixture
def env(shared_redis: RedisServer, market: MarketServers) -> dict[str, str]:
    """The environment of a worker that is a process."""
    urls = {f"{ENV_PREFIXES[s]}_BASE_URL": url for s, url in market.base_urls.items()}
    return {**shared_redis.env(), **KEYS, **LIMITS, **urls, "ACTIVE_SYMBOLS": ACTIVE}


def killed(worker: Pipeline, env: dict[str, str]) -> dict:
    """Let a worker plan the current slot and be killed; return its plan."""
    now_ms = worker.clock()
    return plan_and_be_killed(env, now_ms // SLOT_MS * SLOT_S, now_ms)


def test_a_worker_killed_after_planning_costs_one_tick(workers, clock, env):
    """The symbols of a worker that was killed after planning are priced in the next slot."""
    worker = workers(clock)
    lost = killed(worker, env)
    assert (lost["claimed"], lost["due"]) == (True, 6)
    assert worker.run().tick.claimed is False  # the slot is gone, and with it one tick
    ran = worker.run_next()
    assert (ran.tick.claimed, ran.tick.due, ran.tick.written.total()) == (True, 6, 6)
    assert worker.sources("AAPL,BTC-USD,EUR/USD") == FIRST


def test_calls_of_a_killed_worker_stay_spent_until_their_window_is_over(workers, clock, env):
    """Calls that a killed worker had reserved count as made until their window is over."""
    worker = workers(clock)
    lost = killed(worker, env)
    reserved = Counter()
    for job in lost["jobs"]:
        for attempt in job["attempts"]:
            reserved[Source(attempt["provider"])] += attempt["calls"]
    # Stocks, and forex in the second place.
    assert reserved[YAHOO] == 2 * (1 + FACTS[YAHOO].extra_calls)
    for source, calls in reserved.items():
        assert used(worker, source) == calls
    clock.pass_s(70)
    assert used(worker, YAHOO) == 0


def test_a_probe_whose_worker_was_killed_is_given_again(workers, clock, env):
    """After its lease the half-open breaker lets another probe pass, whose success closes it."""
    worker = workers(clock)
    worker.market.control("status", provider=YAHOO.value, status=500)
    while worker.provider_status(YAHOO)["classes"]["stocks"]["state"] != "open":
        worker.run_next()
    worker.market.clear()
    clock.pass_s(300)
    lost = killed(worker, env)
    probes = [a["permit"]["probe"] for job in lost["jobs"] for a in job["attempts"]]
    assert sum(token is not None for token in probes) >= 1
    assert worker.run_next().outcome(YAHOO, "stocks") == "not asked"
    clock.pass_s(5)
    assert worker.run_next().outcome(YAHOO, "stocks") == "ok"
    assert worker.provider_status(YAHOO)["classes"]["stocks"]["state"] == "closed"
    assert worker.sources("AAPL") == {"AAPL": "yfinance"}


# two loops


def test_two_loops_do_each_slot_once(workers, clock):
    """Of two workers in the same slot at the same time one does it, and no call is made twice."""
    pair = [workers(clock), workers(clock)]
    pair[0].sender(YAHOO).warm()
    with ThreadPoolExecutor(2) as both:
        for _ in range(8):
            clock.pass_s(SLOT_S)
            claims = [ran.tick.claimed for ran in both.map(Pipeline.run, pair)]
            assert sorted(claims) == [False, True]
    market = pair[0].market
    calls = {source: len(pair[0].asked(source)) for source in (YAHOO, Source.COINGECKO)}
    assert calls == {YAHOO: 8, Source.COINGECKO: 8}
    assert set(market.violations.values()) == {0}


# a clock that is off


@pytest.fixture(params=[2000, -2000])
def shift(request: pytest.FixtureRequest, workers: Workers, market: MarketServers) -> Shift:
    """Two workers at Finnhub's limit, the second with a clock that is off by so many ms."""
    market.control("status", provider=YAHOO.value, status=500)
    right, wrong = (workers(Clock(), ACTIVE_SYMBOLS=TEN_STOCKS) for _ in range(2))
    return Shift(market, right, wrong, request.param)


def test_a_clock_two_seconds_off_overspends_nothing(shift, clock):
    """With one clock two seconds off, four minutes at the limit exceed no window."""
    chance, claims, turns = random.Random(shift.off_ms), Counter(), []
    for slot_ms in range(clock(), clock() + 48 * SLOT_MS, SLOT_MS):
        # When each worker sees the slot begin, or wakes up late.
        turns.append((slot_ms + chance.randrange(SLOT_MS), "right"))
        turns.append((slot_ms - shift.off_ms + chance.randrange(SLOT_MS), "wrong"))
    for true_ms, who in sorted(turns):
        claims[who] += shift.run(who, true_ms, clock)
    assert min(claims.values()) >= 5
    shift.overspent_nothing()


def test_a_slow_clock_before_a_fast_one_overspends_nothing(shift, clock):
    """A worker with a fast clock counts all calls of a worker with a slow clock."""
    slow, fast = ("right", "wrong") if shift.off_ms > 0 else ("wrong", "right")
    for number in range(4 * 13):
        who = (slow, fast)[number // 13 % 2]
        off_ms = shift.off_ms if who == "wrong" else 0
        late_ms = 4000 if who == slow else 0
        shift.run(who, WEDNESDAY_MS + number * SLOT_MS - off_ms + late_ms, clock)
    shift.overspent_nothing()
