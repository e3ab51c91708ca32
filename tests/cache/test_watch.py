"""Watched symbols: a bounded number of symbols that clients asked for lately."""

from __future__ import annotations

import pytest

from marketdata.cache.asset_store import AssetStore
from marketdata.cache.client import Cache
from marketdata.cache.control import ControlState
from marketdata.cache.listed_symbols import KEPT, KEPT_S, KEPT_WITHOUT_LIST_S, ListedSymbols
from marketdata.domain.budget import Use
from marketdata.domain.permits import DueSymbol
from marketdata.domain.watch_rules import LEAST_UNLISTED, UNLISTED_MOST, WATCHED_MOST
from tests.support.sample_lists import FOREX, coins, listed

SLOT = 1_763_820_310
NOW = SLOT * 1000
MINUTE = 60_000


@pytest.fixture
def control(cache: Cache, control_of) -> ControlState:
    """Control state without limits: these tests make no calls."""
    return control_of(cache, {})


def test_a_symbol_is_watched_for_fifteen_minutes_after_its_last_request(control):
    """A symbol is due until 15 minutes after its latest request, to the millisecond."""
    control.watch(["ABC"], NOW)
    control.watch(["ABC"], NOW + MINUTE)
    control.watch(["ABC"], NOW)  # a request that is noted late does not shorten the time
    end = NOW + 16 * MINUTE
    assert control.open_slot(SLOT, end - 1, []).due == (DueSymbol("ABC", Use.NEW, 0),)
    assert control.open_slot(SLOT + 5, end, []).due == ()


def test_a_watched_symbol_is_new_until_it_was_priced(control):
    """A watched symbol is new until its next due time is set."""
    control.watch(["ABC"], NOW)
    control.record((), {"ABC": NOW + 5000}, (), NOW)
    opened = control.open_slot(SLOT, NOW + 5000, [])
    assert opened.due == (DueSymbol("ABC", Use.WATCHED, NOW + 5000),)


def test_the_least_recently_requested_are_dropped(control):
    """Of more watched symbols than the limit the latest requested ones are kept."""
    for n in range(WATCHED_MOST + 100):
        control.watch([f"S{n}"], NOW + n)
    due = {due.symbol for due in control.open_slot(SLOT, NOW + MINUTE, []).due}
    assert due == {f"S{n}" for n in range(100, WATCHED_MOST + 100)}


def test_junk_cannot_push_out_active_symbols_or_grow_redis(cache, control):
    """After requests for 10,000 symbols the active ones are due first, and 500 are watched."""
    active = ["AAPL", "BTC-USD"]
    for first in range(0, 10_000, 100):
        control.watch([f"JUNK{n}" for n in range(first, first + 100)], NOW + first)
    opened = control.open_slot(SLOT, NOW + 10_000, active)
    assert [due.symbol for due in opened.due[:2]] == active
    assert len(opened.due) == WATCHED_MOST + 2
    assert cache.command("ZCARD", cache.key("control", "watched")) == WATCHED_MOST


def test_noting_joins_another_round_trip(cache, control):
    """A reader notes symbols in a round trip that it makes anyway."""
    control.watch(["A", "ABC", "DEF"], NOW)
    before = cache.round_trips
    cache.many([("GET", cache.key("quotes", "x")), control.watch_command(["ABC", "DEF"], NOW)])
    assert cache.round_trips - before == 1
    assert len(control.open_slot(SLOT, NOW, []).due) == 3


def names_of(control: ControlState, slot: int) -> list[str]:
    """The symbols that are due in a slot."""
    opened = control.open_slot(slot, slot * 1000, [])
    assert opened is not None
    return [due.symbol for due in opened.due]


@pytest.fixture
def lists(cache: Cache) -> None:
    """A list of stocks, one of coins and one of currencies."""
    store = AssetStore(cache, sleep=lambda _s: None)
    store.swap(listed("v1", [(f"S{number}", "A share") for number in range(600)]))
    store.swap(coins("v1", BTC={"coingecko": "bitcoin"}))
    store.swap(listed("v1", [("EUR/USD", "Euro"), ("USD/SEK", "Krona")], FOREX))


