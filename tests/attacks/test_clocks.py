"""Clocks that are wrong or that jump: those of workers, and the clock of Redis."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

from marketdata.cache.client import Cache
from marketdata.cache.control import ControlState
from marketdata.clock import wall_ms
from marketdata.domain.breaker import BreakerPolicy
from marketdata.domain.budget import Use, parse_limits
from marketdata.domain.permits import CallGrant, CallRequest
from marketdata.domain.quotes import Source
from marketdata.domain.symbols import AssetClass
from marketdata.settings import Settings
from tests.support.caches import patient_cache
from tests.support.control_support import Breaker
from tests.support.redis_servers import RedisServer

SECOND, MINUTE, HOUR = 1000, 60_000, 3_600_000
START = 1_763_820_310_000
JUMPS = [HOUR, -HOUR, 90 * SECOND, -90 * SECOND, 3 * SECOND, -3 * SECOND]


class MovedCache(Cache):
    """A cache for which a test sets the server's clock: scripts work at `clock.redis_ms`."""

    clock: Clocks

    def time_argument(self, now_ms: int) -> int | str:
        """Return the time of the server's clock."""
        return self.clock.redis_ms


class Clocks:
    """The server's clock and the steady clock of all workers."""

    def __init__(self) -> None:
        self.redis_ms, self.steady_ms = START, 0

    def pass_ms(self, ms: int) -> None:
        """Move all clocks forward."""
        self.redis_ms += ms
        self.steady_ms += ms

    def steady_s(self) -> float:
        """Return the time of a worker's monotonic clock."""
        return self.steady_ms / 1000


@pytest.fixture
def live_cache(shared_redis: RedisServer) -> Iterator[Cache]:
    """A cache as in production: scripts use the server's own clock."""
    cache = patient_cache(shared_redis, caller_time=False)
    yield cache
    cache.close()


@pytest.fixture
def clocks() -> Clocks:
    """Clocks that agree."""
    return Clocks()


@pytest.fixture
def worker_on(shared_redis: RedisServer, clocks: Clocks) -> Iterator[Callable[[], ControlState]]:
    """Makes workers, each with its own connection and memory, on the server with the set clock."""
    caches: list[Cache] = []

    def make() -> ControlState:
        cache = MovedCache(Settings.from_env(shared_redis.env()))
        cache.clock = clocks
        caches.append(cache)
        return control_on(cache, steady_clocks=(clocks.steady_s,), worker=f"w{len(caches)}")

    yield make
    for cache in caches:
        cache.close()


def control_on(cache: Cache, **more: object) -> ControlState:
    """Control state with Finnhub's free limits."""
    limits = {Source.FINNHUB: parse_limits("60/minute,30/second")}
    return ControlState(cache, limits=limits, policy=BreakerPolicy(), **more)


def take(control: ControlState, calls: int, now_ms: int, token: str) -> CallGrant:
    """Ask for calls that are made within 3.5 s."""
    want = CallRequest(Source.FINNHUB, AssetClass.STOCKS, calls, Use.ACTIVE, now_ms + 3500)
    (grant,) = control.take([want], now_ms, token)
    return grant


