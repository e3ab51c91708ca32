"""The steps of a tick, with the time, round trips and bytes of each."""

from __future__ import annotations

import gc
import itertools
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from local.service.loop import Steps, run_slot
from marketdata.cache.asset_store import AssetStore
from marketdata.cache.client import Cache
from marketdata.cache.control import ControlState
from marketdata.cache.quote_store import QuoteStore
from marketdata.collector import COLLECT_AFTER
from marketdata.domain.breaker import BreakerPolicy
from marketdata.domain.messages import Job, Report, SlotEvent
from marketdata.domain.quotes import Source
from marketdata.prices.committing import Committer
from marketdata.prices.fetching import Clock, Fetcher
from marketdata.prices.planning import Planner
from marketdata.providers.registry import make_provider, make_sender
from marketdata.settings import Settings
from tests.benchmarks.market import MarketProcess, symbols_of
from tests.benchmarks.stage import RETENTION_S
from tests.support.redis_servers import RedisServer

JOBS_AT_ONCE = 10  # as in the Map of the state machine


@dataclass
class Round:
    """The figures of one tick; times in seconds."""

    tick_s: float = 0.0
    plan_s: float = 0.0
    fetch_s: list[float] = field(default_factory=list)
    commit_s: list[float] = field(default_factory=list)
    call_s: float = 0.0
    plan_trips: int = 0
    commit_trips: list[int] = field(default_factory=list)
    job_bytes: int = 0
    plan_bytes: int = 0
    report_bytes: int = 0
    written: int = 0

    @property
    def own_s(self) -> float:
        """The time of the tick without its slowest provider call."""
        return self.tick_s - self.call_s


class Bench:
    """The three steps for one number of symbols."""

    def __init__(self, server: RedisServer, market: MarketProcess, count: int) -> None:
        gc.set_threshold(*COLLECT_AFTER)  # as in a process of the service
        self.symbols = symbols_of(count)
        self._env = {**market.env(), "ACTIVE_SYMBOLS": ",".join(self.symbols)}
        self.settings = Settings.from_env(server.env(**self._env))
        self._tokens = itertools.count()
        self._caches = threading.local()
        self._opened: list[Cache] = []
        self._senders = {source: make_sender(source, self.settings) for source in Source}
        providers = {source: make_provider(source, self.settings) for source in Source}
        for sender in self._senders.values():
            sender.warm()
        self._calls = ThreadPoolExecutor(32)
        self.jobs = ThreadPoolExecutor(JOBS_AT_ONCE)
        self._fetcher = Fetcher(
            providers.__getitem__,
            self._senders.__getitem__,
            self._calls,
            Clock(now_ms, time.monotonic),
        )
        self.round = Round()

    def close(self) -> None:
        """Close the threads and connections."""
        self.jobs.shutdown()
        self._calls.shutdown()
        for cache in self._opened:
            cache.close()
        for sender in self._senders.values():
            getattr(sender, "close", lambda: None)()

    def run(self) -> Round:
        """Run one tick in which every symbol is due."""
        self.round = Round()
        cache = self.cache()
        cache.command("DEL", cache.key("control", "due"), cache.key("control", "slot"))
        slot = now_ms() // 5000 * 5
        steps = Steps(plan=self._plan, fetch=self._fetch, commit=self._commit)
        began = time.perf_counter()
        tick = run_slot(steps, slot, self.jobs, time.monotonic)
        self.round.tick_s = time.perf_counter() - began
        assert not tick.error, tick.error
        assert tick.due == len(self.symbols), tick
        self.round.written = sum(tick.written.values())
        return self.round

    def cache(self) -> Cache:
        """Return this thread's own connection, so that its round trips can be counted."""
        if not hasattr(self._caches, "cache"):
            from marketdata.cache.client import connect

            self._caches.cache = connect(self.settings)
            self._opened.append(self._caches.cache)
        cache: Cache = self._caches.cache
        return cache

    def _plan(self, event: dict[str, Any], _context: object) -> dict[str, Any]:
        cache = self.cache()
        planner = Planner(
            self.settings,
            self._control(cache),
            QuoteStore(cache, retention_s=RETENTION_S),
            AssetStore(cache),
            lambda: f"t{next(self._tokens)}",
        )
        before = cache.round_trips
        began = time.perf_counter()
        plan = planner.plan(SlotEvent.model_validate(event).slot, now_ms()).to_event()
        self.round.plan_s = time.perf_counter() - began
        self.round.plan_trips = cache.round_trips - before
        self.round.job_bytes = max(len(json.dumps(job)) for job in plan["jobs"])
        self.round.plan_bytes = len(json.dumps(plan))
        return plan

    def _fetch(self, job: dict[str, Any], _context: object) -> dict[str, Any]:
        # The deadline is set anew, because on AWS a job does not wait for other jobs.
        began = time.perf_counter()
        asked = Job.model_validate({**job, "deadline_ms": now_ms() + 3_500})
        report = self._fetcher.fetch(asked).to_event()
        self.round.fetch_s.append(time.perf_counter() - began)
        latencies = [outcome["latency_ms"] for outcome in report["outcomes"]]
        self.round.call_s = max(self.round.call_s, sum(latencies) / 1000)
        return report

    def _commit(self, report: dict[str, Any], _context: object) -> dict[str, Any]:
        cache = self.cache()
        committer = Committer(
            self.settings, self._control(cache), QuoteStore(cache, retention_s=RETENTION_S)
        )
        before = cache.round_trips
        began = time.perf_counter()
        summary = committer.commit(Report.model_validate(report), now_ms()).to_event()
        self.round.commit_s.append(time.perf_counter() - began)
        self.round.commit_trips.append(cache.round_trips - before)
        self.round.report_bytes = max(self.round.report_bytes, len(json.dumps(report)))
        return summary

    def _control(self, cache: Cache) -> ControlState:
        return ControlState(cache, limits=self.settings.limits, policy=BreakerPolicy())


def now_ms() -> int:
    """Return the wall clock in epoch milliseconds."""
    return time.time_ns() // 1_000_000
