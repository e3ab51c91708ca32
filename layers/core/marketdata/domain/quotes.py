"""A quote: one price with its source and the source's own time.

Numbers are decimals from the provider's text to the text for the client, so they stay exact.
Between the steps a quote travels in a message (`messages.py`); clients get the JSON that `to_json`
returns.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from json.encoder import encode_basestring_ascii

from marketdata.clock import utc_text
from marketdata.domain.symbols import AssetClass

# The figures beside the price that a quote may have, each a decimal.
FIGURES = ("previous_close", "open", "high", "low", "volume", "market_cap")


class Source(StrEnum):
    """The five providers, by the names that quotes carry."""

    YFINANCE = "yfinance"
    FINNHUB = "finnhub"
    COINGECKO = "coingecko"
    COINMARKETCAP = "coinmarketcap"
    ALPHA_VANTAGE = "alpha_vantage"


class ChangeBasis(StrEnum):
    """What `change` compares with."""

    PREVIOUS_CLOSE = "previous_close"
    ROLLING_24H = "24h"


class MarketState(StrEnum):
    """Whether the market of a quote trades: in the session, before it, after it, or not at all."""

    OPEN = "open"
    CLOSED = "closed"
    PRE = "pre"
    POST = "post"


class ExtendedSession(StrEnum):
    """The two sessions outside the regular one."""

    PRE = "pre"
    POST = "post"


@dataclass(frozen=True, slots=True)
class ExtendedPrice:
    """A price of pre-market or after-hours trading, in the currency of its quote.

    `change` and `percent_change` compare with the regular price. `timestamp`: aware UTC, None
    where the provider gives none.
    """

    session: ExtendedSession
    price: Decimal
    change: Decimal | None
    percent_change: Decimal | None
    timestamp: datetime | None

    def to_json(self) -> str:
        """Return the JSON object that clients get."""
        time = None if self.timestamp is None else utc_text(self.timestamp)
        return (
            f'{{"session":"{self.session.value}","price":{plain(self.price)},'
            f'"change":{_number(self.change)},"percent_change":{_number(self.percent_change)},'
            f'"timestamp":{_text(time)}}}'
        )


@dataclass(frozen=True, slots=True)
class Quote:
    """One price of one symbol.

    `price`, `change`: in `currency` (major unit; ISO 4217, CNH, BTC or ETH). `percent_change`: in
    percent units (1.27 is 1.27 %). `timestamp`: the provider's time of the price, aware UTC, None
    where it gives none. `fetched_at`: our time of the fetch. `change`, `percent_change` and
    `change_basis` are None where the source does not give them. `currency` is None only where the
    source cannot know it.

    `previous_close`, `open`, `high`, `low` (of the day) and `market_cap` are in `currency`.
    `volume` is the number of shares that were traded on the day; for a coin it is the amount that
    was traded in 24 hours, in `currency`. Each is None where the source does not give it, and where
    it cannot be right.
    """

    symbol: str
    asset_class: AssetClass
    price: Decimal
    currency: str | None
    change: Decimal | None
    percent_change: Decimal | None
    change_basis: ChangeBasis | None
    source: Source
    timestamp: datetime | None
    fetched_at: datetime
    previous_close: Decimal | None = None
    open: Decimal | None = None
    high: Decimal | None = None
    low: Decimal | None = None
    volume: Decimal | None = None
    market_cap: Decimal | None = None
    market_state: MarketState | None = None
    extended: ExtendedPrice | None = None

    @property
    def figures(self) -> tuple[Decimal | None, ...]:
        """The figures of the day, in the order of their fields."""
        return tuple(getattr(self, name) for name in FIGURES)

    def to_json(self) -> str:
        """Return the JSON object that clients get, without `stale`, which a reader adds."""
        basis = self.change_basis and self.change_basis.value
        time = None if self.timestamp is None else utc_text(self.timestamp)
        state = self.market_state and self.market_state.value
        extended = "null" if self.extended is None else self.extended.to_json()
        return (
            f'{{"symbol":{_text(self.symbol)},"asset_class":"{self.asset_class.value}",'
            f'"price":{plain(self.price)},"currency":{_text(self.currency)},'
            f'"change":{_number(self.change)},"percent_change":{_number(self.percent_change)},'
            f'"change_basis":{_text(basis)},"previous_close":{_number(self.previous_close)},'
            f'"open":{_number(self.open)},"high":{_number(self.high)},"low":{_number(self.low)},'
            f'"volume":{_number(self.volume)},"market_cap":{_number(self.market_cap)},'
            f'"market_state":{_text(state)},"extended":{extended},"source":"{self.source.value}",'
            f'"timestamp":{_text(time)},'
            f'"fetched_at":"{utc_text(self.fetched_at)}"}}'
        )


def plain(number: Decimal) -> str:
    """Return a decimal as a plain JSON number: no exponent, no trailing zeros after the point."""
    text = format(number, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def _number(number: Decimal | None) -> str:
    return "null" if number is None else plain(number)


def _text(text: str | None) -> str:
    return "null" if text is None else encode_basestring_ascii(text)
