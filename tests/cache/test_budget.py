"""The budget ledger: what is granted, denied, given back and held."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from marketdata.cache.client import Cache
from marketdata.domain.budget import Use
from marketdata.domain.outcomes import DenyReason
from marketdata.domain.permits import CallRequest
from marketdata.domain.symbols import AssetClass
from tests.support.caches import patient_cache
from tests.support.control_support import LEDGER_SOURCE as SOURCE
from tests.support.control_support import Ledger

NOW = 1_763_820_000_000
MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000


@pytest.fixture
def ledger_of(cache: Cache, control_of):
    """A ledger with limits in the settings' notation."""
    return lambda limits: Ledger(control_of(cache, {SOURCE: limits}))


def test_a_grant_is_what_fits_all_windows(ledger_of):
    """Calls are granted up to the free calls of the fullest window, and counted in each window."""
    ledger = ledger_of("20/minute,8/second")
    assert ledger.take(15, NOW).calls == 8
    assert ledger.used(NOW) == [8, 8]
    assert ledger.take(1, NOW).reason is DenyReason.BUDGET_EXHAUSTED
    assert [ledger.take(15, NOW + n * 1100).calls for n in (1, 2, 3)] == [8, 4, 0]


def test_fewer_than_the_least_are_not_granted(ledger_of):
    """A request whose least number of calls is not free gets nothing, and nothing is counted."""
    ledger = ledger_of("10/minute")
    ledger.take(8, NOW)
    denied = ledger.take(5, NOW, least=3)
    assert (denied.calls, denied.reason) == (0, DenyReason.BUDGET_EXHAUSTED)
    assert ledger.used(NOW) == [8]
    assert ledger.take(11, NOW + HOUR, least=11).available_at_ms is None


def test_calls_count_until_the_end_of_their_reservation_is_a_window_old(ledger_of):
    """A call counts for one window after its reservation ends, as it may be made that late."""
    ledger = ledger_of("10/minute")
    ledger.take(10, NOW, run_ms=4000)
    denied = ledger.take(1, NOW + MINUTE + 3999)
    assert denied.calls == 0
    latest = NOW + MINUTE + 4000 + 2000 + MINUTE // 100
    assert NOW + MINUTE + 4000 < denied.available_at_ms <= latest
    assert ledger.take(1, denied.available_at_ms - 1).calls == 0
    assert ledger.take(10, denied.available_at_ms).calls == 10


def test_unused_calls_are_given_back_exactly(ledger_of):
    """A refund gives back the unused calls of its reservation, and no other calls."""
    ledger = ledger_of("10/minute,100/hour")
    first, second = ledger.take(6, NOW, run_ms=4000), ledger.take(4, NOW + 3000, run_ms=4000)
    ledger.settle(first, 1, NOW + 3000)
    assert ledger.used(NOW + 3000) == [5, 5]
    ledger.settle(second, 0, NOW + 3500)
    assert ledger.used(NOW + 3500) == [1, 1]
    assert ledger.take(20, NOW + 3500).calls == 9


def test_a_refund_that_comes_late_touches_no_later_calls(ledger_of):
    """A refund of a reservation that has left the window frees no later call."""
    ledger = ledger_of("10/minute,100/hour")
    old = ledger.take(6, NOW)
    ledger.take(9, NOW + 2 * MINUTE)
    ledger.settle(old, 0, NOW + 2 * MINUTE)
    assert ledger.used(NOW + 2 * MINUTE) == [9, 9]


def test_more_used_than_granted_gives_nothing_back(ledger_of):
    """A report of more calls than were granted frees no call."""
    ledger = ledger_of("10/minute")
    ledger.settle(ledger.take(6, NOW), 8, NOW)
    assert ledger.used(NOW) == [6]


def test_a_hold_stops_every_use_until_its_end(ledger_of):
    """After a 429 no use gets a call before Retry-After has passed."""
    ledger = ledger_of("60/minute")
    grant = ledger.take(1, NOW)
    ledger.settle(grant, 1, NOW + 100, hold_until_ms=NOW + 30_000)
    for use in Use:
        denied = ledger.take(1, NOW + 29_999, use=use)
        assert (denied.reason, denied.available_at_ms) == (DenyReason.HELD, NOW + 30_000)
    assert ledger.seen(NOW + 100).hold_until_ms == NOW + 30_000
    assert ledger.take(1, NOW + 30_000).calls == 1


def test_a_hold_is_only_ever_extended(ledger_of):
    """A later report with an earlier end does not shorten a hold."""
    ledger = ledger_of("60/minute")
    for end in (30_000, 10_000):
        ledger.settle(ledger.take(1, NOW), 1, NOW, hold_until_ms=NOW + end)
    assert ledger.take(1, NOW + 29_999).reason is DenyReason.HELD


def test_eight_workers_share_one_limit_exactly(shared_redis, control_of):
    """Eight workers that ask at once are granted exactly the limit in all."""
    granted: list[int] = []
    start = threading.Barrier(8)

    def work(cache: Cache) -> None:
        ledger = Ledger(control_of(cache, {SOURCE: "333/minute"}))
        start.wait()
        granted.extend(ledger.take(3, NOW + n * 10).calls for n in range(60))
        cache.close()

    caches = [patient_cache(shared_redis) for _ in range(8)]
    workers = [threading.Thread(target=work, args=(cache,)) for cache in caches]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sum(granted) == 333


