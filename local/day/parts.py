"""Composes the real parts of the service for one day, as `composition` does on AWS.

Each worker has its own connection to Redis, so that the workers compete as processes do. The
senders are shared, as in one process of the fetch function.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from local.day.clock import DayClock, PacedSender, steady_s
from local.day.watchlist import ALL
from local.service.children import Children
from local.service.redis_server import find_server, free_port, server_command, wait_until_it_answers
from local.service.terminal import CannotStartError
from local.simulator import MarketServers
from marketdata.api.readers.quotes import QuoteReader
from marketdata.cache.asset_store import AssetStore
from marketdata.cache.client import Cache, connect
from marketdata.cache.control import ControlState
from marketdata.cache.quote_store import QuoteStore
from marketdata.domain.breaker import BreakerPolicy
from marketdata.domain.quotes import Source
from marketdata.lists.archive import LocalArchive
from marketdata.lists.calendars import published
from marketdata.lists.committing import AssetCommitter
from marketdata.lists.fetching import AssetFetcher
from marketdata.lists.planning import AssetPlanner
from marketdata.prices.committing import Committer
from marketdata.prices.fetching import Clock, Fetcher
from marketdata.prices.planning import Planner
from marketdata.providers.registry import make_provider, make_sender
from marketdata.settings import ENV_PREFIXES, Settings

LOOPBACK = "127.0.0.1"
MOST_CALLS_AT_ONCE = 32
REFRESHES = 2

MakeStore = Callable[[Cache, int], QuoteStore]


@dataclass(frozen=True, slots=True)
class Worker:
    """One worker's own plan and commit."""

    planner: Planner
    committer: Committer


@dataclass(frozen=True, slots=True)
class Service:
    """All steps of the service. `cache` is the connection of its readers."""

    settings: Settings
    workers: tuple[Worker, ...]
    fetcher: Fetcher
    asset_planner: AssetPlanner
    asset_fetcher: AssetFetcher
    asset_committer: AssetCommitter
    reader: QuoteReader
    cache: Cache


@contextlib.contextmanager
def empty_redis() -> Iterator[int]:
    """Yield the port of a new Redis and end it. Raise `CannotStartError` if it does not start."""
    children, port = Children(), free_port()
    try:
        command = server_command(find_server(), port, None)
        process = children.start("redis", command, os.environ, output=subprocess.DEVNULL)
        if not wait_until_it_answers(LOOPBACK, port, process):
            raise CannotStartError(f"Redis did not start; try it by hand: {' '.join(command)}")
        yield port
    finally:
        children.end_all()


def day_settings(market: MarketServers, redis_port: int, folder: Path, hours: float) -> Settings:
    """Return settings with the limits of the free plans and two refreshes of the lists."""
    urls = {f"{ENV_PREFIXES[source]}_BASE_URL": url for source, url in market.base_urls.items()}
    keys = {
        f"{ENV_PREFIXES[source]}_API_KEY": "simulated-key"
        for source in (Source.FINNHUB, Source.COINMARKETCAP, Source.ALPHA_VANTAGE)
    }
    return Settings.from_env(
        {
            **urls,
            **keys,
            "REDIS_HOST": LOOPBACK,
            "REDIS_PORT": str(redis_port),
            "REDIS_PREFIX": "mda-day",
            "MARKET": "simulated",
            "ACTIVE_SYMBOLS": ",".join(ALL),
            "ARCHIVE_FOLDER": str(folder),
            "ASSET_LIST_UPDATE_INTERVAL": str(round(hours * 3600 / REFRESHES)),
        }
    )


@contextlib.contextmanager
def running_service(
    settings: Settings, clock: DayClock, workers: int, make_store: MakeStore
) -> Iterator[Service]:
    """Yield the service of the settings; `make_store` makes the store of a committer."""
    caches = [connect(settings, caller_time=True) for _ in range(workers + 1)]
    providers = {source: make_provider(source, settings) for source in Source}
    senders = {source: PacedSender(make_sender(source, settings)) for source in Source}
    archive = LocalArchive(Path(settings.archive_path))
    control = _control(caches[-1], settings)
    quotes = QuoteStore(caches[-1], retention_s=settings.quote_retention)
    with ThreadPoolExecutor(MOST_CALLS_AT_ONCE, thread_name_prefix="call") as calls:
        for sender in senders.values():
            sender.warm()
        try:
            yield Service(
                settings=settings,
                workers=tuple(
                    _worker(settings, cache, make_store, f"worker{number}")
                    for number, cache in enumerate(caches[:-1])
                ),
                fetcher=Fetcher(
                    providers.__getitem__, senders.__getitem__, calls, Clock(clock, steady_s)
                ),
                asset_planner=AssetPlanner(
                    settings, control, AssetStore(caches[-1]), _tokens("assets")
                ),
                asset_fetcher=AssetFetcher(
                    providers.__getitem__, senders.__getitem__, calls, archive, published
                ),
                asset_committer=AssetCommitter(control, AssetStore(caches[-1]), quotes, archive),
                reader=QuoteReader(settings, quotes, control),
                cache=caches[-1],
            )
        finally:
            for cache in caches:
                cache.close()


def _worker(settings: Settings, cache: Cache, make_store: MakeStore, name: str) -> Worker:
    control = _control(cache, settings)
    quotes = make_store(cache, settings.quote_retention)
    planner = Planner(settings, control, quotes, AssetStore(cache), _tokens(name))
    return Worker(planner, Committer(settings, control, quotes))


def _control(cache: Cache, settings: Settings) -> ControlState:
    policy = BreakerPolicy(open_ms=settings.circuit_breaker_timeout * 1000)
    return ControlState(cache, limits=settings.limits, policy=policy)


def _tokens(name: str) -> Callable[[], str]:
    """Return a source of strings that are unique in a day and the same in each run of it."""
    numbers = itertools.count()
    return lambda: f"{name}-{next(numbers)}"


def memory_of(cache: Cache) -> tuple[int, int]:
    """Return the number of keys in Redis and its memory in bytes."""
    memory: dict[str, int] = cache.command("INFO", "memory")
    return int(cache.command("DBSIZE")), memory["used_memory"]
