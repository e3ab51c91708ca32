"""The order of the tests, and real Redis servers, for every suite."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from zlib import crc32

import pytest
from redis.connection import Connection
from redis.exceptions import TimeoutError  # noqa: A004  (its own class)

from marketdata.cache.client import Cache
from marketdata.cache.control import ControlState
from marketdata.collector import COLLECT_AFTER
from marketdata.domain.breaker import BreakerPolicy
from marketdata.domain.budget import parse_limits
from marketdata.domain.quotes import Source
from tests.support.caches import patient_cache
from tests.support.examples import use_few
from tests.support.redis_servers import RedisServer

use_few()

# The files that take longest begin first, so that no process works on one of them alone at the end.
# Files that wait for a service and files that keep a processor busy take turns.
LONGEST = (
    "tests/e2e/test_start_together.py",
    "tests/pipeline/test_day.py",
    "tests/e2e/test_faults_redis.py",
    "tests/browser/test_board_live.py",
    "tests/infrastructure/test_asset_refresh_runs.py",
    "tests/cache/test_failover.py",
    "tests/attacks/test_poisoned_values.py",
    "tests/e2e/test_client_snippets.py",
    "tests/e2e/test_benchmarks.py",
    "tests/attacks/test_greedy_connections.py",
    "tests/browser/test_board_looks.py",
    "tests/e2e/test_start_service.py",
    "tests/browser/test_board_search.py",
    "tests/e2e/test_no_secret_leaks.py",
    "tests/browser/test_board_rows.py",
    "tests/browser/test_board_prices.py",
    "tests/browser/test_board_state.py",
    "tests/api/test_api_any_request.py",
    "tests/infrastructure/test_start_on_lambda.py",
    "tests/pipeline/test_faults_workers.py",
)


ON_BOTH_SERVERS = ("test_client.py", "test_requests.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the tests of `LONGEST` first, in its order."""
    place = {name: number for number, name in enumerate(LONGEST)}
    items.sort(key=lambda item: place.get(item.nodeid.partition("::")[0], len(place)))


def pytest_collection_finish() -> None:
    """Exclude loaded objects from garbage collection, and collect as often as the service does.

    Each process has thousands of tests, which the collector would examine again and again.
    """
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)


@pytest.fixture(scope="session")
def plain_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A plain server for the whole session."""
    yield from _running(RedisServer(tmp_path_factory.mktemp("redis")))


@pytest.fixture(scope="session")
def cluster_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A server in cluster mode, with all slots, for the whole session."""
    yield from _running(RedisServer(tmp_path_factory.mktemp("cluster"), clustered=True))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Choose the servers of a test.

    The tests of the client, and of each command that the service sends, run on a plain server and
    on a cluster. Every other test runs on one of the two. The choice depends on the test's name.
    """
    if "shared_redis" not in metafunc.fixturenames:
        return
    servers = ["plain", "cluster"]
    test = metafunc.definition
    if test.path.name not in ON_BOTH_SERVERS:
        servers = [servers[crc32(test.name.encode()) % 2]]
    metafunc.parametrize("shared_redis", servers, indirect=True)


@pytest.fixture
def shared_redis(request: pytest.FixtureRequest) -> RedisServer:
    """A server of the session, emptied."""
    server: RedisServer = request.getfixturevalue(f"{request.param}_redis")
    with server.client() as client:
        client.flushall()
        client.execute_command("SCRIPT FLUSH")
    return server


@pytest.fixture
def cache(shared_redis: RedisServer) -> Iterator[Cache]:
    """The program's client of an empty Redis, plain or in cluster mode."""
    cache = patient_cache(shared_redis)
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
