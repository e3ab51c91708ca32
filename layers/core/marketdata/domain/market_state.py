"""Whether the market of shares listed in New York is open, by its calendar. Pure.

Sources say "open" even for a price that is years old, so for these shares the calendar decides. The
quotes of all other assets keep the state that their source gives.
"""

from __future__ import annotations

from dataclasses import replace

from marketdata.clock import HOUR_MS, MINUTE_MS
from marketdata.domain.quotes import MarketState, Quote
from marketdata.domain.symbols import AssetClass
from marketdata.domain.trading_hours import Timetable, keeps_hours

# Pre-market trading begins at 4:00, five and a half hours before the opening. After-hours trading
# lasts four hours, also after an early close.
PRE_MARKET_MS = 5 * HOUR_MS + 30 * MINUTE_MS
AFTER_HOURS_MS = 4 * HOUR_MS


def new_york_state(timetable: Timetable | None, at_ms: int) -> MarketState | None:
    """Return the state of New York's market at an instant; None where the timetable ends."""
    if timetable is None or not timetable.covers(at_ms):
        return None
    for session in timetable.sessions:
        if session.opens_ms <= at_ms < session.closes_ms:
            return MarketState.OPEN
        if session.opens_ms - PRE_MARKET_MS <= at_ms < session.opens_ms:
            return MarketState.PRE
        if session.closes_ms <= at_ms < session.closes_ms + AFTER_HOURS_MS:
            return MarketState.POST
    return MarketState.CLOSED


def state_of_class(
    asset_class: AssetClass, timetable: Timetable | None, at_ms: int
) -> MarketState | None:
    """Return the state of New York's market for a job of shares; None for other classes."""
    return new_york_state(timetable, at_ms) if asset_class is AssetClass.STOCKS else None


def with_new_york_state(quote: Quote, state: MarketState | None) -> Quote:
    """Return the quote; if it is of a share listed in New York, with that market's state.

    While the market is open, such a quote has no price of another session.
    """
    is_share = quote.asset_class is AssetClass.STOCKS
    if state is None or not is_share or not keeps_hours(AssetClass.STOCKS, quote.symbol):
        return quote
    extended = None if state is MarketState.OPEN else quote.extended
    return replace(quote, market_state=state, extended=extended)
