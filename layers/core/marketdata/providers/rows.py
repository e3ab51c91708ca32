"""Turns the rows of an answer into quotes and reasons, for all providers alike. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar

from marketdata.domain.acceptance import FUTURE_MS
from marketdata.domain.catalogue import Instrument
from marketdata.domain.changes import agreed_change, change_from_percent
from marketdata.domain.outcomes import MissingQuote, Reason
from marketdata.domain.quotes import ChangeBasis, Quote, Source
from marketdata.domain.units import Unit, unit_of
from marketdata.errors import BadPayloadError
from marketdata.providers.contract import Parsed
from marketdata.providers.values import (
    market_cap_of,
    number_or_none,
    price_of,
    shown,
    volume_of,
)

# If all rows of an answer are bad, and at least this many, the answer counts as bad. Fewer bad rows
# count as defects of their symbols.
LEAST_BAD_ROWS = 3
# Of two rows for one symbol, one that is this much older than the other is not traded any more.
_DEAD_AFTER = timedelta(days=1)
_Row = TypeVar("_Row")
_Price = tuple[Decimal, str]  # and its currency, empty if that is not known


def settle(
    source: Source, batch: Sequence[Instrument], read: Callable[[Instrument], Quote | None]
) -> Parsed:
    """Return quotes and reasons from `read`, which gives a quote, None or an error for each symbol.

    A `BadPayloadError` of `read` makes a bad row of that symbol. Raise it for the whole answer
    only if there is no quote, and at least `LEAST_BAD_ROWS` rows are bad.
    """
    quotes: list[Quote] = []
    missing: list[MissingQuote] = []
    bad: list[MissingQuote] = []
    for instrument in batch:
        try:
            quote = read(instrument)
        except BadPayloadError as error:
            bad.append(bad_row(source, instrument, str(error)))
            continue
        if quote is None:
            missing.append(not_found(source, instrument.symbol.text))
        else:
            quotes.append(quote)
    if len(bad) >= LEAST_BAD_ROWS and not quotes:
        raise BadPayloadError(f"{bad[0].message}; no row is usable")
    return Parsed(tuple(quotes), tuple(missing), bad_rows=tuple(bad))


def not_found(source: Source, symbol: str) -> MissingQuote:
    """Return the reason of a symbol that a provider does not know or has no price for."""
    return MissingQuote(symbol, Reason.NOT_FOUND, f"{source.value}: no quote for {symbol}")


def bad_row(source: Source, instrument: Instrument, problem: str) -> MissingQuote:
    """Return the reason of a symbol whose row cannot be used; `problem` says what is wrong."""
    symbol = instrument.symbol.text
    return MissingQuote(symbol, Reason.PROVIDER_UNAVAILABLE, f"{source.value}: {symbol}: {problem}")


def unit_in(label: Any, currency: str | None = None) -> Unit | None:
    """Return the unit that a row's label names; None without a label.

    Raise `BadPayloadError` with the label if it is unknown, or is not a unit of `currency` where
    that is known.
    """
    if label is None or label == "":
        return None
    if currency is not None and label == currency:  # which may be a coin
        return Unit(currency)
    unit = unit_of(label) if isinstance(label, str) else None
    if unit is None:
        raise BadPayloadError(f"not a currency: {shown(label)}")
    if currency is not None and unit.currency != currency:
        raise BadPayloadError(f"a price in {shown(label)}, not {currency}")
    return unit


def live_row(
    rows: Iterable[_Row],
    price_in: Callable[[_Row], _Price | None],
    time_in: Callable[[_Row], datetime | None],
    fetched_at: datetime,
) -> _Row | None:
    """Return the row of one symbol that has a current price; None where no row has a price.

    `price_in` returns a row's price and currency, None for a row without a price. Raise
    `BadPayloadError` if two current rows have different prices, and the error of `price_in` if
    there is no current row.
    """
    priced: list[tuple[_Price, datetime | None, _Row]] = []
    problem: BadPayloadError | None = None
    for row in rows:
        try:
            price = price_in(row)
        except BadPayloadError as error:
            problem = problem or error
            continue
        if price is not None:
            priced.append((price, time_in(row), row))
    if problem is not None and not priced:
        raise problem
    current = _current(priced, fetched_at)
    prices = list(dict.fromkeys(price for price, _, _ in current))
    if len(prices) > 1:
        first, second = map(_shown_price, prices[:2])
        raise BadPayloadError(f"two rows contradict each other: {first} and {second}")
    return current[0][2] if current else None


def _current(
    priced: list[tuple[_Price, datetime | None, _Row]], fetched_at: datetime
) -> list[tuple[_Price, datetime | None, _Row]]:
    """Return the rows whose time is neither in the future nor a day before another one's.

    A row without a time counts. If all times are in the future, the rows are compared as they are.
    """
    latest = fetched_at + timedelta(milliseconds=FUTURE_MS)
    past = [one for one in priced if one[1] is None or one[1] <= latest] or priced
    newest = max((time for _, time, _ in past if time is not None), default=None)
    return [
        one for one in past if one[1] is None or newest is None or newest - one[1] < _DEAD_AFTER
    ]


def quote_over_24h(
    instrument: Instrument,
    source: Source,
    *,
    price: Any,
    percent: Any,
    volume: Any,
    market_cap: Any,
    timestamp: datetime | None,
    fetched_at: datetime,
) -> Quote | None:
    """Return a coin's quote from its price and its percent change over 24 hours, as received.

    None without a price. Raise `BadPayloadError` for a price that is not a positive number.
    """
    amount, given_percent = price_of(price), number_or_none(percent)
    if amount is None:
        return None
    found = agreed_change(amount, None, given_percent)
    change = None
    if found.percent is not None and given_percent is not None:
        change = change_from_percent(amount, given_percent)
    return Quote(
        symbol=instrument.symbol.text,
        asset_class=instrument.asset_class,
        price=amount,
        currency=instrument.symbol.quote,
        change=change,
        percent_change=found.percent,
        change_basis=None if found.percent is None else ChangeBasis.ROLLING_24H,
        source=source,
        timestamp=timestamp,
        fetched_at=fetched_at,
        volume=volume_of(volume),
        market_cap=market_cap_of(market_cap),
    )


def _shown_price(price: _Price) -> str:
    amount, currency = price
    return f"{amount:f} {currency or 'without a currency'}"
