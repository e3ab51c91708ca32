"""Slots: each is claimed once, and the claim returns the symbols that are due."""

from __future__ import annotations

import threading

import pytest

from marketdata.cache.client import Cache
from marketdata.cache.control import EXCLUSIONS_MOST, ControlState
from marketdata.domain.budget import Use
from marketdata.domain.permits import DueSymbol
from marketdata.domain.quotes import Source
from tests.support.caches import patient_cache

SLOT = 1_763_820_310
NOW = SLOT * 1000 + 7
MINUTE = 60_000


@pytest.fixture
def control(cache: Cache, control_of) -> ControlState:
    """Control state without limits: these tests make no calls."""
    return control_of(cache, {})


def symbols_of(opened) -> list[str]:
    """The due symbols of a claimed slot, in its order."""
    return [due.symbol for due in opened.due]


def test_a_slot_is_claimed_once(control):
    """The second claim of a slot gets nothing."""
    assert control.open_slot(SLOT, NOW, []) is not None
    assert control.open_slot(SLOT, NOW + 1000, []) is None


def test_an_earlier_slot_is_not_claimed(control):
    """A claim of an earlier slot than the latest one gets nothing."""
    control.open_slot(SLOT, NOW, [])
    assert control.open_slot(SLOT - 5, NOW, []) is None
    assert control.open_slot(SLOT + 5, NOW + 5000, []) is not None


@pytest.mark.parametrize("now", [SLOT * 1000, NOW])
@pytest.mark.parametrize(("ahead_s", "wins"), [(5, False), (10, True), (15, True)])
def test_a_deciding_clock_that_goes_back_does_not_stop_the_service(control, now, ahead_s, wins):
    """If the last claimed slot is more than one slot ahead, it does not block the next claim."""
    control.open_slot(SLOT + ahead_s, now + ahead_s * 1000, [])
    assert (control.open_slot(SLOT, now, []) is not None) is wins


def test_a_clock_that_goes_back_makes_every_symbol_due(control):
    """Due times written by a clock that was an hour ahead are ignored."""
    ahead = NOW + 60 * MINUTE
    control.open_slot(SLOT + 3600, ahead, ["AAPL"])
    control.record((), {"AAPL": ahead + 5000}, (), ahead)
    assert symbols_of(control.open_slot(SLOT, NOW, ["AAPL"])) == ["AAPL"]


def test_four_workers_claim_a_hundred_slots_once_each(shared_redis, control_of):
    """When four workers race for the same 100 slots, each slot has one winner."""
    won: list[int] = []
    start = threading.Barrier(4)

    def work(cache: Cache) -> None:
        control = control_of(cache, {})
        start.wait()
        for slot in range(SLOT, SLOT + 500, 5):
            if control.open_slot(slot, slot * 1000, []) is not None:
                won.append(slot)
            start.wait()
        cache.close()

    caches = [patient_cache(shared_redis) for _ in range(4)]
    workers = [threading.Thread(target=work, args=(cache,)) for cache in caches]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(won) == list(range(SLOT, SLOT + 500, 5))


def test_active_symbols_come_first_by_age_then_new_then_watched(control):
    """Due symbols are ordered: active ones by due time, then new ones, then watched ones."""
    control.watch(["NEW", "OLD", "AAPL"], NOW)
    control.record((), {"AAPL": NOW - 1, "MSFT": NOW - 9, "OLD": NOW - 99}, (), NOW)
    opened = control.open_slot(SLOT, NOW, ["AAPL", "MSFT", "GOOGL"])
    assert opened.due == (
        DueSymbol("GOOGL", Use.ACTIVE, 0),
        DueSymbol("MSFT", Use.ACTIVE, NOW - 9),
        DueSymbol("AAPL", Use.ACTIVE, NOW - 1),
        DueSymbol("NEW", Use.NEW, 0),
        DueSymbol("OLD", Use.WATCHED, NOW - 99),
    )


def test_a_symbol_is_not_due_before_its_time(control):
    """A symbol is due from the millisecond of its due time on."""
    control.watch(["ABC"], NOW)
    control.record((), {"AAPL": NOW + 5000, "ABC": NOW + 5001}, (), NOW)
    assert symbols_of(control.open_slot(SLOT, NOW + 4999, ["AAPL"])) == []
    assert symbols_of(control.open_slot(SLOT + 5, NOW + 5000, ["AAPL"])) == ["AAPL"]


