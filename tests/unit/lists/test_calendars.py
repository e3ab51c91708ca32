"""The timetables that the daily refresh computes, with the real calendar library."""

from __future__ import annotations

import pytest
from pydantic import TypeAdapter

from marketdata.clock import DAY_MS, HOUR_MS
from marketdata.domain.symbols import AssetClass
from marketdata.domain.trading_hours import MOST_SESSIONS, Timetable, trading_at
from marketdata.lists.calendars import DAYS_AHEAD, DAYS_BACK, never_closed, published
from tests.support.fresh_process import loaded_by
from tests.support.trading_support import utc_ms, utc_text

STOCKS, CRYPTO, FOREX = AssetClass.STOCKS, AssetClass.CRYPTO, AssetClass.FOREX
THANKSGIVING_WEEK = utc_ms("2026-11-23T06:00")


def session_of(asset_class, day, computed):
    """Opening and close of the session that runs at 17:30 UTC of a day, by one timetable."""
    timetable = published(asset_class, utc_ms(computed))
    session = timetable.session_at(utc_ms(f"{day}T17:30"))
    return session and (utc_text(session.opens_ms), utc_text(session.closes_ms))


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        ("2026-11-25", ("2026-11-25T14:30", "2026-11-25T21:00")),
        ("2026-11-26", None),
        ("2026-11-27", ("2026-11-27T14:30", "2026-11-27T18:00")),
        ("2026-11-28", None),
        ("2026-11-30", ("2026-11-30T14:30", "2026-11-30T21:00")),
    ],
)
def test_stocks_keep_holidays_and_early_closes(day, expected):
    """Stocks are closed on Thanksgiving, and open until 13:00 New York on the day after."""
    assert session_of(STOCKS, day, "2026-11-23T06:00") == expected


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        ("2026-03-06", ("2026-03-06T14:30", "2026-03-06T21:00")),
        ("2026-03-09", ("2026-03-09T13:30", "2026-03-09T20:00")),
        ("2026-10-30", ("2026-10-30T13:30", "2026-10-30T20:00")),
        ("2026-11-02", ("2026-11-02T14:30", "2026-11-02T21:00")),
    ],
)
def test_stocks_follow_the_clock_of_new_york(day, expected):
    """In UTC the sessions of New York are an hour earlier during summer time."""
    assert session_of(STOCKS, day, f"{day}T01:00") == expected


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        ("2026-01-07", ("2026-01-04T22:00", "2026-01-09T22:00")),
        ("2026-03-06", ("2026-03-01T22:00", "2026-03-06T22:00")),
        ("2026-03-07", None),
        ("2026-03-10", ("2026-03-08T21:00", "2026-03-13T21:00")),
        ("2026-10-30", ("2026-10-25T21:00", "2026-10-30T21:00")),
        ("2026-11-03", ("2026-11-01T22:00", "2026-11-06T22:00")),
        ("2026-12-24", ("2026-12-20T22:00", "2026-12-24T22:00")),
        ("2026-12-25", None),
        ("2026-12-31", ("2026-12-27T22:00", "2026-12-31T22:00")),
        ("2027-01-01", None),
    ],
)
def test_forex_trades_from_sunday_to_friday(day, expected):
    """Forex trades from Sunday to Friday, 17:00 New York, except Christmas and New Year."""
    assert session_of(FOREX, day, f"{day}T01:00") == expected


@pytest.mark.parametrize("asset_class", [STOCKS, FOREX])
@pytest.mark.parametrize("hour", [0, 5, 14, 21, 23])
def test_a_timetable_covers_a_week_back_and_two_ahead(asset_class, hour):
    """A timetable covers the same days at any hour of the refresh, and stays small."""
    now_ms = THANKSGIVING_WEEK + hour * HOUR_MS
    timetable = published(asset_class, now_ms)
    assert timetable.from_ms == now_ms - DAYS_BACK * DAY_MS
    assert timetable.until_ms == now_ms + DAYS_AHEAD * DAY_MS
    assert 0 < len(timetable.sessions) <= MOST_SESSIONS
    adapter = TypeAdapter(Timetable)
    assert adapter.validate_json(adapter.dump_json(timetable)) == timetable


@pytest.mark.parametrize("asset_class", [STOCKS, FOREX])
def test_timetables_of_different_days_agree(asset_class):
    """Timetables of different days agree on every half hour that they cover."""
    tables = [published(asset_class, THANKSGIVING_WEEK + day * DAY_MS) for day in range(10)]
    for half_hour in range(48 * 10):
        at_ms = THANKSGIVING_WEEK + half_hour * 1_800_000
        answers = {trading_at(asset_class, table, at_ms) for table in tables if table.covers(at_ms)}
        assert len(answers) == 1


def test_crypto_has_no_timetable():
    """Crypto has no timetable, because crypto always trades."""
    assert published(CRYPTO, THANKSGIVING_WEEK) is None
    assert never_closed(CRYPTO, THANKSGIVING_WEEK) is None


def test_a_market_that_never_closes_is_open_throughout():
    """A market that never closes is open for all the time that its timetable covers."""
    table = never_closed(STOCKS, THANKSGIVING_WEEK)
    for at_ms in (table.from_ms, THANKSGIVING_WEEK, table.until_ms - 1):
        assert trading_at(STOCKS, table, at_ms).open is True
    assert trading_at(STOCKS, table, table.until_ms).open is None


def test_the_calendar_library_is_loaded_only_when_asked_for():
    """The calendar module and its forex timetable load neither pandas nor the library."""
    loaded = loaded_by(
        "from marketdata.lists.calendars import published; "
        "from marketdata.domain.symbols import AssetClass; "
        "assert published(AssetClass.FOREX, 1795413600000).sessions"
    )
    assert not {"pandas", "exchange_calendars"} & loaded
