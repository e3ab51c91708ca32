"""Ledgers that Redis loses: calls that workers remember still count, so no limit is exceeded."""

from __future__ import annotations

import random

import pytest

from marketdata.cache.client import Cache
from marketdata.clock import MINUTE_MS, SECOND_MS
from marketdata.domain.budget import Use, parse_limits
from marketdata.domain.outcomes import DenyReason
from tests.support.control_support import LEDGER_SOURCE as SOURCE
from tests.support.control_support import Ledger

NOW = 1_763_820_000_000


@pytest.fixture
def worker_of(cache: Cache, control_of):
    """The ledger of one provider as a new worker sees it, with limits as settings write them."""
    return lambda limits: Ledger(control_of(cache, {SOURCE: limits}))


def lose(cache: Cache) -> None:
    """Let Redis lose everything."""
    cache.command("FLUSHALL")


def ledger_key(cache: Cache) -> str:
    """The key of the ledger."""
    return cache.key("control", "budget", SOURCE.value)


@pytest.mark.parametrize("limits", ["10/second", "10/minute", "10/hour", "10/day,600/minute"])
def test_calls_count_although_redis_has_lost_them(cache, worker_of, limits):
    """After a loss a worker is granted only the calls that are left of its window."""
    worker = worker_of(limits)
    assert worker.take(7, NOW, use=Use.PROBE).calls == 7
    lose(cache)
    assert worker.take(9, NOW + 500, use=Use.PROBE).calls == 3
    assert worker.take(1, NOW + 500, use=Use.PROBE).reason is DenyReason.BUDGET_EXHAUSTED
    assert worker.used(NOW + 500)[0] == 10


def test_lost_calls_leave_their_window_as_if_nothing_had_happened(cache, worker_of):
    """Calls that a worker puts back after a loss leave their window at their own time."""
    worker = worker_of("10/minute")
    worker.take(10, NOW)
    untouched = worker.take(1, NOW + 1).available_at_ms
    lose(cache)
    assert worker.take(1, NOW + 30 * SECOND_MS).available_at_ms == untouched
    assert worker.take(10, untouched).calls == 10


def test_a_first_start_finds_its_whole_budget(worker_of):
    """A first worker on an empty Redis is granted its whole budget at once."""
    assert worker_of("10/minute").take(10, NOW).calls == 10


def test_a_hold_outlives_the_loss(cache, worker_of):
    """A hold of a provider that Redis has lost is still kept by the worker that saw it."""
    worker = worker_of("10/minute")
    worker.settle(worker.take(1, NOW), 1, NOW, hold_until_ms=NOW + MINUTE_MS)
    worker.take(1, NOW + 5 * SECOND_MS)  # denied, but seen
    lose(cache)
    assert worker.take(1, NOW + 10 * SECOND_MS).reason is DenyReason.HELD
    assert worker.take(1, NOW + MINUTE_MS).calls == 1


def test_after_a_loss_the_next_routine_call_is_not_paced(cache, worker_of):
    """A loss, which takes the quotes too, brings the next call of a day's budget forward once."""
    worker = worker_of("25/day")
    assert worker.take(1, NOW).calls == 1
    lose(cache)
    assert worker.take(1, NOW + MINUTE_MS).calls == 1
    assert worker.take(1, NOW + 2 * MINUTE_MS).calls == 0
    assert worker.used(NOW + 2 * MINUTE_MS) == [2]


def test_a_crash_loop_does_not_empty_a_day(cache, worker_of):
    """However often Redis is lost, routine calls of a day stay within their nine tenths."""
    worker = worker_of("25/day")
    granted = 0
    for minute in range(60):
        lose(cache)
        granted += worker.take(1, NOW + minute * MINUTE_MS).calls
    assert granted == 22


def test_a_worker_that_saw_nothing_may_begin_a_new_ledger(cache, worker_of):
    """A worker that remembers calls adds them to the ledger that a new worker has begun."""
    old, new = worker_of("10/minute"), worker_of("10/minute")
    old.take(7, NOW)
    lose(cache)
    assert new.take(2, NOW + SECOND_MS).calls == 2
    assert old.take(10, NOW + 2 * SECOND_MS).calls == 1
    assert new.take(1, NOW + 3 * SECOND_MS).calls == 0


