"""Real Redis servers for every suite: plain and in cluster mode."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from redis.connection import Connection
from redis.exceptions import TimeoutError  # noqa: A004  (its own class)

from marketdata.cache.client import Cache, connect
from marketdata.cache.control import ControlState
from marketdata.domain.breaker import BreakerPolicy
from marketdata.domain.budget import parse_limits
from marketdata.domain.quotes import Source
from marketdata.settings import Settings
from tests.support.redis_servers import RedisServer


@pytest.fixture(scope="session")
def plain_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A plain server for the whole session."""
    yield from _running(RedisServer(tmp_path_factory.mktemp("redis")))


@pytest.fixture(scope="session")
def cluster_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A server in cluster mode, with all slots, for the whole session."""
    yield from _running(RedisServer(tmp_path_factory.mktemp("cluster"), clustered=True))


@pytest.fixture(params=["plain", "cluster"])
def shared_redis(request: pytest.FixtureRequest) -> RedisServer:
    """The session's servers, one after the other, emptied."""
    server: RedisServer = request.getfixturevalue(f"{request.param}_redis")
    with server.client() as client:
        client.flushall()
        client.execute_command("SCRIPT FLUSH")
    return server


@pytest.fixture
def cache(shared_redis: RedisServer) -> Iterator[Cache]:
    """The program's client of an empty Redis: every test runs on a plain and a cluster server."""
    cache = connect(Settings.from_env(shared_redis.env()), caller_time=True)
    yield cache
    cache.close()


@pytest.fixture
def start_redis(tmp_path: Path) -> Iterator[Callable[..., RedisServer]]:
    """Starts servers of the test's own, with RedisServer's options; they end with the test."""
    servers: list[RedisServer] = []

    def start(**how: object) -> RedisServer:
        folder = tmp_path / f"redis-{len(servers)}"
        folder.mkdir()
        server = RedisServer(folder, **how)
        servers.append(server)
        server.start()
        return server

    yield start
    for server in servers:
        server.kill()


@pytest.fixture
def redis_server(start_redis: Callable[..., RedisServer]) -> RedisServer:
    """A plain server of the test's own, to be paused and killed."""
    return start_redis()


@pytest.fixture
def settings_env() -> Callable[..., dict[str, str]]:
    """The environment for a server, and settings by name: PRICE_FETCH_INTERVAL="10"."""
    return RedisServer.env


def _running(server: RedisServer) -> Iterator[RedisServer]:
    server.start()
    yield server
    server.kill()


@pytest.fixture
def control_of() -> Callable[..., ControlState]:
    """Control state with limits by source, `{Source.FINNHUB: "60/minute"}`, and a policy."""

    def make(
        cache: Cache, limits: Mapping[Source, str], policy: BreakerPolicy | None = None
    ) -> ControlState:
        return ControlState(
            cache,
            limits={source: parse_limits(text) for source, text in limits.items()},
            policy=policy or BreakerPolicy(),
        )

    return make


@pytest.fixture
def time_limits(monkeypatch) -> list[str]:
    """The time limits of connections that ran out, one item each."""
    ran_out: list[str] = []

    def counted(name: str) -> None:
        wait = getattr(Connection, name)

        def waiting(*args, **how):
            try:
                return wait(*args, **how)
            except TimeoutError:
                ran_out.append(name)
                raise

        monkeypatch.setattr(Connection, name, waiting)

    counted("connect")
    counted("read_response")
    return ran_out
