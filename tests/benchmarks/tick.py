"""A whole tick over more and more symbols: plan, fetch and commit as the loop runs them.

The market is in another process and answers at once, or 200 ms late as a provider does. Every
symbol is due in every round. All steps share one process here, which is the harder case: on AWS
each job has a function's environment for itself.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from local.loop import Steps, run_slot
from marketdata.breaker import BreakerPolicy
from marketdata.cache.assets import AssetStore
from marketdata.cache.client import Cache
from marketdata.cache.control import ControlState
from marketdata.cache.quotes import QuoteStore
from marketdata.chains import CHAINS, FACTS
from marketdata.committing import Committer
from marketdata.fetching import Clock, Fetcher
from marketdata.planning import Planner
from marketdata.providers.registry import make_provider, make_sender
from marketdata.quotes import Source
from marketdata.settings import Settings
from marketdata.symbols import parse_symbol
from tests.benchmarks.market import MarketProcess, coin_list, running_market, symbols_of
from tests.benchmarks.rounds import Spread
from tests.benchmarks.stage import RETENTION_S, cache_of, redis_of_our_own
from tests.benchmarks.table import Row, Section, exact, ms
from tests.redis_servers import RedisServer

SIZES = (10, 100, 1_000, 10_000)
LATENCIES_MS = (0, 200)
# What a tick may cost beyond its slowest provider call, at this many symbols.
BUDGET_MS, BUDGET_AT = 100, 1_000
# Ten times the symbols may cost this many times the time, and still count as linear.
LINEAR = 12.0
JOBS_AT_ONCE = 16  # as the loop on one machine


@dataclass
class Round:
    """What one tick took, in seconds, and needed."""

    tick_s: float = 0.0
    plan_s: float = 0.0
    fetch_s: list[float] = field(default_factory=list)
    commit_s: list[float] = field(default_factory=list)
    call_s: float = 0.0
    plan_trips: int = 0
    commit_trips: list[int] = field(default_factory=list)
    job_bytes: int = 0
    report_bytes: int = 0
    written: int = 0

    @property
    def own_s(self) -> float:
        """What the tick took beyond its slowest provider call."""
        return self.tick_s - self.call_s


class Bench:
    """The three steps for one number of symbols."""

    def __init__(self, server: RedisServer, market: MarketProcess, count: int) -> None:
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
            providers.__getitem__, self._senders.__getitem__, self._calls, Clock(now_ms, time.monotonic)
        )
        self.round = Round()

    def close(self) -> None:
        """End its threads and connections."""
        self.jobs.shutdown()
        self._calls.shutdown()
        for cache in self._opened:
            cache.close()
        for sender in self._senders.values():
            getattr(sender, "close", lambda: None)()

    def run(self) -> Round:
        """One tick in which everything is due."""
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
        """This thread's own connection, so that its round trips can be counted."""
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
        plan = planner.plan(event["slot"], now_ms())
        self.round.plan_s = time.perf_counter() - began
        self.round.plan_trips = cache.round_trips - before
        self.round.job_bytes = max(len(json.dumps(job)) for job in plan["jobs"])
        return plan

    def _fetch(self, job: dict[str, Any], _context: object) -> dict[str, Any]:
        # A job that waited for its turn has the time that AWS would give it.
        began = time.perf_counter()
        report = self._fetcher.fetch({**job, "deadline_ms": now_ms() + 3_500})
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
        summary = committer.commit(report, now_ms())
        self.round.commit_s.append(time.perf_counter() - began)
        self.round.commit_trips.append(cache.round_trips - before)
        self.round.report_bytes = max(self.round.report_bytes, len(json.dumps(report)))
        return summary

    def _control(self, cache: Cache) -> ControlState:
        return ControlState(cache, limits=self.settings.limits, policy=BreakerPolicy())


def now_ms() -> int:
    """The wall clock, epoch milliseconds."""
    return time.time_ns() // 1_000_000


