"""The state of New York's market by its calendar, and which quotes carry it."""

from dataclasses import replace
from decimal import Decimal

import pytest

from marketdata.domain.market_state import new_york_state, with_new_york_state
from marketdata.domain.quotes import ExtendedPrice, ExtendedSession, MarketState
from tests.support.trading_support import a_quote, a_timetable, utc_ms

# Thursday a holiday, Wednesday an ordinary day, Friday an early close (13:00 New York).
TIMETABLE = a_timetable(
    utc_ms("2026-11-25T00:00"),
    utc_ms("2026-11-29T00:00"),
    (utc_ms("2026-11-25T14:30"), utc_ms("2026-11-25T21:00")),
    (utc_ms("2026-11-27T14:30"), utc_ms("2026-11-27T18:00")),
)


@pytest.mark.parametrize(
    ("at", "state"),
    [
        ("2026-11-25T08:59", "closed"),
        ("2026-11-25T09:00", "pre"),
        ("2026-11-25T14:29", "pre"),
        ("2026-11-25T14:30", "open"),
        ("2026-11-25T20:59", "open"),
        ("2026-11-25T21:00", "post"),
        ("2026-11-26T00:59", "post"),
        ("2026-11-26T01:00", "closed"),
        ("2026-11-26T15:00", "closed"),
        ("2026-11-27T18:00", "post"),
        ("2026-11-27T22:00", "closed"),
        ("2026-11-28T15:00", "closed"),
        ("2026-11-29T00:00", None),
        ("2026-11-24T23:59", None),
    ],
)
def test_the_calendar_gives_the_state(at, state):
    """The calendar gives the state at each time that it covers, and null beyond."""
    assert new_york_state(TIMETABLE, utc_ms(at)) == state


def test_without_a_timetable_the_state_is_unknown():
    """Without a stored calendar the state is null."""
    assert new_york_state(None, utc_ms("2026-11-25T15:00")) is None


@pytest.mark.parametrize(
    ("symbol", "expected"),
    [("AAPL", "post"), ("BRK.B", "post"), ("OCDO.L", None), ("^GSPC", None), ("GC=F", None),
     ("VFIAX", None), ("EUR/USD", None), ("BTC-USD", None)],
)  # fmt: skip
def test_only_shares_listed_in_new_york_have_its_state(symbol, expected):
    """Other exchanges, indices, futures, funds, pairs and coins keep what their source gives."""
    at_ms = utc_ms("2026-11-25T22:00")
    quote = a_quote(symbol, at_ms, at_ms)
    assert with_new_york_state(quote, MarketState.POST).market_state == expected
    assert with_new_york_state(quote, None) is quote


@pytest.mark.parametrize(
    ("symbol", "state", "stays"),
    [
        ("AAPL", MarketState.OPEN, False),
        ("AAPL", MarketState.POST, True),
        ("AAPL", MarketState.CLOSED, True),
        ("AAPL", None, True),
        ("GC=F", MarketState.OPEN, True),
    ],
)
def test_an_open_market_has_no_price_of_another_session(symbol, state, stays):
    """A New York share loses its extended price while its market is open."""
    at_ms = utc_ms("2026-11-25T22:00")
    extended = ExtendedPrice(ExtendedSession.PRE, Decimal(9), None, None, None)
    quote = replace(a_quote(symbol, at_ms, at_ms), extended=extended)
    found = with_new_york_state(quote, state).extended
    assert found == (extended if stays else None)
