"""A process as Lambda starts it: nothing made yet, all it knows comes from the environment."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from functions.api import app as api
from local.market import MarketServers
from marketdata import bootstrap
from marketdata.settings import ENV_PREFIXES
from tests.pipeline import GENEROUS, KEYS
from tests.redis_servers import RedisServer


@contextmanager
def lambda_process(server: RedisServer, market: MarketServers, **settings: str) -> Iterator[None]:
    """What the handlers make is theirs until the end; Redis and providers by the environment."""
    urls = {f"{ENV_PREFIXES[source]}_BASE_URL": url for source, url in market.base_urls.items()}
    made = [
        made
        for module in (bootstrap, api)
        for made in vars(module).values()
        if hasattr(made, "cache_clear")
    ]
    own = {"AWS_LAMBDA_FUNCTION_NAME": "a-function"}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {**own, **server.env(), **KEYS, **GENEROUS, **urls, **settings}.items():
            patch.setenv(name, value)
        for one in made:
            one.cache_clear()
        yield
        bootstrap.stores().cache.close()
        for one in made:
            one.cache_clear()