def least_calls(symbols: list[str]) -> int:
    """The fewest calls that price these symbols: full batches of each class's first provider."""
    classes = [parse_symbol(symbol).asset_class for symbol in symbols]
    return sum(
        -(-classes.count(one) // FACTS[CHAINS[one][0]].batch_size) for one in set(classes)
    )


def measure(*, quick: bool) -> Section:
    """Run ticks of every size, without and with a delay at the providers."""
    sizes, rounds = (SIZES[:2], 1) if quick else (SIZES, 7)
    section = Section("A tick: plan, fetch, commit")
    with redis_of_our_own() as server, running_market() as market:
        with cache_of(server) as cache:
            assert AssetStore(cache).swap(coin_list(now_ms()))
        own: dict[tuple[int, int], Spread] = {}
        for count in sizes:
            with bench(server, market, count) as it:
                for latency_ms in LATENCIES_MS:
                    market.delay(latency_ms)
                    it.run()  # connections, scripts, first prices
                    calls, traffic = market.quote_calls(), _traffic(server)
                    ran = [it.run() for _ in range(rounds)]
                    calls = (market.quote_calls() - calls) // rounds
                    moved = (_traffic(server) - traffic) / rounds
                    own[count, latency_ms] = Spread.of([one.tick_s for one in ran])
                    section.rows += _rows(it, ran, latency_ms)
                    if not latency_ms:
                        section.rows += _counted(it, ran, calls, moved)
        for latency_ms in LATENCIES_MS:
            for small, large in itertools.pairwise(sizes):
                ratio = own[large, latency_ms].median / own[small, latency_ms].median
                section.rows.append(
                    Row(
                        f"growth {small:,} to {large:,} symbols, {latency_ms} ms latency",
                        exact(ratio),
                        "x",
                        at_most=LINEAR,
                    )
                )
    return section


@contextlib.contextmanager
def bench(server: RedisServer, market: MarketProcess, count: int) -> Iterator[Bench]:
    """The steps for so many symbols."""
    it = Bench(server, market, count)
    try:
        yield it
    finally:
        it.close()


def _rows(it: Bench, ran: list[Round], latency_ms: int) -> list[Row]:
    count = len(it.symbols)
    at = f"{count:,} symbols, {latency_ms} ms latency"
    bound = BUDGET_MS if count == BUDGET_AT else None

    def spread(of: Callable[[Round], float]) -> Spread:
        return ms(Spread.of([of(one) for one in ran]))

    return [
        Row(f"{at}: tick", spread(lambda r: r.tick_s)),
        Row(f"{at}: beyond its slowest call", spread(lambda r: r.own_s), at_most=bound),
        Row(f"{at}: plan", spread(lambda r: r.plan_s)),
        Row(f"{at}: slowest fetch", spread(lambda r: max(r.fetch_s))),
        Row(f"{at}: slowest commit", spread(lambda r: max(r.commit_s))),
    ]


def _counted(it: Bench, ran: list[Round], calls: int, moved: float) -> list[Row]:
    count, last = len(it.symbols), ran[-1]
    least = least_calls(it.symbols)
    return [
        Row(f"{count:,} symbols: quotes written", exact(last.written), "", at_least=count),
        Row(f"{count:,} symbols: round trips of plan", exact(last.plan_trips), "", at_most=4),
        Row(
            f"{count:,} symbols: round trips of each commit",
            exact(max(last.commit_trips)),
            "",
            at_most=2,
        ),
        Row(f"{count:,} symbols: upstream calls", exact(calls), "", at_most=least),
        Row(f"{count:,} symbols: largest job", exact(last.job_bytes / 1024), "KiB", at_most=100),
        Row(f"{count:,} symbols: largest report", exact(last.report_bytes / 1024), "KiB", at_most=256),
        Row(f"{count:,} symbols: bytes to and from Redis", exact(moved / 1024), "KiB"),
    ]


def _traffic(server: RedisServer) -> int:
    with server.client() as client:
        told = client.info("stats")
    return int(told["total_net_input_bytes"]) + int(told["total_net_output_bytes"])
