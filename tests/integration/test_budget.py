"""The budget ledger, told as stories: what is granted, refused, given back, held and paced."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from itertools import pairwise

import pytest

from marketdata.budget import Use
from marketdata.cache.client import Cache, connect
from marketdata.cache.control import ControlState
from marketdata.cache.decisions import AttemptResult, Grant, Refusal, Want
from marketdata.outcomes import BreakerEffect
from marketdata.quotes import Source
from marketdata.settings import Settings
from marketdata.symbols import AssetClass

NOW = 1_763_820_000_000
SECOND, MINUTE, HOUR, DAY = 1_000, 60_000, 3_600_000, 86_400_000
SOURCE = Source.FINNHUB


@dataclass
class Ledger:
    """One provider's ledger under test."""

    control: ControlState
    asked: int = 0

    def take(
        self, calls: int, now_ms: int, *, use: Use = Use.ACTIVE, least: int = 1, run_ms: int = 0
    ) -> Grant:
        """Ask for calls that happen within `run_ms`."""
        self.asked += 1
        want = Want(SOURCE, AssetClass.STOCKS, calls, use, now_ms + run_ms, least=least)
        (grant,) = self.control.take([want], now_ms, f"t{self.asked}")
        return grant

    def settle(
        self, grant: Grant, used: int, now_ms: int, *, hold_until_ms: int | None = None
    ) -> None:
        """Report how many calls of a grant were made."""
        result = AttemptResult(
            source=grant.source,
            asset_class=grant.asset_class,
            generation=grant.generation,
            probe=grant.probe,
            calls_granted=grant.calls,
            end_ms=grant.end_ms,
            use=grant.use,
            calls_used=used,
            effect=BreakerEffect.NEUTRAL,
            outcome="ok",
            hold_until_ms=hold_until_ms,
        )
        self.control.record([result], {}, (), now_ms)

    def seen(self, now_ms: int):
        """The provider as readers see it."""
        return self.control.read_providers(now_ms).providers[SOURCE]

    def used(self, now_ms: int) -> list[int]:
        """Calls counted per limit."""
        return [limit.used for limit in self.seen(now_ms).limits]


@pytest.fixture
def ledger_of(cache: Cache, control_of):
    """A ledger with limits in the settings' notation."""
    return lambda limits: Ledger(control_of(cache, {SOURCE: limits}))


def test_a_grant_is_what_fits_all_windows(ledger_of):
    """Calls are granted up to the room of the fullest window, and counted in each."""
    ledger = ledger_of("20/minute,8/second")
    assert ledger.take(15, NOW).calls == 8
    assert ledger.used(NOW) == [8, 8]
    assert ledger.take(1, NOW).reason is Refusal.BUDGET_EXHAUSTED
    assert [ledger.take(15, NOW + n * 1100).calls for n in (1, 2, 3)] == [8, 4, 0]


def test_fewer_than_the_least_are_not_granted(ledger_of):
    """A want that needs more than there is room for gets nothing, and nothing is counted."""
    ledger = ledger_of("10/minute")
    ledger.take(8, NOW)
    refused = ledger.take(5, NOW, least=3)
    assert (refused.calls, refused.reason) == (0, Refusal.BUDGET_EXHAUSTED)
    assert ledger.used(NOW) == [8]
    assert ledger.take(11, NOW + HOUR, least=11).available_at_ms is None


def test_calls_count_until_the_end_of_their_reservation_is_a_window_old(ledger_of):
    """A call may happen as late as its reservation ends, so it counts a window longer than that."""
    ledger = ledger_of("10/minute")
    ledger.take(10, NOW, run_ms=4000)
    refused = ledger.take(1, NOW + MINUTE + 3999)
    assert refused.calls == 0
    latest = NOW + MINUTE + 4000 + 2000 + MINUTE // 100
    assert NOW + MINUTE + 4000 < refused.available_at_ms <= latest
    assert ledger.take(1, refused.available_at_ms - 1).calls == 0
    assert ledger.take(10, refused.available_at_ms).calls == 10


def test_unused_calls_are_given_back_exactly(ledger_of):
    """A refund frees what was not used, in the bucket it was reserved in, and never more."""
    ledger = ledger_of("10/minute,100/hour")
    first, second = ledger.take(6, NOW, run_ms=4000), ledger.take(4, NOW + 3000, run_ms=4000)
    ledger.settle(first, 1, NOW + 500)
    assert ledger.used(NOW + 500) == [5, 5]
    ledger.settle(second, 0, NOW + 3500)
    assert ledger.used(NOW + 3500) == [1, 1]
    assert ledger.take(20, NOW + 3500).calls == 9


