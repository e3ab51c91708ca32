"""The state of the market and the prices outside of the session, as Yahoo gives them."""

from datetime import timedelta
from decimal import Decimal

import pytest

from marketdata.domain.quotes import ExtendedSession
from tests.support.yahoo_answers import TIME, TIME_S, only, row, v7


@pytest.mark.parametrize(
    ("given", "expected"),
    [("REGULAR", "open"), ("PRE", "pre"), ("POST", "post"), ("PREPRE", "closed"),
     ("POSTPOST", "closed"), ("CLOSED", "closed"), ("regular", None), (None, None),
     (["PRE"], None)],
)  # fmt: skip
def test_the_state_of_the_market_is_yahoos(given, expected):
    """Each state of Yahoo's becomes one of ours, and an unknown state is null."""
    assert only(v7(row("AAPL", marketState=given)), "AAPL").market_state == expected


def test_the_latest_price_outside_of_the_session_is_the_extended_one():
    """The pre-market price of the next morning replaces the after-hours price."""
    close_s = TIME_S - 24 * 3600
    closed = row("AAPL", regularMarketTime=close_s)
    evening = {"postMarketPrice": 11, "postMarketTime": close_s + 3600, "postMarketChange": 1}
    morning = {"preMarketPrice": 9.5, "preMarketTime": close_s + 16 * 3600, "preMarketChange": -0.5}
    found = only(v7(closed | evening), "AAPL").extended
    assert (found.session, found.price, found.change) == (ExtendedSession.POST, 11, 1)
    found = only(v7(closed | evening | morning), "AAPL").extended
    assert (found.session, found.price) == (ExtendedSession.PRE, Decimal("9.5"))
    assert found.timestamp == TIME - timedelta(hours=8)


@pytest.mark.parametrize(
    "fields",
    [
        {"preMarketPrice": 9, "preMarketTime": TIME_S - 60},
        {"preMarketPrice": 9, "marketState": "REGULAR"},
        {"postMarketPrice": 0, "postMarketTime": TIME_S + 60},
        {"postMarketPrice": "NaN", "postMarketTime": TIME_S + 60},
        {"postMarketTime": TIME_S + 60},
        {"postMarketPrice": 9, "postMarketTime": TIME_S + 60, "marketState": "REGULAR"},
        {"postMarketPrice": 9, "postMarketTime": TIME_S + 3600},
        {"postMarketPrice": 1e9, "postMarketTime": TIME_S + 60},
        {"postMarketPrice": 1e30, "postMarketTime": TIME_S + 60},
        {"preMarketPrice": 9, "preMarketTime": TIME_S + 60},
        {"preMarketPrice": 9, "preMarketTime": TIME_S + 60, "marketState": "POST"},
        {"postMarketPrice": 9, "postMarketTime": TIME_S + 60, "exchangeTimezoneName": "Asia/Tokyo"},
    ],
)
def test_an_extended_price_that_cannot_be_right_is_null(fields):
    """An extended price is null if its time, its session or the price itself is wrong."""
    assert only(v7(row("AAPL", **fields)), "AAPL").extended is None


@pytest.mark.parametrize(
    ("state", "session"),
    [("PRE", "pre"), ("POST", "post"), ("POSTPOST", "post"), ("CLOSED", "post"),
     ("PREPRE", "post"), ("REGULAR", None), ("post", None), ("HALTED", None), (None, None),
     (["POST"], None)],
)  # fmt: skip
@pytest.mark.parametrize("time", [None, (TIME_S + 60) * 1000, "soon", 0])
def test_an_extended_price_without_a_time_counts_in_the_state_of_its_session(state, session, time):
    """Without times the state of the market decides which of two extended prices is used."""
    fields = {"preMarketPrice": 9, "postMarketPrice": 11, "marketState": state}
    times = {"preMarketTime": time, "postMarketTime": time}
    found = only(v7(row("AAPL", **fields, **times)), "AAPL").extended
    assert (found and (found.session, found.timestamp)) == (session and (session, None))


def test_a_change_that_contradicts_the_extended_price_is_null():
    """A change that contradicts the extended price is null, and the price is kept."""
    given = row("AAPL", postMarketPrice=11, postMarketTime=TIME_S + 60, postMarketChange=5)
    found = only(v7(given), "AAPL").extended
    assert (found.price, found.change, found.percent_change) == (11, None, None)
