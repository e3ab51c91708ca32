"""The one place where settings become clients, stores and steps: plain functions.

A function's `app.py` calls them when it is imported, because Lambda gives a function a full
processor only then. Modules are imported in the functions that need them: plan and commit never
load an HTTP client, and fetch never loads redis-py.
"""

from __future__ import annotations

import gc
import logging
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from marketdata.clock import wall_ms
from marketdata.collector import COLLECT_AFTER  # before all large imports, see there
from marketdata.domain.catalogue import FACTS
from marketdata.errors import ArchiveError, CacheUnavailableError, ProviderError
from marketdata.observability.logs import configure_logging, mask
from marketdata.setting_names import misspelt_names
from marketdata.settings import Settings

if TYPE_CHECKING:
    from aws_lambda_powertools import Logger

    from marketdata.cache.asset_store import AssetStore
    from marketdata.cache.client import Cache
    from marketdata.cache.control import ControlState
    from marketdata.cache.quote_store import QuoteStore
    from marketdata.domain.quotes import Source
    from marketdata.lists.archive import Archive
    from marketdata.lists.committing import AssetCommitter
    from marketdata.lists.fetching import AssetFetcher
    from marketdata.lists.planning import AssetPlanner
    from marketdata.observability.meter import Meter
    from marketdata.prices.committing import Committer
    from marketdata.prices.fetching import Fetcher
    from marketdata.prices.planning import Planner
    from marketdata.providers.contract import Provider, Sender

# Calls that one fetch may make at the same time: Finnhub allows 30 a second, with one symbol each.
MOST_CALLS_AT_ONCE = 32
# A state of Step Functions may have 262,144 bytes. The result of an invocation has some thousand
# bytes of headers besides the answer. The rest is a reserve.
MOST_PLAN_BYTES = 240_000

log = logging.getLogger("marketdata.composition")


@dataclass(frozen=True, slots=True)
class Process:
    """The settings and the log of a process. `on_lambda`: whether it runs on Lambda."""

    settings: Settings
    logger: Logger
    name: str
    on_lambda: bool


@dataclass(frozen=True, slots=True)
class Stores:
    """The stores in Redis, all over one client."""

    cache: Cache
    control: ControlState
    quotes: QuoteStore
    assets: AssetStore


@dataclass(frozen=True, slots=True)
class Providers:
    """The formats and the senders of all providers. Each is made on first use and kept.

    `note_rejected_key` is called when a provider's key is missing or rejected.
    """

    provider: Callable[[Source], Provider]
    sender: Callable[[Source], Sender]
    note_rejected_key: Callable[[], None]


def start_process(env: Mapping[str, str]) -> Process:
    """Read the settings of this process and configure its log, which masks their secrets."""
    gc.freeze()  # what is loaded stays, so the collector need not examine it
    gc.set_threshold(*COLLECT_AFTER)
    settings = Settings.from_env(env)
    name = env.get("AWS_LAMBDA_FUNCTION_NAME", "")
    logger = configure_logging(name or "local", settings.log_level, settings.secrets)
    if name:  # on one machine `local/service` prints this at its start
        for unknown, near in misspelt_names(env).items():
            log.warning("unknown setting", extra={"setting": unknown, "nearest": near})
    return Process(settings, logger, name or "local", on_lambda=bool(name))


def connect_stores(settings: Settings, *, on_lambda: bool = False) -> Stores:
    """Return the stores. Nothing is sent before their first use."""
    from marketdata.cache.asset_store import AssetStore
    from marketdata.cache.client import connect
    from marketdata.cache.control import ControlState
    from marketdata.cache.quote_store import QuoteStore
    from marketdata.domain.breaker import BreakerPolicy

    client = connect(settings)
    policy = BreakerPolicy(open_ms=settings.circuit_breaker_timeout * 1000)
    # Between two invocations Lambda freezes a process, and its monotonic clock may stop.
    steady = (time.monotonic, time.time) if on_lambda else (time.monotonic,)
    return Stores(
        cache=client,
        control=ControlState(client, limits=settings.limits, policy=policy, steady_clocks=steady),
        quotes=QuoteStore(client, retention_s=settings.quote_retention),
        assets=AssetStore(client),
    )


def make_planner(process: Process, stores: Stores) -> Planner:
    """Return the planner of plan_quotes."""
    from marketdata.prices.planning import Planner

    # On one machine the steps call each other without a state machine, so a plan may have any size.
    most_bytes = MOST_PLAN_BYTES if process.on_lambda else None
    return Planner(
        process.settings, stores.control, stores.quotes, stores.assets, _token, most_bytes
    )