def test_a_refund_that_comes_late_touches_no_later_calls(ledger_of):
    """When the bucket of a reservation has left the window, there is nothing to give back."""
    ledger = ledger_of("10/minute,100/hour")
    old = ledger.take(6, NOW)
    ledger.take(9, NOW + 2 * MINUTE)
    ledger.settle(old, 0, NOW + 2 * MINUTE)
    assert ledger.used(NOW + 2 * MINUTE) == [9, 9]


def test_more_used_than_granted_gives_nothing_back(ledger_of):
    """A report of more calls than were granted does not turn into room."""
    ledger = ledger_of("10/minute")
    ledger.settle(ledger.take(6, NOW), 8, NOW)
    assert ledger.used(NOW) == [6]


def test_a_hold_stops_every_use_until_its_end(ledger_of):
    """After a 429 nobody asks before its Retry-After has passed, whatever the budget."""
    ledger = ledger_of("60/minute")
    grant = ledger.take(1, NOW)
    ledger.settle(grant, 1, NOW + 100, hold_until_ms=NOW + 30_000)
    for use in Use:
        refused = ledger.take(1, NOW + 29_999, use=use)
        assert (refused.reason, refused.available_at_ms) == (Refusal.HELD, NOW + 30_000)
    assert ledger.seen(NOW + 100).hold_until_ms == NOW + 30_000
    assert ledger.take(1, NOW + 30_000).calls == 1


def test_a_hold_is_only_ever_extended(ledger_of):
    """A later report with an earlier end does not shorten a hold."""
    ledger = ledger_of("60/minute")
    for end in (30_000, 10_000):
        ledger.settle(ledger.take(1, NOW), 1, NOW, hold_until_ms=NOW + end)
    assert ledger.take(1, NOW + 29_999).reason is Refusal.HELD


def test_a_day_is_spent_evenly(ledger_of):
    """25 calls a day are one call each 65 minutes, never two at once, and 22 in a day."""
    ledger = ledger_of("25/day,1/second")
    times = _routine_times(ledger, DAY)
    gaps = [after - before for before, after in pairwise(times)]
    interval = DAY / 22
    assert len(times) == 22
    assert min(gaps) > interval - 10 * SECOND
    assert times[-1] - times[0] == pytest.approx(21 * interval, abs=10 * SECOND)


def test_nothing_accumulates_while_nobody_asks(ledger_of):
    """After hours without a call there is one call at once, not a burst."""
    ledger = ledger_of("25/day")
    assert ledger.take(1, NOW).calls == 1
    assert ledger.take(5, NOW + 8 * HOUR).calls == 1
    refused = ledger.take(1, NOW + 8 * HOUR + MINUTE)
    assert refused.reason is Refusal.BUDGET_EXHAUSTED
    assert ledger.take(1, refused.available_at_ms - 1).calls == 0
    assert ledger.take(1, refused.available_at_ms).calls == 1


def test_rounding_to_ticks_does_not_slow_the_pace(ledger_of):
    """A month's calls asked for in ticks of 5 s come at their average pace, not a tick later."""
    ledger = ledger_of("10000/month")
    interval = 31 * DAY / 9000
    assert len(_routine_times(ledger, 6 * HOUR)) == pytest.approx(6 * HOUR / interval, abs=1.1)


def test_a_paid_plan_is_not_slowed(ledger_of):
    """Where the even pace is faster than a tick, each tick gets the calls of its 5 s."""
    ledger = ledger_of("100000/day")
    granted = [ledger.take(100, NOW + tick * 5000).calls for tick in range(720)]
    assert sum(granted) == pytest.approx(90_000 / 24, rel=0.01)
    assert max(granted[1:]) <= 6


def test_unused_routine_calls_give_their_place_in_the_pace_back(ledger_of):
    """A routine call that was not made lets the next one come as early as it would have."""
    ledger = ledger_of("25/day")
    ledger.settle(ledger.take(1, NOW), 0, NOW + 1000)
    assert ledger.take(1, NOW + 5000).calls == 1
    assert ledger.take(1, NOW + 10_000).calls == 0


def test_a_tenth_of_a_day_is_kept_for_probes_and_new_symbols(ledger_of):
    """Routine calls stop at 90 %, and probes, new symbols and lists are still served, unpaced."""
    ledger = ledger_of("30/day")
    routine = sum(ledger.take(1, at).calls for at in range(NOW, NOW + 23 * HOUR, MINUTE))
    assert routine == 26
    rest = [Use.NEW, Use.PROBE, Use.ASSETS]
    late = NOW + 23 * HOUR
    assert [ledger.take(1, late, use=use).calls for use in rest] == [1, 1, 1]
    assert ledger.take(9, late, use=Use.NEW).calls == 1
    assert ledger.take(1, late, use=Use.PROBE).reason is Refusal.BUDGET_EXHAUSTED