def test_a_change_of_limits_forgets_nothing(cache, control_of):
    """Calls are counted by window length, so changed or reordered limits keep the earlier calls."""
    Ledger(control_of(cache, {SOURCE: "60/minute,500/hour"})).take(40, NOW)
    tightened = Ledger(control_of(cache, {SOURCE: "500/hour,45/minute"}))
    assert tightened.used(NOW) == [40, 40]
    assert tightened.take(100, NOW).calls == 5


@pytest.mark.parametrize(
    "spoil",
    [
        ("SET", "not a hash"),
        ("HSET", "hold", "soon"),
        ("HSET", "60000:2939700000:r", "nan"),
        ("HSET", "60000:2939700000:r", "-5"),
        ("HSET", "pace:86400000", "inf"),
    ],
    ids=" ".join,
)
def test_an_unreadable_ledger_grants_nothing_for_its_longest_short_window(
    cache, ledger_of, caplog, spoil
):
    """A damaged ledger grants nothing for a minute, and then goes on with the readable counts."""
    ledger = ledger_of("60/minute,30/second,10000/month")
    ledger.take(7, NOW - 5000, use=Use.PROBE)
    key = cache.key("control", "budget", "finnhub")
    if spoil[0] == "SET":
        cache.command("UNLINK", key)
    cache.command(spoil[0], key, *spoil[1:])
    assert ledger.seen(NOW).routine_at_ms is None
    for at in (NOW, NOW + 5000, NOW + MINUTE - 1):
        denied = ledger.take(1, at)
        assert (denied.calls, denied.reason) == (0, DenyReason.HELD)
        assert denied.available_at_ms == NOW + MINUTE
    assert ledger.take(1, NOW + MINUTE).calls == 1
    assert ledger.used(NOW + MINUTE)[2] == 8
    messages = [record.message for record in caplog.records if getattr(record, "key", "") == key]
    assert messages == ["unreadable value removed"]


def test_a_ledger_stays_small_and_has_no_ttl(cache, ledger_of):
    """Three hours of calls leave only the buckets of the windows, and the key has no TTL."""
    ledger = ledger_of("300/minute,10000/hour,30/second")
    key = cache.key("control", "budget", "finnhub")
    sizes = []
    for second in range(0, 3 * 3600, 13):
        ledger.take(2, NOW + second * 1000, run_ms=3500)
        sizes.append(cache.command("HLEN", key))
    assert max(sizes) < 3 * 130
    assert cache.command("TTL", key) == -1


def test_readers_see_use_reset_and_the_next_routine_call(ledger_of):
    """Readers see used calls and reset of each limit, and the time of the next routine call."""
    ledger = ledger_of("2/minute,25/day")
    assert ledger.seen(NOW).routine_at_ms == NOW
    ledger.take(1, NOW)
    minute, day = ledger.seen(NOW).limits
    assert (minute.used, day.used) == (1, 1)
    assert NOW + MINUTE <= minute.reset_ms <= NOW + MINUTE + 3000
    assert NOW + DAY <= day.reset_ms <= NOW + DAY + DAY // 100
    at = ledger.seen(NOW).routine_at_ms
    assert at == pytest.approx(NOW + DAY / 22 - 10_000, abs=2)
    assert ledger.take(1, at - 1).calls == 0
    assert ledger.take(1, at).calls == 1


def test_calls_that_were_made_count_from_their_report(ledger_of):
    """A long reservation blocks a short window only until its holder reports."""
    ledger = ledger_of("25/day,1/second")
    grant = ledger.take(1, NOW, use=Use.ASSETS, run_ms=120_000)
    assert ledger.take(1, NOW + 30_000, use=Use.ASSETS).calls == 0
    ledger.settle(grant, 1, NOW + 30_000)
    assert ledger.take(1, NOW + 30_500, use=Use.ASSETS).calls == 0
    assert ledger.take(1, NOW + 31_100, use=Use.ASSETS).calls == 1
    assert ledger.used(NOW + 31_100)[0] == 2


def test_calls_from_before_redis_lost_its_data_count_once(cache, ledger_of):
    """After Redis lost its data, a worker writes its calls back, and their report adds none."""
    ledger = ledger_of("60/minute")
    grant = ledger.take(5, NOW, run_ms=20_000)
    cache.command("FLUSHALL")
    ledger.settle(grant, 5, NOW + 100)
    assert ledger.take(1, NOW + 200).calls == 1
    assert ledger.used(NOW + 200) == [6]


def test_extra_calls_are_granted_only_after_all_needed_ones(cache, control_of):
    """Extra calls of one job are granted only after the needed calls of all jobs."""
    control = control_of(cache, {SOURCE: "10/minute"})

    def take(now_ms: int, jobs: int) -> list[int]:
        usual = CallRequest(SOURCE, AssetClass.STOCKS, 2, Use.ACTIVE, now_ms + 1000, extra=3)
        wants = [replace(usual, job=job) for job in range(jobs)]
        return [grant.calls for grant in control.take(wants, now_ms, str(now_ms))]

    assert take(NOW, 2) == [5, 5]
    assert take(NOW + HOUR, 3) == [5, 3, 2]
    assert take(NOW + 2 * HOUR, 6) == [2, 2, 2, 2, 2, 0]
