"""Quotes as JSON for clients, and as messages between the steps."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from marketdata.clock import parse_utc, utc_text
from marketdata.domain.messages import QuoteMessage
from marketdata.domain.quotes import (
    ChangeBasis,
    ExtendedPrice,
    ExtendedSession,
    MarketState,
    Quote,
    Source,
    plain,
)
from marketdata.domain.symbols import AssetClass

NOW = datetime(2026, 11, 22, 14, 5, 10, 123_000, tzinfo=UTC)
FIGURES = {
    "previous_close": Decimal("264.77"),
    "volume": Decimal(48210022),
    "market_state": MarketState.POST,
    "extended": ExtendedPrice(
        session=ExtendedSession.POST,
        price=Decimal("263.90"),
        change=Decimal("-0.36"),
        percent_change=Decimal("-0.1362"),
        timestamp=datetime(2026, 11, 22, 21, 30, tzinfo=UTC),
    ),
}


def a_quote(**changes):
    fields = {
        "symbol": "AAPL",
        "asset_class": AssetClass.STOCKS,
        "price": Decimal("182.50"),
        "currency": "USD",
        "change": Decimal("-0.51"),
        "percent_change": Decimal("-0.1929"),
        "change_basis": ChangeBasis.PREVIOUS_CLOSE,
        "source": Source.YFINANCE,
        "timestamp": datetime(2026, 11, 22, 14, 5, 7, tzinfo=UTC),
        "fetched_at": NOW,
    }
    return Quote(**fields | changes)


def through_message(quote):
    """The quote as the next step gets it, through the JSON of a message."""
    adapter = TypeAdapter(QuoteMessage)
    return adapter.validate_json(json.dumps(json.loads(adapter.dump_json(quote))))


def test_a_quote_reads_as_plain_json():
    """A quote's JSON has plain numbers, ISO times and all fields in a fixed order."""
    quote = a_quote(price=Decimal("5.12E-6"), **FIGURES)
    assert quote.to_json() == (
        '{"symbol":"AAPL","asset_class":"stocks","price":0.00000512,"currency":"USD",'
        '"change":-0.51,"percent_change":-0.1929,"change_basis":"previous_close",'
        '"previous_close":264.77,"open":null,"high":null,"low":null,"volume":48210022,'
        '"market_cap":null,"market_state":"post","extended":{"session":"post","price":263.9,'
        '"change":-0.36,"percent_change":-0.1362,"timestamp":"2026-11-22T21:30:00Z"},'
        '"source":"yfinance","timestamp":"2026-11-22T14:05:07Z",'
        '"fetched_at":"2026-11-22T14:05:10.123Z"}'
    )


def test_what_a_source_does_not_tell_is_null():
    """Absent change, time and currency are null, never invented."""
    fields = json.loads(
        a_quote(
            change=None, percent_change=None, change_basis=None, timestamp=None, currency=None
        ).to_json()
    )
    absent = ("change", "percent_change", "change_basis", "timestamp", "currency")
    assert [fields[name] for name in absent] == [None] * 5


def test_figures_of_the_day_pass_between_steps():
    """Every figure that a source gives, and the price outside the session, travels exactly."""
    quote = a_quote(**FIGURES, open=Decimal("1.10"), market_cap=Decimal("3.9E12"))
    assert through_message(quote) == quote


@given(
    st.decimals(min_value="1e-18", max_value="1e12", allow_nan=False, allow_infinity=False),
    st.one_of(st.none(), st.decimals(-1000, 1000, allow_nan=False)),
)
def test_decimals_pass_between_steps_exactly(price, change):
    """A quote that travels as JSON from step to step keeps every digit."""
    quote = a_quote(price=price, change=change)
    assert through_message(quote) == quote


@pytest.mark.parametrize(
    ("number", "text"),
    [("182.50", "182.5"), ("5.12E-6", "0.00000512"), ("1E+3", "1000"), ("0.00", "0"),
     ("-0", "0"), ("100", "100"), ("-1.20", "-1.2")],
)  # fmt: skip
def test_plain_numbers(number, text):
    """A decimal is written without exponent and without trailing zeros."""
    assert plain(Decimal(number)) == text


def test_times_are_utc():
    """Any time is written in UTC, with milliseconds only where there are some."""
    berlin = timezone(timedelta(hours=1))
    assert utc_text(datetime(2026, 1, 2, 1, 0, 0, tzinfo=berlin)) == "2026-01-02T00:00:00Z"
    assert utc_text(NOW) == "2026-11-22T14:05:10.123Z"
    assert parse_utc("2026-01-02T01:00:00+01:00") == datetime(2026, 1, 2, tzinfo=UTC)
    assert parse_utc("2026-01-02T00:00:00") == datetime(2026, 1, 2, tzinfo=UTC)
