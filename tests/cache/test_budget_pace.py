"""How a budget is shared: evenly over long windows, with reserves for new symbols and probes."""

from __future__ import annotations

from itertools import pairwise

import pytest

from marketdata.cache.client import Cache
from marketdata.domain.budget import Use
from marketdata.domain.outcomes import DenyReason
from tests.support.control_support import LEDGER_SOURCE as SOURCE
from tests.support.control_support import Ledger

NOW = 1_763_820_000_000
SECOND, MINUTE, HOUR, DAY = 1_000, 60_000, 3_600_000, 86_400_000


@pytest.fixture
def ledger_of(cache: Cache, control_of):
    """A ledger with limits in the settings' notation."""
    return lambda limits: Ledger(control_of(cache, {SOURCE: limits}))


def test_a_day_is_spent_evenly(ledger_of):
    """Of 25 calls a day 22 are routine calls, one each 65 minutes."""
    ledger = ledger_of("25/day,1/second")
    times = _routine_times(ledger, DAY)
    gaps = [after - before for before, after in pairwise(times)]
    interval = DAY / 22
    assert len(times) == 22
    assert min(gaps) > interval - 10 * SECOND
    assert times[-1] - times[0] == pytest.approx(21 * interval, abs=10 * SECOND)


def test_nothing_accumulates_while_nobody_asks(ledger_of):
    """After hours without a call one call is granted, not several."""
    ledger = ledger_of("25/day")
    assert ledger.take(1, NOW).calls == 1
    assert ledger.take(5, NOW + 8 * HOUR).calls == 1
    denied = ledger.take(1, NOW + 8 * HOUR + MINUTE)
    assert denied.reason is DenyReason.PACED
    assert ledger.take(1, denied.available_at_ms - 1).calls == 0
    assert ledger.take(1, denied.available_at_ms).calls == 1


def test_a_call_that_never_reached_the_provider_delays_no_other(ledger_of):
    """A call that was never sent counts in the ledger, but does not delay the next call."""
    ledger = ledger_of("30/minute,10000/month")
    for tick in range(5):
        grant = ledger.take(1, NOW + tick * 5000)
        assert grant.calls == 1
        ledger.settle(grant, 1, NOW + tick * 5000 + 100, calls_unsent=1)
    assert ledger.used(NOW + 25_000) == [5, 5]
    assert ledger.take(1, NOW + 25_000).calls == 1
    assert ledger.take(1, NOW + 30_000).reason is DenyReason.PACED


def test_rounding_to_ticks_does_not_slow_the_pace(ledger_of):
    """Calls of a month that are asked for each 5 s are granted at their average pace."""
    ledger = ledger_of("10000/month")
    interval = 31 * DAY / 9000
    assert len(_routine_times(ledger, 6 * HOUR)) == pytest.approx(6 * HOUR / interval, abs=1.1)


def test_a_paid_plan_is_not_slowed(ledger_of):
    """If several calls fit into a tick of 5 s, each tick gets them."""
    ledger = ledger_of("100000/day")
    granted = [ledger.take(100, NOW + tick * 5000).calls for tick in range(720)]
    assert sum(granted) == pytest.approx(90_000 / 24, rel=0.01)
    assert max(granted[1:]) <= 6


def test_unused_routine_calls_give_their_place_in_the_pace_back(ledger_of):
    """A routine call that was not made does not delay the next one."""
    ledger = ledger_of("25/day")
    ledger.settle(ledger.take(1, NOW), 0, NOW + 1000)
    assert ledger.take(1, NOW + 5000).calls == 1
    assert ledger.take(1, NOW + 10_000).calls == 0


def test_a_refund_of_lost_calls_does_not_quicken_the_pace(cache, ledger_of):
    """A refund of a reservation that Redis has lost does not bring the next call forward."""
    lost = ledger_of("25/day").take(1, NOW)
    cache.command("FLUSHALL")
    ledger = ledger_of("25/day")  # another worker's, who has not seen the lost call
    ledger.take(1, NOW + 30 * MINUTE)
    ledger.settle(lost, 0, NOW + 30 * MINUTE)
    assert ledger.take(1, NOW + 31 * MINUTE).calls == 0


