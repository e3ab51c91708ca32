"""A whole tick over more and more symbols: plan, fetch and commit as the loop runs them.

The market is in another process and answers at once, or after 200 ms as a provider does. Every
symbol is due in every round. All steps share one process here, which is slower than on AWS, where
each job has a function's environment of its own.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Iterator

from marketdata.cache.asset_store import AssetStore
from marketdata.domain.catalogue import CHAINS, FACTS
from marketdata.domain.symbols import parse_symbol
from tests.benchmarks.market import MarketProcess, coin_list, running_market
from tests.benchmarks.rounds import Spread
from tests.benchmarks.stage import cache_of, redis_of_our_own
from tests.benchmarks.steps import Bench, Round, now_ms
from tests.benchmarks.table import Row, Section, exact, ms
from tests.support.redis_servers import RedisServer

SIZES = (10, 100, 1_000, 10_000)
LATENCIES_MS = (0, 200)
# The longest time of a tick without its slowest provider call, at this many symbols.
BUDGET_MS, BUDGET_AT = 100, 1_000
# The time of ten times the symbols counts as linear up to this factor.
LINEAR = 12.0


def least_calls(symbols: list[str]) -> int:
    """Return the fewest calls that price these symbols: full batches of first providers."""
    classes = [parse_symbol(symbol).asset_class for symbol in symbols]
    return sum(-(-classes.count(one) // FACTS[CHAINS[one][0]].batch_size) for one in set(classes))


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
    """Make the steps for so many symbols."""
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
        Row(f"{count:,} symbols: the whole plan", exact(last.plan_bytes / 1024), "KiB"),
        Row(
            f"{count:,} symbols: largest report",
            exact(last.report_bytes / 1024),
            "KiB",
            at_most=256,
        ),
        Row(f"{count:,} symbols: bytes to and from Redis", exact(moved / 1024), "KiB"),
    ]


def _traffic(server: RedisServer) -> int:
    with server.client() as client:
        stats = client.info("stats")
    return int(stats["total_net_input_bytes"]) + int(stats["total_net_output_bytes"])
