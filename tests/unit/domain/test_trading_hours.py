"""Whether a market is open at a given time, with a timetable and without one."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from marketdata.domain.list_messages import AssetReport
from marketdata.domain.messages import Job
from marketdata.domain.symbols import AssetClass
from marketdata.domain.trading_hours import (
    Trading,
    keeps_hours,
    new_york_ms,
    trading_at,
)
from tests.support.trading_support import a_timetable, utc_ms

STOCKS, CRYPTO, FOREX = AssetClass.STOCKS, AssetClass.CRYPTO, AssetClass.FOREX
OPENS, CLOSES = utc_ms("2026-03-18T13:30"), utc_ms("2026-03-18T20:00")
NEXT_OPENS, NEXT_CLOSES = utc_ms("2026-03-19T13:30"), utc_ms("2026-03-19T20:00")
BEGINS, ENDS = utc_ms("2026-03-18T00:00"), utc_ms("2026-03-21T00:00")
TIMETABLE = a_timetable(BEGINS, ENDS, (OPENS, CLOSES), (NEXT_OPENS, NEXT_CLOSES))


@pytest.mark.parametrize(
    ("at_ms", "expected"),
    [
        (OPENS - 1, Trading(open=False)),
        (OPENS, Trading(open=True, since_ms=OPENS)),
        (CLOSES - 1, Trading(open=True, since_ms=OPENS)),
        (CLOSES, Trading(open=False)),
        (NEXT_CLOSES, Trading(open=False)),
    ],
)
def test_a_timetable_tells_whether_a_market_is_open(at_ms, expected):
    """A market is open from its opening, inclusive, to its close, exclusive."""
    assert trading_at(STOCKS, TIMETABLE, at_ms) == expected


@pytest.mark.parametrize("at_ms", [BEGINS - 1, ENDS, ENDS + 30 * 86_400_000])
def test_a_timetable_that_has_run_out_tells_nothing(at_ms):
    """Outside the time that a timetable covers, it is unknown whether the market is open."""
    assert trading_at(STOCKS, TIMETABLE, at_ms).open is None
    assert trading_at(STOCKS, TIMETABLE, at_ms).since_ms is None


@given(st.integers(0, 4_000_000_000_000))
def test_crypto_always_trades(at_ms):
    """Crypto is open at every time, with every timetable."""
    assert trading_at(CRYPTO, TIMETABLE, at_ms) == Trading(open=True, since_ms=0)


@given(st.dates(date(2007, 4, 1), date(2037, 12, 31)), st.sampled_from([time(9, 30), time(17, 0)]))
def test_new_york_time_is_that_of_the_time_zone_database(day, at):
    """For thirty years the computed summer time is that of the time zone database."""
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


def sessions(*edges):
    """Sessions in the form of a message."""
    return [{"opens_ms": opens, "closes_ms": closes} for opens, closes in edges]


def test_a_timetable_passes_through_json():
    """A timetable is unchanged after its report was written as JSON and read."""
    report = AssetReport(asset_class=AssetClass.STOCKS, timetable=TIMETABLE)
    assert AssetReport.model_validate_json(report.model_dump_json()).timetable == TIMETABLE


@pytest.mark.parametrize(
    "step",
    [
        None,
        "text",
        [],
        {},
        {"from_ms": 1, "until_ms": 2},
        {"from_ms": 1, "until_ms": 2, "sessions": [{"opens_ms": 1}]},
        {"from_ms": 1, "until_ms": 2, "sessions": sessions(("a", "b"))},
        {"from_ms": 1, "until_ms": 9, "sessions": sessions((5, 6), (3, 4))},
        {"from_ms": 1, "until_ms": 9, "sessions": sessions((5, 4))},
        {"from_ms": 1, "until_ms": 9, "sessions": sessions(*[(n, n) for n in range(65)])},
    ],
)
def test_anything_else_is_no_timetable(step):
    """A damaged timetable, or one with too many sessions, counts as no timetable."""
    report = AssetReport.model_validate({"asset_class": "stocks", "timetable": step})
    assert report.timetable is None


def test_trading_passes_through_json():
    """A trading state is unchanged by JSON, and is unknown in a job that has none."""
    known = Trading(open=True, since_ms=OPENS)
    adapter = TypeAdapter(Trading)
    assert adapter.validate_json(adapter.dump_json(known)) == known
    assert Job.model_fields["trading"].default == Trading(open=None)