def test_what_two_remember_is_counted_once(cache, worker_of):
    """Calls that two workers remember are counted once after a loss."""
    first, second = worker_of("10/minute"), worker_of("10/minute")
    first.take(3, NOW)
    second.take(3, NOW)
    lose(cache)
    for worker in (second, first, second, first):
        assert worker.take(1, NOW + 10 * SECOND_MS).calls == 1
    assert first.take(1, NOW + 10 * SECOND_MS).calls == 0


def test_a_second_worker_adds_the_calls_that_the_first_did_not_see(cache, worker_of):
    """The second worker after a loss adds the calls that only the second one has seen."""
    first, second = worker_of("10/minute"), worker_of("10/minute")
    first.take(3, NOW)
    second.take(3, NOW + 5 * SECOND_MS)
    lose(cache)
    assert first.take(1, NOW + 10 * SECOND_MS).calls == 1
    assert second.take(9, NOW + 10 * SECOND_MS).calls == 3


def test_a_ledger_that_went_back_in_time_is_brought_forward(cache, worker_of):
    """Calls count although a failover or an old dump has lost only the latest of them."""
    worker = worker_of("10/minute")
    worker.take(2, NOW)
    dump = cache.command("DUMP", ledger_key(cache))
    worker.take(5, NOW + SECOND_MS)
    cache.command("RESTORE", ledger_key(cache), 0, dump, "REPLACE")
    assert worker.take(9, NOW + 2 * SECOND_MS).calls == 3


def test_unused_calls_are_given_back_after_a_loss_too(cache, worker_of):
    """A report from before a loss gives back exactly its unused calls."""
    worker = worker_of("10/minute")
    early = worker.take(8, NOW)
    lose(cache)
    worker.take(1, NOW + SECOND_MS)
    worker.settle(early, 2, NOW + SECOND_MS)
    assert worker.used(NOW + SECOND_MS) == [3]


def test_nothing_lost_costs_no_further_round_trip(cache, worker_of):
    """A plan takes one round trip, and only the first one after a loss takes more."""
    worker = worker_of("10/minute")
    costs = []
    for step in range(5):
        if step == 3:
            cache.command("DEL", ledger_key(cache))
        before = cache.round_trips
        worker.take(1, NOW + step)
        costs.append(cache.round_trips - before)
    assert costs[1:] == [
        1,
        1,
        4,
        1,
    ]  # 4: the first time, the script of the recall is sent as a whole


@pytest.mark.parametrize("limits", ["5/second,20/minute", "12/minute,40/day", "7/minute,30/hour"])
def test_no_window_is_exceeded_however_often_redis_is_lost(cache, worker_of, limits):
    """No order of takes, refunds, losses and restored dumps exceeds a rolling window."""
    chance = random.Random(limits)
    for _ in range(6):
        lose(cache)
        worker, now, made, open_grants, dump = worker_of(limits), NOW, [], [], None
        for _ in range(60):
            now += chance.choice([0, 300, 1000, 5000, 20_000])
            grant = worker.take(chance.randint(1, 6), now, use=chance.choice(list(Use)))
            used = chance.randint(0, grant.calls)
            made += [now] * used
            open_grants.append((grant, used))
            match chance.randrange(8):
                case 0:
                    lose(cache)
                case 1:
                    dump = cache.command("DUMP", ledger_key(cache))
                case 2 if dump:
                    cache.command("RESTORE", ledger_key(cache), 0, dump, "REPLACE")
                case 3 | 4 | 5:
                    early, early_used = open_grants.pop(chance.randrange(len(open_grants)))
                    if early.calls:
                        worker.settle(early, early_used, now)
        assert made
        for limit in parse_limits(limits):
            for first, last in zip(made, made[limit.calls :], strict=False):
                assert last - first >= limit.window_ms, (str(limit), first - NOW, last - NOW)
