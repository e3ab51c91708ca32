"""Watched symbols: those that clients asked for lately, bounded, beside the active ones."""

from __future__ import annotations

import pytest

from marketdata.cache.client import Cache
from marketdata.cache.control import WATCHED_MOST, ControlState
from marketdata.domain.budget import Use
from marketdata.domain.permits import DueSymbol

SLOT = 1_763_820_310
NOW = SLOT * 1000
MINUTE = 60_000


@pytest.fixture
def control(cache: Cache, control_of) -> ControlState:
    """Control state without limits: these tests make no calls."""
    return control_of(cache, {})


def test_a_symbol_is_watched_for_fifteen_minutes_after_its_last_request(control):
    """It is due until 15 minutes after the latest request, to the millisecond."""
    control.watch(["ABC"], NOW)
    control.watch(["ABC"], NOW + MINUTE)
    control.watch(["ABC"], NOW)  # a request noted late moves nothing back
    end = NOW + 16 * MINUTE
    assert control.open_slot(SLOT, end - 1, []).due == (DueSymbol("ABC", Use.NEW, 0),)
    assert control.open_slot(SLOT + 5, end, []).due == ()


def test_a_watched_symbol_is_new_until_it_was_priced(control):
    """Once its next due time is set it counts as watched."""
    control.watch(["ABC"], NOW)
    control.record((), {"ABC": NOW + 5000}, (), NOW)
    opened = control.open_slot(SLOT, NOW + 5000, [])
    assert opened.due == (DueSymbol("ABC", Use.WATCHED, NOW + 5000),)


def test_the_least_recently_requested_are_dropped(control):
    """Of more watched symbols than the limit the latest are kept."""
    for n in range(WATCHED_MOST + 100):
        control.watch([f"S{n}"], NOW + n)
    due = {due.symbol for due in control.open_slot(SLOT, NOW + MINUTE, []).due}
    assert due == {f"S{n}" for n in range(100, WATCHED_MOST + 100)}


def test_junk_cannot_push_out_active_symbols_or_grow_redis(cache, control):
    """10,000 requested symbols leave the active ones due and first, and 500 watched."""
    active = ["AAPL", "BTC-USD"]
    for first in range(0, 10_000, 100):
        control.watch([f"JUNK{n}" for n in range(first, first + 100)], NOW + first)
    opened = control.open_slot(SLOT, NOW + 10_000, active)
    assert [due.symbol for due in opened.due[:2]] == active
    assert len(opened.due) == WATCHED_MOST + 2
    assert cache.command("ZCARD", cache.key("control", "watched")) == WATCHED_MOST


def test_noting_joins_another_round_trip(cache, control):
    """A reader notes watched symbols in the round trip that it makes anyway."""
    control.watch(["A"], NOW)
    before = cache.round_trips
    cache.many([("GET", cache.key("quotes", "x")), control.watch_command(["ABC", "DEF"], NOW)])
    assert cache.round_trips - before == 1
    assert len(control.open_slot(SLOT, NOW, []).due) == 3