def make_committer(process: Process, stores: Stores) -> Committer:
    """Return the committer of commit_quotes."""
    from marketdata.prices.committing import Committer

    return Committer(process.settings, stores.control, stores.quotes)


def make_meter(process: Process, stores: Stores) -> Meter:
    """Return the meter of plan_quotes and commit_quotes."""
    from marketdata.observability.meter import Gauges, Meter

    settings = process.settings
    gauges = Gauges(settings, stores.cache, stores.control, stores.quotes)
    return Meter(settings.metrics_service, gauges)


def make_asset_planner(process: Process, stores: Stores) -> AssetPlanner:
    """Return the planner of plan_assets."""
    from marketdata.lists.planning import AssetPlanner

    return AssetPlanner(process.settings, stores.control, stores.assets, _token)


def make_asset_committer(process: Process, stores: Stores) -> AssetCommitter:
    """Return the committer of commit_assets."""
    from marketdata.lists.committing import AssetCommitter

    archive = make_archive(process.settings)
    return AssetCommitter(stores.control, stores.assets, stores.quotes, archive)


def make_fetcher(providers: Providers) -> Fetcher:
    """Return the fetcher of fetch_quotes."""
    from marketdata.prices.fetching import Clock, Fetcher

    clock = Clock(wall_ms, time.monotonic)
    return Fetcher(
        providers.provider, providers.sender, _calls(), clock, providers.note_rejected_key
    )


def make_asset_fetcher(process: Process, providers: Providers) -> AssetFetcher:
    """Return the fetcher of fetch_assets."""
    from marketdata.lists.calendars import never_closed, published
    from marketdata.lists.fetching import AssetFetcher

    # The simulated market trades at every hour.
    timetable = never_closed if process.settings.market == "simulated" else published
    archive = make_archive(process.settings)
    return AssetFetcher(
        providers.provider,
        providers.sender,
        _calls(),
        archive,
        timetable,
        providers.note_rejected_key,
    )


def make_archive(settings: Settings) -> Archive:
    """Return where the last good lists are kept: an S3 bucket if one is named, else a folder."""
    from marketdata.lists.archive import LocalArchive, S3Archive

    if settings.archive_bucket:
        return S3Archive(settings.archive_bucket)
    return LocalArchive(Path(settings.archive_path))


def make_providers(settings: Settings) -> Providers:
    """Return all providers; their keys come from the settings, or from Secrets Manager on AWS."""
    from marketdata.providers.registry import make_provider, make_sender

    if not settings.provider_keys_secret:
        return Providers(
            provider=cache(lambda source: make_provider(source, settings)),
            sender=cache(lambda source: make_sender(source, settings)),
            note_rejected_key=lambda: None,  # the settings of a process do not change
        )

    from marketdata.providers.keys import SecretKeys, secrets_manager, takes_key

    secret = SecretKeys(secrets_manager(settings.provider_keys_secret), time.monotonic, mask)

    def provider(source: Source) -> Provider:
        if settings.keys[source] or not takes_key(source):
            return make_provider(source, settings)
        return make_provider(source, settings, lambda: secret.get(source))

    return Providers(
        provider=cache(provider),
        sender=cache(lambda source: make_sender(source, settings, secret.yahoo_proxy_url)),
        note_rejected_key=secret.note_rejected,
    )


def warm_stores(stores: Stores) -> None:
    """Connect to Redis, so that the first event does not pay for it. An error is only logged."""
    try:
        stores.cache.ping()
    except CacheUnavailableError as error:
        log.warning("cache not reached at start", extra={"error": str(error)})


def warm_providers(settings: Settings, providers: Providers) -> None:
    """Load the providers' libraries, so that the first event does not pay for it."""
    for source in FACTS:
        if settings.enabled(source):
            try:
                providers.provider(source)
                providers.sender(source).warm()
            except ProviderError as error:
                log.warning("provider not ready at start", extra={"error": str(error)})


def warm_archive(archive: Archive) -> None:
    """Load the client of the archive, so that the first event does not pay for it."""
    try:
        archive.warm()
    except ArchiveError as error:
        log.warning("archive not ready at start", extra={"error": str(error)})


def _token() -> str:
    return uuid4().hex


def _calls() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(MOST_CALLS_AT_ONCE, thread_name_prefix="call")
