"""The script of the simulated day: which faults it plans, and when."""

from __future__ import annotations

from collections import Counter

import pytest

from local.day.script import CLOSES_MS, MIDNIGHT_MS, OPENS_MS, write_script
from local.day.watchlist import CLASS_OF, SYMBOLS
from local.simulator import MOVES
from local.simulator.faults import CHOICES
from local.simulator.trading_hours import Hours, TradingHours
from marketdata.clock import HOUR_MS, MINUTE_MS
from marketdata.domain.quotes import Source
from marketdata.domain.symbols import AssetClass

SEEDS = range(25)
RUNS = [(seed, hours) for seed in SEEDS for hours in (2, 7, 12, 24)]


def test_a_script_is_a_pure_function_of_seed_and_length():
    """The same seed and length give the same script, another seed another one."""
    assert write_script(3) == write_script(3)
    assert write_script(3) != write_script(4)


def test_the_day_begins_before_and_ends_after_a_session_of_new_york():
    """The script's opening and close are those of the market's own sessions."""
    sessions = TradingHours(always_open=False)
    script = write_script(1)
    assert (script.start_ms, script.end_ms) == (MIDNIGHT_MS, MIDNIGHT_MS + 24 * HOUR_MS)
    session = sessions.at(Hours.US, OPENS_MS)
    assert (session.open_ms, session.close_ms) == (OPENS_MS, CLOSES_MS)
    assert script.start_ms < OPENS_MS < CLOSES_MS < script.end_ms


def test_a_shorter_run_spans_the_opening():
    """A quarter of a shorter run lies before New York opens."""
    script = write_script(1, 2)
    assert (script.start_ms, script.end_ms) == (
        OPENS_MS - 30 * MINUTE_MS,
        OPENS_MS + 90 * MINUTE_MS,
    )


@pytest.mark.parametrize(("seed", "hours"), RUNS)
def test_no_two_bad_ticks_agree(seed, hours):
    """No two planted prices of one class agree, and no symbol with one jumps."""
    planned = write_script(seed, hours).planned
    ticks = [p for p in planned if p.kind == "bad_tick"]
    sizes = Counter((CLASS_OF[p.symbol], p.options["factor"]) for p in ticks)
    assert max(sizes.values()) == 1
    assert not {p.symbol for p in ticks} & {p.symbol for p in planned if p.kind in MOVES}
    assert {CLASS_OF[p.symbol] for p in ticks} == set(AssetClass)


@pytest.mark.parametrize(("seed", "hours"), RUNS)
def test_bad_ticks_do_not_overlap_other_faults_of_their_provider(seed, hours):
    """A provider's bad tick comes before each of its faults, or 5 minutes after its end."""
    planned = write_script(seed, hours).planned
    faults = [p for p in planned if p.kind not in {"bad_tick", "odd_row", "nan", *MOVES}]
    for tick in (p for p in planned if p.kind == "bad_tick"):
        for fault in (f for f in faults if f.source is tick.source):
            assert tick.from_ms > fault.until_ms + 5 * MINUTE_MS or tick.until_ms < fault.from_ms


@pytest.mark.parametrize(("seed", "hours"), RUNS)
def test_everything_happens_within_the_run(seed, hours):
    """All faults begin and end within the run, with enough time for a jump to be accepted."""
    script = write_script(seed, hours)
    for planned in script.planned:
        assert script.start_ms < planned.from_ms <= planned.until_ms < script.end_ms
        if planned.kind in MOVES:
            assert planned.until_ms < script.end_ms - 10 * MINUTE_MS
        if planned.symbol in SYMBOLS[AssetClass.STOCKS]:
            assert planned.until_ms < CLOSES_MS


@pytest.mark.parametrize("hours", [1.9, 12.1, 23, 25])
def test_a_run_of_another_length_is_an_error(hours):
    """A run between half a day and a day would have faults of stocks after the close."""
    with pytest.raises(ValueError, match=f"a run has 2 to 12 hours, or 24, not {hours:g}"):
        write_script(1, hours)


@pytest.mark.parametrize(("seed", "hours"), RUNS)
def test_finnhub_hangs_while_yahoo_is_down(seed, hours):
    """Finnhub's hang and wrong clock lie inside Yahoo's outage, and inside the session."""
    script = write_script(seed, hours)
    hang, clock = (p for p in script.planned if p.source is Source.FINNHUB)
    begins, ends = script.outage_ms
    assert (hang.kind, clock.kind) == ("hang", "clock_offset")
    assert OPENS_MS < begins < hang.from_ms < hang.until_ms < clock.from_ms < clock.until_ms
    assert clock.until_ms < ends < CLOSES_MS


@pytest.mark.parametrize(("seed", "hours"), RUNS)
def test_every_kind_of_move_and_of_odd_row_is_planted(seed, hours):
    """Each run has every kind of move and of odd row, each of another symbol."""
    planned = write_script(seed, hours).planned
    moves = [p for p in planned if p.kind in MOVES]
    odd = [p for p in planned if p.kind in ("odd_row", "nan")]
    assert {p.kind for p in moves} == set(MOVES)
    oddities = {p.options["oddity"] for p in odd if p.kind == "odd_row"}
    assert oddities == set(CHOICES["oddity"])
    symbols = [p.symbol for p in (*moves, *odd)]
    assert len(symbols) == len(set(symbols))


def test_the_watch_list_is_of_the_promised_size():
    """Twenty stocks, ten coins and four pairs are priced."""
    sizes = {asset_class: len(symbols) for asset_class, symbols in SYMBOLS.items()}
    assert sizes == {AssetClass.STOCKS: 20, AssetClass.CRYPTO: 10, AssetClass.FOREX: 4}
