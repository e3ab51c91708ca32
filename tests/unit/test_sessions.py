"""Sessions as data: what an instant means by a timetable, and without one."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketdata.sessions import (
    MOST_SESSIONS,
    Timetable,
    Trading,
    keeps_hours,
    new_york_ms,
    trading_at,
    usual_week,
)
from marketdata.symbols import AssetClass
from tests.trading_support import MINUTE_MS, a_timetable, utc_ms

STOCKS, CRYPTO, FOREX = AssetClass.STOCKS, AssetClass.CRYPTO, AssetClass.FOREX
OPENS, CLOSES = utc_ms("2026-03-18T13:30"), utc_ms("2026-03-18T20:00")
NEXT_OPENS, NEXT_CLOSES = utc_ms("2026-03-19T13:30"), utc_ms("2026-03-19T20:00")
BEGINS, ENDS = utc_ms("2026-03-18T00:00"), utc_ms("2026-03-21T00:00")
TIMETABLE = a_timetable(BEGINS, ENDS, (OPENS, CLOSES), (NEXT_OPENS, NEXT_CLOSES))


@pytest.mark.parametrize(
    ("at_ms", "expected"),
    [
        (OPENS - 1, Trading(open=False, quiet_until_ms=OPENS)),
        (OPENS, Trading(open=True, since_ms=OPENS)),
        (CLOSES - 1, Trading(open=True, since_ms=OPENS)),
        (CLOSES, Trading(open=False, quiet_until_ms=NEXT_OPENS)),
        (NEXT_CLOSES, Trading(open=False, quiet_until_ms=ENDS)),
    ],
)
def test_a_timetable_tells_whether_a_market_is_open(at_ms, expected):
    """From the opening, which counts, to the close, which does not; else until when it is quiet."""
    assert trading_at(STOCKS, TIMETABLE, at_ms) == expected


@pytest.mark.parametrize("at_ms", [BEGINS - 1, ENDS, ENDS + 30 * 86_400_000])
def test_a_timetable_that_has_run_out_tells_nothing(at_ms):
    """Outside of what it covers nobody knows whether a market is open."""
    assert trading_at(STOCKS, TIMETABLE, at_ms).open is None
    assert trading_at(STOCKS, TIMETABLE, at_ms).since_ms is None


@pytest.mark.parametrize(
    ("at", "quiet_until"),
    [
        ("2026-03-16T13:29", "2026-03-16T13:30"),
        ("2026-03-16T13:30", None),
        ("2026-03-16T19:59", None),
        ("2026-03-16T20:00", "2026-03-17T13:30"),
        ("2026-03-20T20:00", "2026-03-23T13:30"),
        ("2026-01-05T14:29", "2026-01-05T14:30"),
        ("2026-01-05T20:59", None),
        ("2026-11-26T15:00", None),
    ],
)
def test_without_a_timetable_stocks_follow_a_rule_of_thumb(at, quiet_until):
    """Weekdays from 9:30 to 16:00 in New York, holidays unknown: for the pace, not to judge by."""
    expected = Trading(open=None, quiet_until_ms=quiet_until and utc_ms(quiet_until))
    assert trading_at(STOCKS, None, utc_ms(at)) == expected


@pytest.mark.parametrize(
    ("at", "quiet_until"),
    [
        ("2026-01-09T21:59", None),
        ("2026-01-09T22:00", "2026-01-11T22:00"),
        ("2026-01-11T21:59", "2026-01-11T22:00"),
        ("2026-01-11T22:00", None),
        ("2026-03-06T22:00", "2026-03-08T21:00"),
        ("2026-07-15T03:00", None),
    ],
)
def test_without_a_timetable_forex_follows_its_week(at, quiet_until):
    """From Sunday to Friday, 17:00 in New York, over the changes of its clock."""
    expected = Trading(open=None, quiet_until_ms=quiet_until and utc_ms(quiet_until))
    assert trading_at(FOREX, None, utc_ms(at)) == expected


@given(st.integers(0, 4_000_000_000_000))
def test_crypto_always_trades(at_ms):
    """No timetable makes it close."""
    assert trading_at(CRYPTO, TIMETABLE, at_ms) == Trading(open=True, since_ms=0)


@given(st.sampled_from([STOCKS, FOREX]), st.integers(1_200_000_000_000, 2_100_000_000_000))
def test_a_quiet_market_is_quiet_until_a_time_to_come(asset_class, at_ms):
    """The rule of thumb always knows a next opening, within three days."""
    quiet_until_ms = trading_at(asset_class, None, at_ms).quiet_until_ms
    if quiet_until_ms is not None:
        assert at_ms < quiet_until_ms <= at_ms + 3 * 86_400_000
        assert trading_at(asset_class, None, quiet_until_ms).quiet_until_ms is None


@given(st.dates(date(2007, 4, 1), date(2037, 12, 31)), st.sampled_from([time(9, 30), time(17, 0)]))
def test_new_york_time_is_that_of_the_time_zone_database(day, at):
    """Thirty years of summer time, computed without the database."""
    aware = datetime.combine(day, at, ZoneInfo("America/New_York"))
    assert new_york_ms(day, at) == int(aware.astimezone(UTC).timestamp()) * 1000


@pytest.mark.parametrize(
    ("asset_class", "symbol", "expected"),
    [
        (STOCKS, "AAPL", True),
        (STOCKS, "BRK.B", True),
        (STOCKS, "OCDO.L", False),
        (STOCKS, "SAP.DE", False),
        (STOCKS, "^FTSE", False),
        (STOCKS, "GC=F", False),
        (STOCKS, "VFIAX", False),
        (STOCKS, "NFLX", True),
        (CRYPTO, "BTC-USD", True),
        (FOREX, "EUR/USD", True),
    ],
)
def test_some_stocks_have_hours_of_their_own(asset_class, symbol, expected):
    """Foreign shares, indices, futures and mutual funds do not trade in New York's sessions."""
    assert keeps_hours(asset_class, symbol) is expected