@pytest.mark.parametrize("offset_ms", [HOUR, -HOUR, 3 * SECOND, -3 * SECOND])
def test_a_worker_with_a_wrong_clock_freezes_and_overspends_nothing(
    live_cache: Cache, caplog, offset_ms
):
    """Calls of a worker with a wrong clock count, slots go on, and the clock is named."""
    right, wrong = control_on(live_cache, worker="right"), control_on(live_cache, worker="wrong")
    now = wall_ms()
    slot = now // 5000 * 5
    opened = wrong.open_slot((now + offset_ms) // 5000 * 5, now + offset_ms, ["AAPL"])
    assert abs(opened.slot_s - slot) <= 10
    grants = [
        take(control, 20, wall_ms() + offset, f"t{number}").calls
        for number, (control, offset) in enumerate([(right, 0), (wrong, offset_ms)] * 3)
    ]
    assert sum(grants) <= 30
    due_ms = {"AAPL": opened.slot_s * 1000 + 5000}
    wrong.record((), due_ms, (), wall_ms() + offset_ms, report="r1")
    right.open_slot(opened.slot_s + 5, wall_ms(), ["AAPL"])
    found = right.read_providers(wall_ms()).wrong_clocks
    assert found == {"wrong": pytest.approx(offset_ms, abs=1000)}
    messages = [record.message for record in caplog.records]
    assert messages == ["clock differs from that of Redis"]
    wrong.open_slot(opened.slot_s + 10, wall_ms(), [])
    assert right.read_providers(0).wrong_clocks == {}


@pytest.mark.parametrize("offset_ms", [HOUR, -HOUR, 3 * SECOND, -3 * SECOND])
def test_a_worker_that_gets_no_slot_has_its_wrong_clock_in_the_log(
    live_cache: Cache, caplog, offset_ms
):
    """The log names a wrong clock once, and once more when the clock is right again."""
    right, wrong = control_on(live_cache, worker="right"), control_on(live_cache, worker="wrong")
    slot = wall_ms() // 5000 * 5 + 5  # the next one, so that no other slot begins meanwhile
    assert right.open_slot(slot, wall_ms(), []) is not None
    for offset in (offset_ms, offset_ms, 0):
        now = wall_ms() + offset
        assert wrong.open_slot(min(slot, now // 5000 * 5), now, []) is None
    found = [(record.message, record.worker) for record in caplog.records]
    assert found == [
        ("clock differs from that of Redis", "wrong"),
        ("clock is right again", "wrong"),
    ]
    assert caplog.records[0].offset_s == pytest.approx(offset_ms / 1000, abs=1)


@pytest.mark.parametrize("jump_ms", JUMPS)
def test_a_jump_of_the_deciding_clock_overspends_no_window(worker_on, clocks, jump_ms):
    """After Redis's clock jumps, no call is granted twice, and later calls are granted in time."""
    workers = [worker_on(), worker_on()]
    for number, worker in enumerate(workers):
        worker.open_slot(clocks.redis_ms // 1000, clocks.redis_ms, [])
        assert take(worker, 30, clocks.redis_ms, f"a{number}").calls == 30
        clocks.pass_ms(5 * SECOND)
    clocks.redis_ms += jump_ms
    for number in range(8):
        worker = workers[number % 2]
        worker.open_slot(clocks.redis_ms // 1000, clocks.redis_ms, [])
        assert take(worker, 30, clocks.redis_ms, f"b{number}").calls == 0
        clocks.pass_ms(5 * SECOND)
    clocks.pass_ms(31 * SECOND)
    granted = [take(workers[n % 2], 30, clocks.redis_ms, f"c{n}").calls for n in range(4)]
    assert 30 <= sum(granted) <= 60


@pytest.mark.parametrize("jump_ms", [*JUMPS, 7 * HOUR, -7 * HOUR])
def test_a_worker_that_starts_after_the_jump_overspends_no_window(worker_on, clocks, jump_ms):
    """A worker that starts after the jump grants no call twice: its own clock shows the jump."""
    before = worker_on()
    before.open_slot(clocks.redis_ms // 1000, clocks.redis_ms, [])
    for number in range(2):
        assert take(before, 30, clocks.redis_ms, f"a{number}").calls == 30
        clocks.pass_ms(5 * SECOND)
    wall_ms = clocks.redis_ms
    clocks.redis_ms += jump_ms
    new = [worker_on(), worker_on()]
    for number in range(10):
        worker = new[number % 2]
        worker.open_slot(clocks.redis_ms // 1000, wall_ms, [])
        assert take(worker, 1, wall_ms, f"b{number}").calls == 0
        clocks.pass_ms(5 * SECOND)
        wall_ms += 5 * SECOND
    clocks.pass_ms(15 * SECOND)
    assert take(new[0], 30, wall_ms + 15 * SECOND, "c").calls == 30


@pytest.mark.parametrize("offset_ms", [HOUR, 10 * SECOND, -10 * SECOND, -HOUR])
def test_a_new_worker_with_a_wrong_wall_clock_gives_no_call_twice(worker_on, clocks, offset_ms):
    """For a new worker with a wrong clock, earlier calls count for a minute and not longer."""
    for number in range(2):
        assert take(worker_on(), 30, clocks.redis_ms, f"a{number}").calls == 30
        clocks.pass_ms(5 * SECOND)
    wrong = worker_on()
    for number in range(5):
        wrong.open_slot(clocks.redis_ms // 1000, clocks.redis_ms + offset_ms, [])
        assert take(wrong, 1, clocks.redis_ms + offset_ms, f"b{number}").calls == 0
        clocks.pass_ms(10 * SECOND)
    clocks.pass_ms(25 * SECOND)
    assert take(wrong, 30, clocks.redis_ms + offset_ms, "c").calls == 30


@pytest.mark.parametrize("jump_ms", JUMPS)
def test_after_a_jump_of_the_deciding_clock_symbols_are_due_within_two_ticks(
    worker_on, clocks, jump_ms
):
    """After Redis's clock jumps, every symbol is due again in one of the next two slots."""
    worker = worker_on()
    opened = worker.open_slot(START // 1000, START, ["AAPL"])
    worker.record((), {"AAPL": opened.slot_s * 1000 + 5 * SECOND}, (), START, report="r1")
    worker.watch(["TSLA"], START)
    clocks.redis_ms += jump_ms
    due: set[str] = set()
    for _ in range(2):
        clocks.pass_ms(5 * SECOND)
        now = clocks.redis_ms
        slot = worker.open_slot(now // 5000 * 5, now, ["AAPL"])
        due |= {entry.symbol for entry in slot.due} if slot else set()
    assert "AAPL" in due
    if jump_ms < 15 * MINUTE:
        assert "TSLA" in due


def test_an_open_breaker_does_not_stay_open_after_the_clock_went_back(worker_on, clocks):
    """If Redis's clock goes back behind the opening time, the next request gets a probe."""
    breaker = Breaker(worker_on(), source=Source.FINNHUB)
    breaker.open(START)
    assert breaker.ask(START).calls == 0
    clocks.redis_ms -= HOUR
    assert breaker.ask(START).probe is not None


def test_the_present_time_comes_from_redis(live_cache: Cache):
    """In production a script uses the clock of the server, also if the caller passes a time."""
    control = control_on(live_cache)
    before = time.time() * 1000
    view = control.read_providers(0)
    assert before - 1000 < view.now_ms < time.time() * 1000 + 1000
