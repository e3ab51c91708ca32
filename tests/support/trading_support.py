"""Times, quotes and timetables for the tests of sessions and of stale sources."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from marketdata.clock import epoch_ms
from marketdata.domain.quotes import Quote, Source
from marketdata.domain.symbols import parse_symbol
from marketdata.domain.trading_hours import Session, Timetable


def utc_ms(text: str) -> int:
    """The instant of `2026-11-27T18:00`, UTC, in epoch milliseconds."""
    return epoch_ms(datetime.fromisoformat(text).replace(tzinfo=UTC))


def utc_text(ms: int) -> str:
    """The text of a time, as `utc_ms` reads it."""
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M")


def a_quote(
    symbol: str,
    fetched_ms: int,
    time_ms: int | None,
    source: Source = Source.YFINANCE,
    price: str = "182.5",
) -> Quote:
    """A quote of a price that was made at `time_ms`."""
    return Quote(
        symbol=symbol,
        asset_class=parse_symbol(symbol).asset_class,
        price=Decimal(price),
        currency="USD",
        change=None,
        percent_change=None,
        change_basis=None,
        source=source,
        timestamp=None if time_ms is None else datetime.fromtimestamp(time_ms / 1000, UTC),
        fetched_at=datetime.fromtimestamp(fetched_ms / 1000, UTC),
    )


def a_timetable(from_ms: int, until_ms: int, *sessions: tuple[int, int]) -> Timetable:
    """All sessions between two instants."""
    return Timetable(from_ms, until_ms, tuple(Session(*session) for session in sessions))
