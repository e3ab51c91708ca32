"""Reports that come late, twice or not at all change nothing newer and count once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from local.service.loop import Steps, run_job
from marketdata.cache.client import Cache
from marketdata.clock import SLOT_S
from marketdata.domain.catalogue import FACTS
from marketdata.domain.quotes import Source
from tests.support.fault_support import Workers, moving_market, used
from tests.support.pipeline import ACTIVE, SLOT_MS, Pipeline
from tests.support.simulated_market import Clock

YAHOO = Source.YFINANCE
FIRST = {"AAPL": "yfinance", "BTC-USD": "coingecko", "EUR/USD": "alpha_vantage"}


@pytest.fixture
def clock() -> Clock:
    """The time."""
    return Clock()


@pytest.fixture
def workers(cache: Cache, clock: Clock) -> Iterator[Workers]:
    """Makes workers over a market whose prices move with every slot."""
    with moving_market(clock) as market, closing(Workers(cache, market)) as workers:
        yield workers


def planned(worker: Pipeline) -> list[dict]:
    """Plan the current slot, and return its jobs."""
    return worker.planner.plan(worker.clock() // SLOT_MS * SLOT_S, worker.clock()).jobs


def late(worker: Pipeline) -> list[dict]:
    """Fetch the current slot, and return its reports without committing them."""
    return [worker.fetcher.fetch(job) for job in planned(worker)]


def test_a_commit_a_minute_late_changes_no_newer_quote(workers, clock):
    """A report that is committed a minute late writes nothing, and newer quotes stay."""
    worker = workers(clock)
    reports = late(worker)
    for _ in range(12):
        worker.run_next()
    before, due = worker.read(ACTIVE), worker.control
    summaries = [worker.committer.commit(report, clock()).to_event() for report in reports]
    assert [summary["written"] for summary in summaries] == [{}] * len(reports)
    assert worker.read(ACTIVE) == before
    assert due.open_slot(clock() // 1000 + SLOT_S, clock() + 1, []).due == ()
    assert worker.sources("AAPL,BTC-USD,EUR/USD") == FIRST


def test_a_late_failure_says_nothing_of_a_breaker_that_turned_since(workers, clock):
    """Reports of failures that are older than a breaker's state leave that state unchanged."""
    worker = workers(clock)
    worker.market.control("status", provider=YAHOO.value, status=500)
    held_back = []
    while worker.provider_status(YAHOO)["classes"]["stocks"]["state"] != "open":
        held_back += late(worker)
        worker.run_next()
        clock.pass_s(SLOT_S)
    worker.market.clear()
    clock.pass_s(300)
    worker.run_next()
    before = worker.provider_status(YAHOO)["classes"]["stocks"]
    assert before["state"] == "closed"
    assert len([r for r in held_back if r.job.asset_class == "stocks"]) == 5
    for report in held_back:
        assert worker.committer.commit(report, clock()).transitions == ()
    after = worker.provider_status(YAHOO)["classes"]["stocks"]
    assert (after["state"], after["since"]) == ("closed", before["since"])


def test_a_commit_that_comes_twice_counts_once(workers, clock):
    """Unused calls are given back once, and no price confirms itself."""
    worker = workers(clock, FINNHUB_API_KEY="")  # no other source can confirm the price
    worker.run()
    worker.market.control("bad_tick", provider=YAHOO.value, symbol="AAPL", factor=3, answers=1)
    before = worker.read("AAPL")["AAPL"]
    worker.clock.pass_s(SLOT_S)
    reports = late(worker)
    spent = []
    for _ in range(3):
        for report in reports:
            worker.committer.commit(report, clock())
        spent.append([used(worker, source) for source in Source])
        assert worker.read("AAPL")["AAPL"]["price"] == before["price"]
    assert spent[0] == spent[1] == spent[2]
    assert worker.sources("MSFT,BTC-USD") == {"MSFT": "yfinance", "BTC-USD": "coingecko"}


def test_a_fetch_that_died_is_committed_as_such(workers, clock):
    """A fetch that died leaves its calls spent, its breaker unchanged, and its symbols due."""
    worker = workers(clock)

    def dies(job: dict, _context: object) -> dict:
        raise MemoryError(f"{len(job)} fields were too many")

    broken = Steps(worker._plan, dies, worker._commit)
    for job in planned(worker):
        summary = run_job(broken, job.to_event())
        assert "MemoryError" in summary["error"]
        assert summary["transitions"] == []
    assert used(worker, YAHOO) == 2 * (1 + FACTS[YAHOO].extra_calls)
    assert worker.run_next().tick.due == 6
    assert worker.sources("AAPL,BTC-USD,EUR/USD") == FIRST
