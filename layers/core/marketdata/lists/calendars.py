"""The timetables of the coming two weeks, computed once a day by fetch_assets.

The exchange calendar library is used in this module only. It is imported in the function that
needs it, because it imports pandas. The other functions get plain numbers.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from datetime import date

from marketdata.domain.symbols import AssetClass
from marketdata.domain.trading_hours import Session, Timetable, around, days_around, forex_sessions

# New York's exchanges share one calendar of holidays and early closes.
EXCHANGE = "XNYS"
# The daily refresh may fail for two weeks before the hours of trading are unknown.
DAYS_BACK, DAYS_AHEAD = 7, 14
# In days. A forex session lasts a week, and the beginning of every session must be known.
LONGEST_SESSION = 7


def published(asset_class: AssetClass, now_ms: int) -> Timetable | None:
    """Return the timetable of a class around an instant; None for crypto, which always trades.

    Raise what the calendar library raises.
    """
    if asset_class is AssetClass.CRYPTO:
        return None
    days = days_around(now_ms, DAYS_BACK + LONGEST_SESSION, DAYS_AHEAD + 1)
    of_class = _stock_sessions if asset_class is AssetClass.STOCKS else forex_sessions
    return around(now_ms, of_class(days), DAYS_BACK, DAYS_AHEAD)


def never_closed(asset_class: AssetClass, now_ms: int) -> Timetable | None:
    """Return a timetable with one session, for a market that trades at every hour."""
    if asset_class is AssetClass.CRYPTO:
        return None
    span = around(now_ms, iter(()), DAYS_BACK, DAYS_AHEAD)
    return Timetable(span.from_ms, span.until_ms, (Session(span.from_ms, span.until_ms),))


def _stock_sessions(days: Sequence[date]) -> Iterator[Session]:
    with warnings.catch_warnings():
        # The library uses a deprecated function of pandas, which does not change its result.
        warnings.simplefilter("ignore", DeprecationWarning)
        import exchange_calendars  # noqa: PLC0415 only fetching has it

        calendar = exchange_calendars.get_calendar(EXCHANGE, start=days[0], end=days[-1])
        edges = list(zip(calendar.opens, calendar.closes, strict=True))
    for opens, closes in edges:
        yield Session(int(opens.timestamp()) * 1000, int(closes.timestamp()) * 1000)
