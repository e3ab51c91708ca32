"""Where the real things are chosen: the one place that turns settings into collaborators.

Each function calls the one that it needs, once, on its first event; so importing a function's
module touches neither the environment nor the network. The two sides are imported only where they
are used: plan and commit never load an HTTP client, fetch never loads Redis.
"""

from __future__ import annotations

import gc
import os
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from marketdata.clock import wall_ms
from marketdata.domain.catalogue import FACTS
from marketdata.observability.logs import configure_logging, mask
from marketdata.settings import Settings

if TYPE_CHECKING:
    from marketdata.cache.asset_store import AssetStore
    from marketdata.cache.client import Cache
    from marketdata.cache.control import ControlState
    from marketdata.cache.quote_store import QuoteStore
    from marketdata.domain.quotes import Source
    from marketdata.lists.archive import Archive
    from marketdata.lists.committing import AssetCommitter
    from marketdata.lists.fetching import AssetFetcher
    from marketdata.lists.planning import AssetPlanner
    from marketdata.observability.measuring import Meter
    from marketdata.prices.committing import Committer
    from marketdata.prices.fetching import Fetcher
    from marketdata.prices.planning import Planner
    from marketdata.providers.contract import Provider, Sender
    from marketdata.providers.keys import SecretKeys

# Objects of a slot live until its end and are in no cycles. Python's collector, as it is set, would
# look through all of them again and again: at 10,000 symbols that is nearly half of a plan's time.
COLLECT_AFTER = (50_000, 20, 100)
# Calls that one fetch may have under way: Finnhub's burst limit, one symbol a call.
MOST_CALLS_AT_ONCE = 32
# What a state of Step Functions may hold is 262,144 bytes. An invocation's result has its headers
# around the answer, a few thousand; the rest is in reserve.
MOST_PLAN_BYTES = 240_000


def warm_up() -> None:
    """Make everything that the loop needs, so that its first slot does not pay for it."""
    for part in (planner, committer, asset_planner, asset_committer, fetcher, asset_fetcher):
        part()
    for source in FACTS:
        if settings().enabled(source):
            _provider(source)
            _sender(source).warm()


@dataclass(frozen=True, slots=True)
class Stores:
    """Everything in Redis, over one client."""

    cache: Cache
    control: ControlState
    quotes: QuoteStore
    assets: AssetStore


@cache
def settings() -> Settings:
    """The settings of this process; its logs mask their secrets from here on."""
    gc.set_threshold(*COLLECT_AFTER)
    read = Settings.from_env(os.environ)
    configure_logging(function_name(), read.log_level, read.secrets)
    return read


def function_name() -> str:
    """What this process is called in the logs."""
    return os.environ.get("AWS_LAMBDA_FUNCTION_NAME", "local")


@cache
def stores() -> Stores:
    """The stores of this process."""
    from marketdata.cache.asset_store import AssetStore
    from marketdata.cache.client import connect
    from marketdata.cache.control import ControlState
    from marketdata.cache.quote_store import QuoteStore
    from marketdata.domain.breaker import BreakerPolicy

    read = settings()
    client = connect(read)
    policy = BreakerPolicy(open_ms=read.circuit_breaker_timeout * 1000)
    return Stores(
        cache=client,
        control=ControlState(client, limits=read.limits, policy=policy),
        quotes=QuoteStore(client, retention_s=read.quote_retention),
        assets=AssetStore(client),
    )


@cache
def planner() -> Planner:
    """What `plan_quotes` needs."""
    from marketdata.prices.planning import Planner

    # On one machine no state machine stands between the steps, and a plan may have any size.
    most_bytes = MOST_PLAN_BYTES if "AWS_LAMBDA_FUNCTION_NAME" in os.environ else None
    mine = stores()
    return Planner(settings(), mine.control, mine.quotes, mine.assets, _token, most_bytes)


@cache
def committer() -> Committer:
    """What `commit_quotes` needs."""
    from marketdata.prices.committing import Committer

    return Committer(settings(), stores().control, stores().quotes)


@cache
def meter() -> Meter:
    """What `plan_quotes` and `commit_quotes` are measured with."""
    from marketdata.observability.measuring import Gauges, Meter

    mine = stores()
    gauges = Gauges(settings(), mine.cache, mine.control, mine.quotes)
    return Meter(settings().metrics_service, gauges)


@cache
def asset_planner() -> AssetPlanner:
    """What `plan_assets` needs."""
    from marketdata.lists.planning import AssetPlanner

    return AssetPlanner(settings(), stores().control, stores().assets, _token)


@cache
def asset_committer() -> AssetCommitter:
    """What `commit_assets` needs."""
    from marketdata.lists.committing import AssetCommitter

    return AssetCommitter(stores().control, stores().assets, archive())


@cache
def fetcher() -> Fetcher:
    """What `fetch_quotes` needs."""
    from marketdata.prices.fetching import Clock, Fetcher

    return Fetcher(_provider, _sender, _calls(), Clock(wall_ms, time.monotonic))


@cache
def asset_fetcher() -> AssetFetcher:
    """What `fetch_assets` needs."""
    from marketdata.lists.calendars import never_closed, published
    from marketdata.lists.fetching import AssetFetcher

    # The simulated market that comes with the program trades at every hour.
    timetable = never_closed if settings().market == "simulated" else published
    return AssetFetcher(_provider, _sender, _calls(), archive(), timetable)


@cache
def archive() -> Archive:
    """Where the last good lists are kept: an S3 bucket where one is named, else a folder."""
    from marketdata.lists.archive import LocalArchive, S3Archive

    bucket = settings().archive_bucket
    return S3Archive(bucket) if bucket else LocalArchive(Path(settings().archive_folder))


def _token() -> str:
    return uuid4().hex


@cache
def _calls() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(MOST_CALLS_AT_ONCE, thread_name_prefix="call")


@cache
def _provider(source: Source) -> Provider:
    from marketdata.providers.registry import make_provider

    read = settings()
    if read.provider_keys_secret and not read.keys[source]:
        from marketdata.providers.keys import KeyedProvider, takes_key

        def make(key: str) -> Provider:
            return make_provider(source, replace(read, keys={**read.keys, source: key}))

        if takes_key(source):
            return KeyedProvider(source, make, _secret_keys())
    return make_provider(source, read)


@cache
def _secret_keys() -> SecretKeys:
    from marketdata.providers.keys import SecretKeys, secrets_manager

    return SecretKeys(secrets_manager(settings().provider_keys_secret), time.monotonic, mask)


@cache
def _sender(source: Source) -> Sender:
    from marketdata.providers.registry import make_sender

    return make_sender(source, settings())
