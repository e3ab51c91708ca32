"""The program's client of Redis, which waits long for each answer."""

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


def patient_cache(server: RedisServer, *, caller_time: bool = True) -> Cache:
    """A client of a server; not to be called by two threads at once."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("CONNECT_TIMEOUT_S", "ANSWER_TIMEOUT_S"):
            patch.setattr(cache_client, name, TIMEOUT_S)
        return connect(Settings.from_env(server.env()), caller_time=caller_time)


@contextmanager
def emptied(server: RedisServer) -> Iterator[Cache]:
    """A client of a server, which is emptied first."""
    with server.client() as client:
        client.flushall()
    cache = patient_cache(server)
    yield cache
    cache.close()
