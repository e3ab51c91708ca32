"""The program's client of a Redis without data."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from marketdata.cache import client as cache_client
from marketdata.cache.client import Cache, connect
from marketdata.settings import Settings
from tests.support.redis_servers import RedisServer

# A Redis on a busy machine is slow, and that is no failure.
TIMEOUT_S = 10.0


@contextmanager
def emptied(server: RedisServer) -> Iterator[Cache]:
    """The program's client of a server without data; it waits long for each answer."""
    with server.client() as client:
        client.flushall()
    with pytest.MonkeyPatch.context() as patch:
        for name in ("CONNECT_TIMEOUT_S", "ANSWER_TIMEOUT_S"):
            patch.setattr(cache_client, name, TIMEOUT_S)
        cache = connect(Settings.from_env(server.env()), caller_time=True)
    yield cache
    cache.close()
