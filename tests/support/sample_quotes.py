"""Quotes made by the second, for the tests of the quote store."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from marketdata.cache.quote_store import QuoteStore
from marketdata.clock import epoch_ms
from marketdata.domain.catalogue import CHAINS
from marketdata.domain.quotes import ChangeBasis, Quote, Source
from marketdata.domain.symbols import parse_symbol

START = datetime(2026, 3, 2, 15, 0, 0, 123000, tzinfo=UTC)


def at_ms(second: float) -> int:
    """A second after the start, in epoch milliseconds."""
    return epoch_ms(START + timedelta(seconds=second))


def quote(
    price: object,
    fetched: float,
    source: Source | None = None,
    *,
    time: float | str | None = "same",
    symbol: str = "AAPL",
    currency: str | None = "USD",
    without_change: bool = False,
) -> Quote:
    """A quote fetched at a second after the start, of that `time` unless another one is given.

    Without a `source` it is of the first one in the chain of its class.
    """
    second = fetched if time == "same" else time
    asset_class = parse_symbol(symbol).asset_class
    return Quote(
        symbol=symbol,
        asset_class=asset_class,
        price=Decimal(str(price)),
        currency=currency,
        change=None if without_change else Decimal("1.5"),
        percent_change=None if without_change else Decimal("0.83"),
        change_basis=None if without_change else ChangeBasis.PREVIOUS_CLOSE,
        source=source or CHAINS[asset_class][0],
        timestamp=None if second is None else START + timedelta(seconds=float(second)),
        fetched_at=START + timedelta(seconds=fetched),
    )


def put(store: QuoteStore, *quotes: Quote, now: float | None = None) -> list[str]:
    """The verdicts of one call as text, at the second `now`, or else at its latest fetch."""
    latest = max(epoch_ms(each.fetched_at) for each in quotes)
    verdicts = store.put(quotes, latest if now is None else at_ms(now))
    return [v.result.value + (f":{v.reason}" if v.reason else "") for v in verdicts]


def price(store: QuoteStore, symbol: str = "AAPL") -> str:
    """The price that a reader sees."""
    return store.last([symbol])[symbol].price


def held(store: QuoteStore, symbol: str = "AAPL") -> bool:
    """Whether a price is held."""
    return store.reasons([symbol]) != [None]
