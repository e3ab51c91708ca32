"""Workers whose clocks are wrong, one or all: prices stay right, and no window is overspent."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from local.simulator import MarketServers
from marketdata.cache.client import Cache
from marketdata.clock import HOUR_MS, SECOND_MS
from marketdata.domain.quotes import Source
from marketdata.settings import Settings
from tests.support.fault_support import Workers
from tests.support.pipeline import ACTIVE, Pipeline
from tests.support.redis_servers import RedisServer
from tests.support.simulated_market import Clock

SLOTS = 26


class TrueTimeCache(Cache):
    """A cache whose scripts work at the true time, as Redis's own clock would show it."""

    true_clock: Clock

    def time_argument(self, now_ms: int) -> int | str:
        """The true time, which the caller's clock does not change."""
        return self.true_clock()


@pytest.fixture
def workers(plain_redis: RedisServer, market: MarketServers, clock: Clock) -> Iterator[Workers]:
    """Makes workers, each with a clock of its own, over a Redis with the true one."""
    with plain_redis.client() as client:
        client.flushall()
    cache = TrueTimeCache(Settings.from_env(plain_redis.env()))
    cache.true_clock = clock
    made = Workers(cache, market)
    yield made
    made.close()
    cache.close()


def run_both(pair: list[Pipeline], offsets: list[int], clock: Clock, first: int) -> None:
    """Run the slot by both workers, each at what its own clock shows."""
    for place in (first, 1 - first):
        pair[place].clock.now_ms = clock() + offsets[place]
        pair[place].run()


@pytest.mark.parametrize(
    "offsets",
    [
        [0, HOUR_MS], [0, 10 * SECOND_MS], [0, -HOUR_MS], [0, -10 * SECOND_MS],
        [HOUR_MS, HOUR_MS], [-HOUR_MS, -HOUR_MS], [HOUR_MS, -HOUR_MS],
    ],
    ids=["1 h ahead", "10 s ahead", "1 h behind", "10 s behind", "all ahead", "all behind", "both"],
)  # fmt: skip
def test_wrong_clocks_of_workers_change_nothing(workers, market, clock, offsets):
    """While clocks are wrong and when they are right again no price is older than two ticks."""
    reader, pair = workers(clock), [workers(Clock()), workers(Clock())]
    for slot in range(SLOTS):
        clock.pass_s(5)
        are_wrong = 4 <= slot < SLOTS - 4
        run_both(pair, offsets if are_wrong else [0, 0], clock, first=slot % 2)
        ages_ms = [clock() - reader.fetched_ms(symbol) for symbol in ACTIVE.split(",")]
        assert 0 <= min(ages_ms) <= max(ages_ms) <= 2 * 5 * SECOND_MS, slot
        assert not {"stale", "pending"} & set(reader.sources().values()), slot
    assert set(market.violations.values()) == {0}
    for source in Source:
        peaks = market.peak(source)
        limits = reader.settings.limits[source]
        assert all(peaks[limit.window] <= limit.calls for limit in limits), source
