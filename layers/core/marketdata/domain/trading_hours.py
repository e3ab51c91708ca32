"""When markets trade: sessions as data, and whether a market is open at an instant.

Stocks and forex have a timetable, which the daily refresh computes (`calendars.py`) and the control
state keeps. Crypto always trades. Outside of the timetable the hours of a class are not known, and
no price counts as old.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise

from marketdata.clock import DAY_MS
from marketdata.domain.symbols import AssetClass, parse_symbol

# A timetable is stored without a time to live, so its size has a bound.
MOST_SESSIONS = 64

# New York time. The forex week begins on Sunday and ends on Friday at this hour.
FOREX_TURNS = time(17, 0)
_MUTUAL_FUND = re.compile(r"[A-Z]{4}X")


@dataclass(frozen=True, slots=True)
class Session:
    """One session, epoch milliseconds. At `closes_ms` it is over."""

    opens_ms: int
    closes_ms: int


@dataclass(frozen=True, slots=True)
class Timetable:
    """All sessions of a class between two instants, in order."""

    from_ms: int
    until_ms: int
    sessions: tuple[Session, ...]

    def __post_init__(self) -> None:
        """Raise ValueError for sessions that are not in order, or too many."""
        edges = [edge for s in self.sessions for edge in (s.opens_ms, s.closes_ms)]
        if len(self.sessions) > MOST_SESSIONS or any(a > b for a, b in pairwise(edges)):
            raise ValueError(f"not at most {MOST_SESSIONS} sessions in order")

    def covers(self, at_ms: int) -> bool:
        """Return whether an instant lies within the timetable."""
        return self.from_ms <= at_ms < self.until_ms

    def session_at(self, at_ms: int) -> Session | None:
        """Return the session that runs at an instant; None if none does."""
        return next((s for s in self.sessions if s.opens_ms <= at_ms < s.closes_ms), None)


@dataclass(frozen=True, slots=True)
class Trading:
    """How a class of assets trades at an instant; epoch milliseconds.

    `open`: whether its market is open, None if that is not known. `since_ms`: since when the market
    is open, None unless it is open.
    """

    open: bool | None = None
    since_ms: int | None = None


def trading_at(asset_class: AssetClass, timetable: Timetable | None, at_ms: int) -> Trading:
    """Return whether a class trades at an instant, by its timetable; unknown outside of it."""
    if asset_class is AssetClass.CRYPTO:
        return Trading(open=True, since_ms=0)
    if timetable is not None and timetable.covers(at_ms):
        session = timetable.session_at(at_ms)
        if session is not None:
            return Trading(open=True, since_ms=session.opens_ms)
        return Trading(open=False)
    return Trading()


def keeps_hours(asset_class: AssetClass, symbol: str) -> bool:
    """Whether an asset is traded in the sessions of its class.

    Shares of other exchanges (`OCDO.L`), indices (`^FTSE`) and futures (`GC=F`) have other hours. A
    mutual fund (`VFIAX`) has one price a day, that of the evening before.
    """
    if asset_class is not AssetClass.STOCKS:
        return True
    own_hours = bool(parse_symbol(symbol).exchange) or any(mark in symbol for mark in "^=")
    return not own_hours and not _MUTUAL_FUND.fullmatch(symbol)


def forex_sessions(days: Sequence[date]) -> Iterator[Session]:
    """Return the forex sessions that end on these days, joined where there is no gap between them.

    The forex day ends at 17:00 in New York. No session ends on Saturday, Sunday, Christmas or New
    Year.
    """
    opens_ms = closes_ms = 0
    for day in days:
        if day.weekday() >= 5 or (day.month, day.day) in ((12, 25), (1, 1)):
            continue
        begins_ms = new_york_ms(day - timedelta(days=1), FOREX_TURNS)
        if begins_ms != closes_ms:
            if closes_ms:
                yield Session(opens_ms, closes_ms)
            opens_ms = begins_ms
        closes_ms = new_york_ms(day, FOREX_TURNS)
    if closes_ms:
        yield Session(opens_ms, closes_ms)


def around(at_ms: int, sessions: Iterator[Session], back: int, ahead: int) -> Timetable:
    """Return the timetable of some days around an instant, from sessions that cover these days."""
    from_ms, until_ms = at_ms - back * DAY_MS, at_ms + ahead * DAY_MS
    inside = (s for s in sessions if s.closes_ms > from_ms and s.opens_ms < until_ms)
    return Timetable(from_ms, until_ms, tuple(inside))


def days_around(at_ms: int, back: int, ahead: int) -> list[date]:
    """The dates, by UTC, from some days before an instant to some days after it."""
    today = datetime.fromtimestamp(at_ms / 1000, UTC).date()
    return [today + timedelta(days=offset) for offset in range(-back, ahead + 1)]


def new_york_ms(day: date, at: time) -> int:
    """Return a time of day in New York in epoch milliseconds.

    The time must not lie in the hour of a clock change. Summer time lasts from the second Sunday of
    March to the first Sunday of November, by the law since 2007. The rule is written here so that
    plan and commit need no time zone data.
    """
    summer = _sunday(day.year, 3, 2) <= day < _sunday(day.year, 11, 1)
    utc = datetime.combine(day, at, UTC) + timedelta(hours=4 if summer else 5)
    return int(utc.timestamp()) * 1000


def _sunday(year: int, month: int, number: int) -> date:
    first = date(year, month, 1)
    return first + timedelta(days=(6 - first.weekday()) % 7 + 7 * (number - 1))