def test_routine_calls_stop_at_nine_tenths_of_a_day(cache, ledger_of):
    """The share of routine uses is a cap of its own, not only a pace."""
    ledger = ledger_of("100000/day")
    ledger.take(1, NOW)
    key = cache.key("control", "budget", "finnhub")
    (field,) = (name for name in cache.command("HKEYS", key) if name.endswith(b":r"))
    cache.command("HSET", key, field, 89_998)
    assert ledger.take(5, NOW).calls == 2
    assert ledger.take(5, NOW).reason is Refusal.BUDGET_EXHAUSTED
    assert ledger.take(5, NOW, use=Use.NEW).calls == 5


def test_reserve_uses_do_not_slow_the_routine(ledger_of):
    """A new symbol's call is counted but does not move the pace of routine calls."""
    ledger = ledger_of("25/day")
    ledger.take(3, NOW, use=Use.NEW)
    assert ledger.take(1, NOW).calls == 1


@pytest.mark.parametrize("use", [Use.WATCHED, Use.NEW])
def test_half_of_a_short_window_is_left_to_active_symbols(ledger_of, use):
    """What clients ask for takes at most half of a minute, so it cannot starve ACTIVE_SYMBOLS."""
    ledger = ledger_of("61/minute")
    assert ledger.take(100, NOW, use=use).calls == 31
    assert ledger.take(1, NOW, use=use).calls == 0
    assert ledger.take(100, NOW, use=Use.ACTIVE).calls == 30


def test_a_limit_of_one_serves_every_use(ledger_of):
    """Shares are rounded so that the smallest limit is not none at all."""
    for place, use in enumerate(Use):
        ledger = ledger_of("1/second,1/day")
        assert ledger.take(1, NOW + place * 3 * DAY, use=use).calls == 1


def test_eight_workers_share_one_limit_exactly(shared_redis, control_of):
    """Eight workers that take at once are granted the limit in all, no call more or less."""
    granted: list[int] = []
    start = threading.Barrier(8)

    def work() -> None:
        cache = connect(Settings.from_env(shared_redis.env()))
        ledger = Ledger(control_of(cache, {SOURCE: "333/minute"}))
        start.wait()
        granted.extend(ledger.take(3, NOW + n * 10).calls for n in range(60))
        cache.close()

    workers = [threading.Thread(target=work) for _ in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sum(granted) == 333


def test_a_change_of_limits_forgets_nothing(cache, control_of):
    """Counts are kept by window length, so a limit that is lowered or reordered still holds."""
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
def test_an_unreadable_ledger_grants_nothing(cache, ledger_of, spoil):
    """When it cannot be known what was spent, no call is made, and readers see that."""
    ledger = ledger_of("60/minute")
    cache.command(spoil[0], cache.key("control", "budget", "finnhub"), *spoil[1:])
    refused = ledger.take(1, NOW)
    assert (refused.calls, refused.reason) == (0, Refusal.BUDGET_EXHAUSTED)
    assert refused.available_at_ms is None
    assert ledger.seen(NOW).routine_at_ms is None


def test_a_ledger_stays_small_and_has_no_ttl(cache, ledger_of):
    """Hours of calls leave no more than the windows' buckets, and nothing that could be evicted."""
    ledger = ledger_of("300/minute,10000/hour,30/second")
    key = cache.key("control", "budget", "finnhub")
    sizes = []
    for second in range(0, 3 * 3600, 13):
        ledger.take(2, NOW + second * 1000, run_ms=3500)
        sizes.append(cache.command("HLEN", key))
    assert max(sizes) < 3 * 130
    assert cache.command("TTL", key) == -1


def test_readers_see_use_reset_and_the_next_routine_call(ledger_of):
    """Per limit what is used and when the oldest call leaves; and when a routine call fits."""
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


def _routine_times(ledger: Ledger, span_ms: int) -> list[int]:
    """When routine calls are granted to one who asks in the first tick that may succeed."""
    times, at = [], NOW
    while at < NOW + span_ms:
        grant = ledger.take(1, at)
        if grant.calls:
            times.append(at)
            at += 5 * SECOND
        else:
            ticks = -(-(grant.available_at_ms - NOW) // (5 * SECOND))
            at = NOW + ticks * 5 * SECOND
    return times