def test_a_late_report_makes_nothing_due_again(control):
    """A due time only moves later, so a late report causes no extra call."""
    control.record((), {"AAPL": NOW + 60_000}, (), NOW)
    control.record((), {"AAPL": NOW + 5_000}, (), NOW)
    assert symbols_of(control.open_slot(SLOT, NOW + 30_000, ["AAPL"])) == []


def test_ten_thousand_active_symbols_take_one_round_trip(cache, control):
    """10,000 active symbols are claimed and returned in one round trip."""
    active = [f"SYM{n}" for n in range(10_000)]
    control.record((), {symbol: NOW - n for n, symbol in enumerate(active[:9_000])}, (), NOW)
    control.open_slot(SLOT - 5, NOW, active)
    before = cache.round_trips
    opened = control.open_slot(SLOT, NOW, active)
    assert cache.round_trips - before == 1
    assert symbols_of(opened)[:1000] == sorted(active[9_000:])
    assert symbols_of(opened)[1000:] == active[8_999::-1]


def test_a_symbol_that_the_plan_excludes_is_not_asked_for_during_a_day(control):
    """A symbol that a provider's plan excludes is listed in each slot for 24 hours."""
    pair = (Source.FINNHUB, "OCDO.L")
    control.record((), {}, [pair], NOW)
    day = 86_400
    assert control.open_slot(SLOT + day - 5, NOW + day * 1000 - 1, []).excluded == {pair}
    assert control.open_slot(SLOT + day, NOW + day * 1000, []).excluded == frozenset()


def test_the_memory_of_exclusions_is_bounded(control):
    """Of more exclusions than the maximum the oldest are dropped."""
    for first in range(0, EXCLUSIONS_MOST + 1000, 1000):
        pairs = [(Source.FINNHUB, f"S{n}") for n in range(first, first + 1000)]
        control.record((), {}, pairs, NOW + first)
    excluded = control.open_slot(SLOT, NOW + 10_000, []).excluded
    assert len(excluded) == EXCLUSIONS_MOST
    assert (Source.FINNHUB, "S0") not in excluded


def test_due_times_that_nobody_wants_are_forgotten_after_an_hour(cache, control):
    """Due times of symbols that are neither active nor watched are deleted after an hour."""
    due = cache.key("control", "due")
    control.record((), {"GONE": NOW, "AAPL": NOW, "ABC": NOW}, (), NOW)
    hour = SLOT + 3600
    control.open_slot(hour - 5, NOW + 60 * MINUTE - 1, ["AAPL"])
    assert cache.command("ZCARD", due) == 3
    control.watch(["ABC"], NOW + 60 * MINUTE)
    control.open_slot(hour, NOW + 60 * MINUTE, ["AAPL"])
    assert sorted(cache.command("ZRANGE", due, 0, -1)) == [b"AAPL", b"ABC"]


def test_due_times_are_bounded_whatever_is_asked_for(cache, control):
    """Thousands of symbols that were priced once leave a bounded number of due times."""
    control.watch(["ABC"], NOW)
    control.record((), {f"JUNK{n}": NOW + n for n in range(9_000)}, (), NOW)
    control.record((), {"AAPL": NOW, "ABC": NOW}, (), NOW)
    control.open_slot(SLOT, NOW, ["AAPL"])
    due = cache.key("control", "due")
    assert cache.command("ZCARD", due) <= 5_002
    assert None not in cache.command("ZMSCORE", due, "AAPL", "ABC")


def test_lost_state_rebuilds_from_nothing(shared_redis, control):
    """After Redis lost its data the next slot is claimed, and every active symbol is due."""
    control.record((), {"AAPL": NOW + 5000}, (), NOW)
    control.open_slot(SLOT, NOW, ["AAPL"])
    with shared_redis.client() as client:
        client.flushall()
    assert symbols_of(control.open_slot(SLOT + 5, NOW, ["AAPL"])) == ["AAPL"]
