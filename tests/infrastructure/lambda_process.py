"""A process as Lambda starts it: nothing is composed yet, and settings are in the environment."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from local.simulator import MarketServers
from marketdata.observability.logs import ROOT
from marketdata.settings import ENV_PREFIXES
from tests.support.api_service import event_loop
from tests.support.pipeline import GENEROUS, KEYS
from tests.support.redis_servers import RedisServer


@contextmanager
def lambda_process(server: RedisServer, market: MarketServers, **settings: str) -> Iterator[None]:
    """Import the functions again, with Redis and the providers given by the environment."""
    own = {"AWS_LAMBDA_FUNCTION_NAME": "a-function"}
    urls = {f"{ENV_PREFIXES[source]}_BASE_URL": url for source, url in market.base_urls.items()}
    with pytest.MonkeyPatch.context() as patch, _own_logger(), event_loop() as loop:
        asyncio.set_event_loop(loop)  # Mangum would make one, and leave it open
        for name, value in {**own, **server.env(), **KEYS, **GENEROUS, **urls, **settings}.items():
            patch.setenv(name, value)
        _forget_functions()
        try:
            yield
        finally:
            _forget_functions()
            asyncio.set_event_loop(None)


def _forget_functions() -> None:
    """Close what the functions of this process hold, so that the next import composes anew."""
    for name in [name for name in sys.modules if name.startswith("functions.")]:
        app = sys.modules.pop(name)
        if hasattr(app, "stores"):
            app.stores.cache.close()


@contextmanager
def _own_logger() -> Iterator[None]:
    """Restore the logger afterwards, because a process configures its logs only once."""
    logger = logging.getLogger(ROOT)
    before = {**vars(logger), "handlers": [*logger.handlers]}
    try:
        yield
    finally:
        vars(logger).clear()
        vars(logger).update(before)
        logger.setLevel(logger.level)  # clears the cached levels of its child loggers
