"""Redis is killed, emptied, paused and demoted, and the loop is paused, under a running service.

All tests of this file use one service, and each test leaves it healthy. During each test a client
asks the API and compares every price with the market's own record.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from local.simulator import MarketServers
from marketdata.clock import SLOT_S
from tests.support.fault_support import SYMBOLS, Watch, ticks_until_well
from tests.support.redis_servers import RedisServer
from tests.support.running_service import RunningService, base_urls, eventually, paid_market


@dataclass(frozen=True)
class Scene:
    """A service, its Redis, and its market."""

    service: RunningService
    redis: RedisServer
    market: MarketServers

    def fail_a_tick(self, text: str) -> None:
        """Wait until a tick has failed with `text`."""
        self.service.wait_for(text, after=self.service.output)

    def recovers(self, watch: Watch, tell: Callable[[str, object], None]) -> None:
        """Assert that within two ticks all is healthy, and that no reader got a wrong answer."""
        ticks = ticks_until_well(self.service)
        quotes, _ = self.service.quotes(SYMBOLS)
        assert set(quotes) == set(SYMBOLS.split(","))
        assert not any(quote["stale"] for quote in quotes.values())
        observed = watch.harmless()
        assert set(self.market.violations.values()) == {0}
        tell("recovery", f"healthy {ticks} ticks after the fault; {observed}")
        assert ticks <= 2


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """A healthy service on a Redis and a market of the test's own."""
    redis = RedisServer(tmp_path_factory.mktemp("redis"))
    redis.start()
    try:
        with (
            paid_market() as market,
            RunningService(
                tmp_path_factory.mktemp("home"), **redis.env(), **base_urls(market)
            ) as service,
        ):
            ticks_until_well(service.ready())
            yield Scene(service, redis, market)
    finally:
        redis.kill()


@pytest.fixture
def watch(scene: Scene) -> Iterator[Watch]:
    """A client that asks during the whole test."""
    with Watch(scene.service, scene.market) as watch:
        yield watch


def test_redis_is_killed_and_comes_back_empty(scene, watch, record_property):
    """While Redis is away readers get 503 and no provider is called; then the service recovers."""
    watch.wait_for(200, 4, 0)
    since_s = time.monotonic()
    scene.redis.kill()
    scene.fail_a_tick("failed: Redis at")
    calls = sum(map(len, scene.market.calls.values()))
    watch.wait_for(503, 40, since_s)
    assert sum(map(len, scene.market.calls.values())) == calls
    assert 200 not in watch.statuses(since_s + 1)
    scene.redis.start()
    scene.recovers(watch, record_property)


def test_redis_hangs_and_goes_on(scene, watch, record_property):
    """A Redis that hangs costs readers a 503, and no data is lost."""
    since_s = time.monotonic()
    scene.redis.pause()
    scene.fail_a_tick("failed: Redis at")
    watch.wait_for(503, 4, since_s)
    scene.redis.resume()
    scene.recovers(watch, record_property)


def test_redis_is_restarted_without_its_data(scene, watch, record_property):
    """After Redis lost its data, prices come from the providers and lists from the archive."""
    before = scene.service.output
    scene.redis.stop()
    scene.redis.start()
    scene.recovers(watch, record_property)
    restored = [line for line in scene.service.output[len(before) :].splitlines() if "from" in line]
    for asset_type in ("stocks", "crypto", "forex"):
        assert any(line.startswith(f"assets  {asset_type} ") for line in restored)


def test_redis_becomes_a_replica(scene, watch, record_property):
    """While Redis takes no writes the loop fails and readers get stored quotes."""
    watch.wait_for(200, 4, 0)
    with scene.redis.client() as client:
        client.execute_command("REPLICAOF", "127.0.0.1", "1")
        scene.fail_a_tick("failed: Redis at")
        watch.wait_for(200, 8, time.monotonic())
        assert set(watch.statuses()) == {200}
        client.execute_command("REPLICAOF", "NO", "ONE")
    scene.recovers(watch, record_property)


def test_the_loop_hangs_and_goes_on(scene, watch, record_property):
    """A loop that is stopped for more than a slot skips the missed slots; readers get 200."""
    slots_before = time.time() // SLOT_S
    os.kill(scene.service.pid, signal.SIGSTOP)
    try:
        eventually(lambda: time.time() // SLOT_S > slots_before + 1, "two more slots")
    finally:
        os.kill(scene.service.pid, signal.SIGCONT)
    scene.recovers(watch, record_property)
    assert set(watch.statuses()) == {200}
