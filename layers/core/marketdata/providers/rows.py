"""From the rows of an answer to quotes and reasons, the same for all providers. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import InvalidOperation
from typing import Any

from marketdata.domain.catalogue import Instrument
from marketdata.domain.outcomes import MissingQuote, Reason
from marketdata.domain.quotes import ChangeBasis, Quote, Source, change_from_percent
from marketdata.errors import BadPayloadError
from marketdata.providers.contract import Parsed
from marketdata.providers.values import number_or_none, price_of


def settle(
    source: Source, batch: Sequence[Instrument], read: Callable[[Instrument], Quote | None]
) -> Parsed:
    """Return what `read` makes of each instrument: a quote, None for no quote, or an error.

    A `BadPayloadError` of `read` concerns that row only. Raise it when every row is bad.
    """
    quotes: list[Quote] = []
    missing: list[MissingQuote] = []
    bad: list[str] = []
    for instrument in batch:
        symbol = instrument.symbol.text
        try:
            quote = read(instrument)
        except BadPayloadError as error:
            bad.append(f"{source.value}: {symbol}: {error}")
            missing.append(MissingQuote(symbol, Reason.PROVIDER_UNAVAILABLE, bad[-1]))
            continue
        if quote is None:
            missing.append(not_found(source, symbol))
        else:
            quotes.append(quote)
    if bad and len(bad) == len(batch):
        raise BadPayloadError(bad[0])
    return Parsed(tuple(quotes), tuple(missing))


def not_found(source: Source, symbol: str) -> MissingQuote:
    """Return the reason of a symbol that a provider does not know or has no price for."""
    return MissingQuote(symbol, Reason.NOT_FOUND, f"{source.value}: no quote for {symbol}")


def quote_over_24h(
    instrument: Instrument,
    source: Source,
    *,
    price: Any,
    percent: Any,
    timestamp: datetime | None,
    fetched_at: datetime,
) -> Quote | None:
    """Return a coin's quote from its price and its percent change over 24 hours, as received.

    None without a price. Raise `BadPayloadError` for a price that is not a positive number.
    """
    amount, percent = price_of(price), number_or_none(percent)
    if amount is None:
        return None
    try:
        change = None if percent is None else change_from_percent(amount, percent)
    except InvalidOperation:  # a change of more digits than decimals are given
        change = None
    return Quote(
        symbol=instrument.symbol.text,
        asset_class=instrument.asset_class,
        price=amount,
        currency=instrument.symbol.quote,
        change=change,
        percent_change=percent,
        change_basis=None if percent is None else ChangeBasis.ROLLING_24H,
        source=source,
        timestamp=timestamp,
        fetched_at=fetched_at,
    )