def test_a_tenth_of_a_day_is_kept_for_probes_and_new_symbols(ledger_of):
    """Routine calls stop at 90 % of a day; probes, new symbols and lists get the rest at once."""
    ledger = ledger_of("30/day")
    routine = sum(ledger.take(1, at).calls for at in range(NOW, NOW + 23 * HOUR, MINUTE))
    assert routine == 26
    rest = [Use.NEW, Use.PROBE, Use.ASSETS]
    late = NOW + 23 * HOUR
    assert [ledger.take(1, late, use=use).calls for use in rest] == [1, 1, 1]
    assert ledger.take(9, late, use=Use.ASSETS).calls == 1
    assert ledger.take(1, late, use=Use.PROBE).reason is DenyReason.BUDGET_EXHAUSTED


def test_first_prices_get_half_of_the_reserve_and_nothing_of_the_rest(ledger_of):
    """New symbols get half of a day's reserve and take no call from probes and routine calls."""
    ledger = ledger_of("100/day")
    assert ledger.take(100, NOW, use=Use.NEW).calls == 5
    denied = ledger.take(1, NOW + 12 * HOUR, use=Use.NEW)
    assert denied.reason is DenyReason.BUDGET_EXHAUSTED
    assert ledger.take(1, NOW + 12 * HOUR, use=Use.PROBE).calls == 1
    assert ledger.take(1, NOW + 12 * HOUR).calls == 1
    assert ledger.take(1, denied.available_at_ms - 1, use=Use.NEW).calls == 0
    assert ledger.take(9, denied.available_at_ms, use=Use.NEW).calls == 5


def test_routine_calls_stop_at_nine_tenths_of_a_day(cache, ledger_of):
    """Routine calls of a day have a fixed maximum besides their pace."""
    ledger = ledger_of("100000/day")
    ledger.take(1, NOW)
    key = cache.key("control", "budget", "finnhub")
    (field,) = (name for name in cache.command("HKEYS", key) if name.endswith(b":r"))
    cache.command("HSET", key, field, 89_998)
    assert ledger.take(5, NOW).calls == 2
    assert ledger.take(5, NOW).reason is DenyReason.BUDGET_EXHAUSTED
    assert ledger.take(5, NOW, use=Use.NEW).calls == 5


def test_reserve_uses_do_not_slow_the_routine(ledger_of):
    """Calls for new symbols do not delay routine calls."""
    ledger = ledger_of("25/day")
    ledger.take(3, NOW, use=Use.NEW)
    assert ledger.take(1, NOW).calls == 1


@pytest.mark.parametrize("use", [Use.WATCHED, Use.NEW])
def test_half_of_a_short_window_is_left_to_active_symbols(ledger_of, use):
    """Symbols that clients ask for get half of a minute at most, and active ones the rest."""
    ledger = ledger_of("61/minute")
    assert ledger.take(100, NOW, use=use).calls == 31
    assert ledger.take(1, NOW, use=use).calls == 0
    assert ledger.take(100, NOW, use=Use.ACTIVE).calls == 30


def test_unlisted_symbols_have_a_share_of_a_short_window_and_leave_it_to_others(ledger_of):
    """Unlisted symbols get a tenth of the clients' half, and only calls that others leave."""
    ledger = ledger_of("100/minute")
    assert ledger.take(100, NOW, use=Use.UNLISTED).calls == 5
    assert ledger.take(1, NOW, use=Use.UNLISTED).calls == 0
    later = NOW + 2 * MINUTE
    assert ledger.take(45, later, use=Use.WATCHED).calls == 45
    assert ledger.take(1, later, use=Use.UNLISTED).calls == 0
    assert ledger.take(100, later, use=Use.WATCHED).calls == 5


def test_a_limit_of_one_serves_every_use(ledger_of):
    """A limit of one call grants that call to each use."""
    for place, use in enumerate(Use):
        ledger = ledger_of("1/second,1/day")
        assert ledger.take(1, NOW + place * 3 * DAY, use=use).calls == 1


def _routine_times(ledger: Ledger, span_ms: int) -> list[int]:
    """Return when routine calls are granted to a worker that asks in each possible tick."""
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