def test_a_timetable_passes_through_json():
    """What is stored is what was computed."""
    assert Timetable.from_step(json.loads(json.dumps(TIMETABLE.to_step()))) == TIMETABLE


@pytest.mark.parametrize(
    "step",
    [
        None,
        "text",
        [],
        {},
        {"from_ms": 1, "until_ms": 2},
        {"from_ms": 1, "until_ms": 2, "sessions": [[1]]},
        {"from_ms": 1, "until_ms": 2, "sessions": [["a", "b"]]},
        {"from_ms": 1, "until_ms": 9, "sessions": [[5, 6], [3, 4]]},
        {"from_ms": 1, "until_ms": 9, "sessions": [[5, 4]]},
        {"from_ms": 1, "until_ms": 9, "sessions": [[n, n] for n in range(MOST_SESSIONS + 1)]},
    ],
)
def test_anything_else_is_no_timetable(step):
    """A damaged or boundless one counts as none, so that nothing is judged by it."""
    assert Timetable.from_step(step) is None


def test_trading_passes_through_json():
    """A job without the word of planning knows nothing."""
    known = Trading(open=True, since_ms=OPENS)
    assert Trading.from_step(json.loads(json.dumps(known.to_step()))) == known
    assert Trading.from_step(None) == Trading(open=None)


def test_the_usual_week_of_forex_lasts_five_days():
    """Its days follow one another without a gap."""
    wednesday_ms = utc_ms("2026-03-18T12:00")
    week = usual_week(FOREX, wednesday_ms)
    opened_ms = utc_ms("2026-03-15T21:00")
    for minute in range(0, int(timedelta(days=5).total_seconds() // 60), 7):
        assert week.session_at(opened_ms + minute * MINUTE_MS) is not None
    assert week.session_at(utc_ms("2026-03-20T21:00")) is None
