"""A process as Lambda starts it: nothing is made yet, and settings are in the environment."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from local.simulator import MarketServers
from marketdata import composition
from marketdata.api import serving
from marketdata.observability.logs import ROOT
from marketdata.settings import ENV_PREFIXES
from tests.support.api_service import event_loop
from tests.support.pipeline import GENEROUS, KEYS
from tests.support.redis_servers import RedisServer


@contextmanager
def lambda_process(server: RedisServer, market: MarketServers, **settings: str) -> Iterator[None]:
    """Set the environment for the handlers; at the end forget everything that they made."""
    own = {"AWS_LAMBDA_FUNCTION_NAME": "a-function"}
    urls = {f"{ENV_PREFIXES[source]}_BASE_URL": url for source, url in market.base_urls.items()}
    made = [
        made
        for module in (composition, serving)
        for made in vars(module).values()
        if hasattr(made, "cache_clear")
    ]
    with pytest.MonkeyPatch.context() as patch, _own_logger(), event_loop() as loop:
        asyncio.set_event_loop(loop)  # Mangum would make one, and leave it open
        for name, value in {**own, **server.env(), **KEYS, **GENEROUS, **urls, **settings}.items():
            patch.setenv(name, value)
        for one in made:
            one.cache_clear()
        try:
            yield
        finally:
            composition.stores().cache.close()
            for one in made:
                one.cache_clear()
            asyncio.set_event_loop(None)


@contextmanager
def _own_logger() -> Iterator[None]:
    """Restore the logger at the end, as a process configures its logs once."""
    logger = logging.getLogger(ROOT)
    before = {**vars(logger), "handlers": [*logger.handlers]}
    try:
        yield
    finally:
        vars(logger).clear()
        vars(logger).update(before)
        logger.setLevel(logger.level)  # forgets what is known of its children
