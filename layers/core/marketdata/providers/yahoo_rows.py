"""One row of Yahoo's quote call as a quote. Pure.

Yahoo's rows have different members for each type of asset, so each member may be absent. The unit,
the change and the times of a row are checked against each other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import Decimal
from typing import Any

from marketdata.domain.acceptance import FUTURE_MS, may_be_negative
from marketdata.domain.catalogue import Instrument
from marketdata.domain.changes import agreed_change
from marketdata.domain.day_range import agreed_range
from marketdata.domain.plausible import is_near
from marketdata.domain.quotes import (
    ChangeBasis,
    ExtendedPrice,
    ExtendedSession,
    MarketState,
    Quote,
    Source,
)
from marketdata.domain.symbols import AssetClass, is_index
from marketdata.domain.units import Unit
from marketdata.providers.rows import live_row, unit_in
from marketdata.providers.values import (
    figure,
    market_cap_of,
    number_or_none,
    price_of,
    unix_time,
    volume_of,
    zone_named,
)

Row = Mapping[str, Any]

# PREPRE and POSTPOST are the hours of the night without any trading.
_MARKET_STATES = {
    "REGULAR": MarketState.OPEN,
    "PRE": MarketState.PRE,
    "POST": MarketState.POST,
    "PREPRE": MarketState.CLOSED,
    "POSTPOST": MarketState.CLOSED,
    "CLOSED": MarketState.CLOSED,
}
_RANGE = ("regularMarketOpen", "regularMarketDayHigh", "regularMarketDayLow")
_NOON = 12
_US_ZONE = "America/New_York"  # only listings in the United States have prices of other sessions
_NO_TIME = datetime(1970, 1, 1, tzinfo=UTC)
_SESSIONS = {ExtendedSession.PRE: "preMarket", ExtendedSession.POST: "postMarket"}
# The states in which the price of a session is the latest one. In REGULAR none of them is.
_LATEST_IN = {
    ExtendedSession.PRE: ("PRE",),
    ExtendedSession.POST: ("POST", "POSTPOST", "CLOSED", "PREPRE"),
}


def quote_of(instrument: Instrument, rows: Sequence[Row], fetched_at: datetime) -> Quote | None:
    """Return the quote of an instrument from the rows that carry its symbol; None for no price.

    Raise `BadPayloadError` for a row that cannot be used, and for two that contradict each other.
    """
    signed = may_be_negative(instrument.symbol.text)
    currency = None
    if instrument.asset_class is not AssetClass.STOCKS:
        currency = instrument.symbol.quote  # the price of a pair is in its second currency

    def raw_price(row: Row) -> Decimal | None:
        if row.get("quoteType") == "NONE":
            return None
        return price_of(row.get("regularMarketPrice"), signed=signed)

    def amounts(row: Row) -> _Amounts:
        unit = unit_in(row.get("currency"), currency) or (Unit(currency) if currency else None)
        return _Amounts(unit, signed=signed)

    def price_in(row: Row) -> tuple[Decimal, str] | None:
        price = raw_price(row)
        if price is None:
            return None
        found = amounts(row)
        return found.price(price), found.unit.currency if found.unit else ""

    row = live_row(rows, price_in, lambda row: unix_time(row.get("regularMarketTime")), fetched_at)
    price = None if row is None else raw_price(row)
    if row is None or price is None:
        return None
    return _quote(instrument, row, amounts(row), price, fetched_at)


class _Amounts:
    """Reads the amounts of a row, all in one unit, as amounts in its currency."""

    def __init__(self, unit: Unit | None, *, signed: bool) -> None:
        self.unit = unit
        self.signed = signed

    def price(self, amount: Decimal) -> Decimal:
        """Return a price in the currency."""
        return amount if self.unit is None else self.unit.to_major(amount)

    def major(self, amount: Decimal | None) -> Decimal | None:
        """Return an amount in the currency; None for none."""
        return None if amount is None else self.price(amount)

    def figure(self, row: Row, name: str) -> Decimal | None:
        """Return a price beside the price; None where there is none."""
        return self.major(figure(row.get(name), signed=self.signed))

    def change(self, row: Row, name: str) -> Decimal | None:
        """Return a change of the price, which may be below zero; None where there is none."""
        return self.major(number_or_none(row.get(name)))


def _quote(
    instrument: Instrument, row: Row, amounts: _Amounts, raw_price: Decimal, fetched_at: datetime
) -> Quote:
    price = amounts.price(raw_price)
    is_coin = row.get("quoteType") == "CRYPTOCURRENCY"
    close = amounts.figure(row, "regularMarketPreviousClose")
    if close is not None and not is_near(price, close, signed=amounts.signed):
        close = None
    found = agreed_change(
        price,
        amounts.change(row, "regularMarketChange"),
        number_or_none(row.get("regularMarketChangePercent")),
        None if is_coin else close,  # the change of a coin is over 24 hours and not since a close
        signed=amounts.signed,
    )
    first, high, low = (amounts.figure(row, name) for name in _RANGE)
    day = agreed_range(price, first, high, low, signed=amounts.signed)
    basis = ChangeBasis.ROLLING_24H if is_coin else ChangeBasis.PREVIOUS_CLOSE
    state, timestamp = row.get("marketState"), unix_time(row.get("regularMarketTime"))
    return Quote(
        symbol=instrument.symbol.text,
        asset_class=instrument.asset_class,
        price=price,
        currency=None if amounts.unit is None else amounts.unit.currency,
        change=found.change,
        percent_change=found.percent,
        change_basis=basis if found.is_known else None,
        source=Source.YFINANCE,
        timestamp=timestamp,
        fetched_at=fetched_at,
        previous_close=close if is_coin else found.previous_close,
        open=day.open,
        high=day.high,
        low=day.low,
        volume=_volume(instrument, row),
        market_cap=_market_cap(row, amounts.unit, raw_price),
        market_state=_MARKET_STATES.get(state) if isinstance(state, str) else None,
        extended=_extended(row, amounts, price, timestamp, fetched_at),
    )


def _volume(instrument: Instrument, row: Row) -> Decimal | None:
    """Return the volume of the day. For pairs and indices Yahoo writes 0, and means unknown."""
    volume = volume_of(row.get("regularMarketVolume"))
    is_zero_index = not volume and is_index(instrument.symbol.text)
    unknown = instrument.asset_class is AssetClass.FOREX or is_zero_index
    return None if unknown else volume


def _market_cap(row: Row, unit: Unit | None, raw_price: Decimal) -> Decimal | None:
    """Return the market capitalisation in the currency.

    For a price in pence Yahoo gives the capitalisation in pounds or in pence. The number of shares
    shows which; without that number the capitalisation is unknown.
    """
    cap = market_cap_of(row.get("marketCap"))
    if cap is None or unit is None or not unit.places:
        return cap
    shares = figure(row.get("sharesOutstanding"))
    if shares is None or raw_price <= 0:
        return None
    ratio = cap / (shares * raw_price)
    for found, expected in ((unit.to_major(cap), Decimal(1)), (cap, unit.to_major(Decimal(1)))):
        if expected / 2 < ratio < expected * 2:
            return found
    return None


def _extended(
    row: Row,
    amounts: _Amounts,
    price: Decimal,
    timestamp: datetime | None,
    fetched_at: datetime,
) -> ExtendedPrice | None:
    """Return the latest price outside of the regular session, if it is later than the regular one.

    While the regular session lasts, there is none. A price without a time counts only in a state of
    the market that says that its session is the latest one. A price in the future does not count,
    nor one at a time of day outside of its session, nor one that is not plausible beside the
    regular price.
    """
    zone = zone_named(row.get("exchangeTimezoneName")) or zone_named(_US_ZONE)
    found: list[ExtendedPrice] = []
    for session, prefix in _SESSIONS.items():
        amount = amounts.major(figure(row.get(f"{prefix}Price")))
        at = unix_time(row.get(f"{prefix}Time"))
        if amount is None or not is_near(price, amount, signed=amounts.signed):
            continue
        if not _is_latest(session, row.get("marketState"), at, timestamp, fetched_at):
            continue
        if at is not None and zone is not None and _session_at(at, zone) is not session:
            continue
        change = agreed_change(
            amount,
            amounts.change(row, f"{prefix}Change"),
            number_or_none(row.get(f"{prefix}ChangePercent")),
            price,
            signed=amounts.signed,
        )
        # This change compares with the regular price, so the regular price is the right one.
        agrees = change.previous_close is not None
        found.append(
            ExtendedPrice(
                session=session,
                price=amount,
                change=change.change if agrees else None,
                percent_change=change.percent if agrees else None,
                timestamp=at,
            )
        )
    return max(found, key=lambda one: one.timestamp or _NO_TIME, default=None)


def _is_latest(
    session: ExtendedSession,
    state: Any,
    at: datetime | None,
    regular: datetime | None,
    fetched_at: datetime,
) -> bool:
    """Return whether a session's price at `at` is later than the price of `regular`."""
    if state == "REGULAR" or (at and at - fetched_at > timedelta(milliseconds=FUTURE_MS)):
        return False
    return at > regular if at and regular else state in _LATEST_IN[session]


def _session_at(at: datetime, zone: tzinfo) -> ExtendedSession:
    """Return the session that a time outside of the regular one belongs to.

    The regular session begins in the morning and ends in the afternoon, also on a short day.
    """
    is_morning = at.astimezone(zone).hour < _NOON
    return ExtendedSession.PRE if is_morning else ExtendedSession.POST
