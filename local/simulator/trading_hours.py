"""When the simulated market trades, and when the last trade before any instant was.

Exchanges keep their real hours on their working days, to the half hour. Forex and futures trade
from Sunday 22:00 to Friday 22:00 UTC, crypto always. With `always_open` every class trades at every
hour.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import NamedTuple
from zoneinfo import ZoneInfo

from marketdata.clock import DAY_MS, HOUR_MS

HALF_HOUR_MS = HOUR_MS // 2
_FOREX_TURN_MS = 22 * HOUR_MS  # forex days begin at 22:00 UTC
_EARLY_CLOSE = time(13, 0)
_PRE_MARKET_OPENS, _POST_MARKET_CLOSES = time(4, 0), time(20, 0)


class Hours(StrEnum):
    """The opening hours that an asset keeps."""

    US = "us"
    TORONTO = "toronto"
    LONDON = "london"
    XETRA = "xetra"
    JOHANNESBURG = "johannesburg"
    TEL_AVIV = "tel aviv"
    KUWAIT = "kuwait"
    INDIA = "india"
    TOKYO = "tokyo"
    FUTURES = "futures"
    FOREX = "forex"
    CRYPTO = "crypto"


_MONDAY_TO_FRIDAY = frozenset(range(5))
_SUNDAY_TO_THURSDAY = frozenset({6, 0, 1, 2, 3})


@dataclass(frozen=True, slots=True)
class _Exchange:
    zone: ZoneInfo
    opens: time
    closes: time
    weekdays: frozenset[int] = _MONDAY_TO_FRIDAY


_EXCHANGES = {
    Hours.US: _Exchange(ZoneInfo("America/New_York"), time(9, 30), time(16, 0)),
    Hours.TORONTO: _Exchange(ZoneInfo("America/Toronto"), time(9, 30), time(16, 0)),
    Hours.LONDON: _Exchange(ZoneInfo("Europe/London"), time(8, 0), time(16, 30)),
    Hours.XETRA: _Exchange(ZoneInfo("Europe/Berlin"), time(9, 0), time(17, 30)),
    Hours.JOHANNESBURG: _Exchange(ZoneInfo("Africa/Johannesburg"), time(9, 0), time(17, 0)),
    Hours.TEL_AVIV: _Exchange(
        ZoneInfo("Asia/Jerusalem"), time(10, 0), time(17, 0), _SUNDAY_TO_THURSDAY
    ),
    Hours.KUWAIT: _Exchange(ZoneInfo("Asia/Kuwait"), time(9, 0), time(12, 30), _SUNDAY_TO_THURSDAY),
    Hours.INDIA: _Exchange(ZoneInfo("Asia/Kolkata"), time(9, 30), time(15, 30)),
    Hours.TOKYO: _Exchange(ZoneInfo("Asia/Tokyo"), time(9, 0), time(15, 30)),
}


class Session(NamedTuple):
    """The session that an instant belongs to, in epoch milliseconds.

    `open_ms` to `close_ms` is the running session, or the last one while the market is closed.
    `close_ms` is in the future while it runs. `previous_close_ms` is the close of the session
    before. `state` is Yahoo's market state at the instant.
    """

    state: str
    open_ms: int
    close_ms: int
    previous_close_ms: int

    @property
    def is_open(self) -> bool:
        """Return whether the regular session runs."""
        return self.state == "REGULAR"


class TradingHours:
    """The sessions of one market. `holidays` and `early_closes` (13:00) are New York's."""

    def __init__(
        self,
        *,
        always_open: bool = True,
        holidays: Iterable[date] = (),
        early_closes: Iterable[date] = (),
    ) -> None:
        self.always_open = always_open
        self._holidays = frozenset(holidays)
        self._early_closes = frozenset(early_closes)
        self._known: dict[tuple[Hours, int], Session] = {}

    def at(self, hours: Hours, at_ms: int) -> Session:
        """Return the session that an instant belongs to."""
        # TradingHours begin and end on the half hour, so one answer holds for thirty minutes.
        slot = (hours, at_ms // HALF_HOUR_MS)
        session = self._known.get(slot)
        if session is None:
            session = self._known[slot] = self._find(hours, slot[1] * HALF_HOUR_MS)
        return session

    def last_trade_ms(self, hours: Hours, at_ms: int) -> int:
        """Return the last instant up to `at_ms` at which the market was open."""
        session = self.at(hours, at_ms)
        return at_ms if session.is_open else session.close_ms

    def daily(self, hours: Hours, from_ms: int, to_ms: int) -> Iterator[Session]:
        """Yield the sessions that opened within a span, newest first."""
        session = self.at(hours, to_ms)
        while session.open_ms >= from_ms:
            yield session
            session = self.at(hours, session.open_ms - HALF_HOUR_MS)

    def extended_ms(self, at_ms: int) -> int | None:
        """Return the last instant of New York's extended hours that followed the regular session.

        None while the regular session runs, and where every class always trades.
        """
        session = self.at(Hours.US, at_ms)
        if self.always_open or session.is_open:
            return None
        if session.state in ("PRE", "POST"):
            return at_ms
        zone = _EXCHANGES[Hours.US].zone
        closed = datetime.fromtimestamp(session.close_ms / 1000, zone)
        return _epoch_ms(datetime.combine(closed.date(), _POST_MARKET_CLOSES, zone))

    def _find(self, hours: Hours, at_ms: int) -> Session:
        if self.always_open or hours is Hours.CRYPTO:
            midnight = at_ms - at_ms % DAY_MS
            return Session("REGULAR", midnight, midnight + DAY_MS, midnight)
        if hours in (Hours.FOREX, Hours.FUTURES):
            return _forex(at_ms)
        return self._exchange(hours, _EXCHANGES[hours], at_ms)

    def _exchange(self, hours: Hours, exchange: _Exchange, at_ms: int) -> Session:
        now = datetime.fromtimestamp(at_ms / 1000, exchange.zone)
        begun = self._begun_sessions(hours, exchange, now.date(), at_ms)
        open_ms, close_ms = next(begun)
        _, previous_close_ms = next(begun)
        state = "REGULAR" if at_ms < close_ms else self._closed_state(hours, now)
        return Session(state, open_ms, close_ms, previous_close_ms)

    def _begun_sessions(
        self, hours: Hours, exchange: _Exchange, day: date, at_ms: int
    ) -> Iterator[tuple[int, int]]:
        """Yield the sessions that began by `at_ms`, latest first."""
        while True:
            if self._trades(hours, day):
                closes = exchange.closes
                if hours is Hours.US and day in self._early_closes:
                    closes = _EARLY_CLOSE
                open_ms = _epoch_ms(datetime.combine(day, exchange.opens, exchange.zone))
                if open_ms <= at_ms:
                    yield open_ms, _epoch_ms(datetime.combine(day, closes, exchange.zone))
            day -= timedelta(days=1)

    def _trades(self, hours: Hours, day: date) -> bool:
        is_holiday = hours is Hours.US and day in self._holidays
        return day.weekday() in _EXCHANGES[hours].weekdays and not is_holiday

    def _closed_state(self, hours: Hours, now: datetime) -> str:
        if hours is not Hours.US or not self._trades(hours, now.date()):
            return "CLOSED"
        if now.time() < _PRE_MARKET_OPENS:
            return "PREPRE"
        if now.time() < _EXCHANGES[hours].opens:
            return "PRE"
        return "POST" if now.time() < _POST_MARKET_CLOSES else "POSTPOST"


def _forex(at_ms: int) -> Session:
    turn_ms = at_ms - (at_ms - _FOREX_TURN_MS) % DAY_MS
    weekday = datetime.fromtimestamp(turn_ms / 1000, UTC).weekday()  # of the evening it began
    if weekday in (4, 5):  # Friday evening, Saturday evening: the last session is Thursday's
        turn_ms -= (weekday - 3) * DAY_MS
        return Session("CLOSED", turn_ms, turn_ms + DAY_MS, turn_ms)
    previous_ms = turn_ms if weekday != 6 else turn_ms - 2 * DAY_MS
    return Session("REGULAR", turn_ms, turn_ms + DAY_MS, previous_ms)


def _epoch_ms(when: datetime) -> int:
    return int(when.timestamp()) * 1000