@pytest.mark.usefixtures("lists")
def test_many_unlisted_symbols_delay_no_listed_one(cache, control):
    """After requests for 20,000 unlisted symbols a listed one is due in the next slot."""
    control.watch(["S1", "BTC-EUR", "EUR/SEK"], NOW)
    for first in range(0, 20_000, 100):
        control.watch([f"JUNK{n}" for n in range(first, first + 100)], NOW + first)
    control.watch(["S2"], NOW + 20_000)
    due = names_of(control, SLOT + 20)
    assert {"S1", "S2", "BTC-EUR", "EUR/SEK"} <= set(due)
    assert len(due) == 4 + LEAST_UNLISTED
    assert set(due[4:]) <= {f"JUNK{n}" for n in range(100)}
    assert cache.command("ZCARD", cache.key("control", "watched")) == UNLISTED_MOST + 4
    assert cache.command("ZCARD", cache.key("control", "unlisted")) == UNLISTED_MOST


@pytest.mark.usefixtures("lists")
def test_unlisted_symbols_take_a_tenth_of_a_slots_new_ones(control):
    """Of many new symbols one in ten is unlisted, the first requested first."""
    control.watch([f"S{n}" for n in range(270)], NOW)
    for n in range(40):
        control.watch([f"ODD{n}"], NOW + n)
    due = names_of(control, SLOT)
    assert set(due[270:]) == {f"ODD{n}" for n in range(30)}


@pytest.mark.usefixtures("lists")
def test_an_unlisted_symbol_that_nobody_knows_makes_room(cache, control):
    """A symbol that no provider found is no longer watched, and another one takes its place."""
    for n in range(UNLISTED_MOST):
        control.watch([f"ODD{n:02d}"], NOW + n)
    control.watch(["LATE"], NOW + 1000)
    assert "LATE" not in names_of(control, SLOT)
    control.record((), {f"ODD{n:02d}": NOW + 900_000 for n in range(10)}, (), NOW)
    names_of(control, SLOT + 5)
    control.watch(["LATE", "ODD00"], NOW + 6000)
    watched = cache.command("ZRANGE", cache.key("control", "watched"), 0, -1)
    assert b"LATE" in watched
    assert b"ODD00" not in watched


@pytest.mark.usefixtures("lists")
@pytest.mark.parametrize(("due_ms", "stays"), [(4000, True), (600_000, True), (600_001, False)])
def test_an_unlisted_symbol_with_a_price_stays_watched(cache, control, due_ms, stays):
    """Only one that is due in more than ten minutes was looked for and not found."""
    control.watch(["ODD"], NOW)
    assert names_of(control, SLOT) == ["ODD"]
    control.record((), {"ODD": NOW + 5000 + due_ms}, (), NOW)
    names_of(control, SLOT + 5)
    watched = cache.command("ZRANGE", cache.key("control", "watched"), 0, -1)
    assert (watched == [b"ODD"]) is stays


@pytest.mark.parametrize("damaged", ["A" * 101, "A B", "A\nB", ""])
def test_what_is_no_symbol_is_watched_no_longer(cache, control, damaged):
    """A text that is too long or has other characters than symbols have is removed."""
    control.watch(["TSLA"], NOW)
    key = cache.key("control", "watched")
    cache.command("ZADD", key, NOW, damaged)
    assert names_of(control, SLOT) == ["TSLA"]
    assert cache.command("ZRANGE", key, 0, -1) == [b"TSLA"]


def test_without_a_list_every_symbol_counts_as_listed(control):
    """Before the first list every symbol counts as listed."""
    control.watch([f"ANY{n}" for n in range(100)], NOW)
    assert len(names_of(control, SLOT)) == 100


def test_a_first_list_counts_soon(cache):
    """An answer given without a list is kept for seconds only."""
    now = [0.0]
    symbols = ListedSymbols(cache, lambda: now[0])
    assert symbols.of(["NEW", "LATER"]) == {"NEW", "LATER"}
    AssetStore(cache, sleep=lambda _s: None).swap(listed("v1", [("NEW", "A share")]))
    now[0] += KEPT_WITHOUT_LIST_S + 1
    assert symbols.of(["NEW", "LATER"]) == {"NEW"}


def test_what_is_known_of_lists_is_bounded_and_forgotten(cache):
    """A process keeps a bounded number of answers about listed symbols, for minutes."""
    AssetStore(cache, sleep=lambda _s: None).swap(listed("v1", [("NEW", "A share")]))
    now = [0.0]
    symbols = ListedSymbols(cache, lambda: now[0])
    for first in range(0, 20_000, 1000):
        symbols.of([f"J{n}" for n in range(first, first + 1000)])
        assert len(symbols._known) <= KEPT + 1000
    assert symbols.of(["NEW", "LATER"]) == {"NEW"}
    AssetStore(cache, sleep=lambda _s: None).swap(listed("v2", [("LATER", "A share")], minutes=1))
    assert symbols.of(["LATER"]) == set()
    now[0] += KEPT_S + 1
    assert symbols.of(["NEW", "LATER"]) == {"LATER"}
