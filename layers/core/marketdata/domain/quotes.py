"""A quote: one price with its source and its own time, and its two wire forms.

Numbers are decimals from the provider's text to the client's, so no binary noise is ever added.
Between steps a quote travels as JSON with its decimals as strings (Step Functions would turn JSON
numbers into doubles); to clients it goes as JSON with plain numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from json.encoder import encode_basestring_ascii
from typing import Any

from marketdata.clock import parse_utc, utc_text
from marketdata.domain.symbols import AssetClass

# The figures beside the price that a quote may have, each a decimal.
_FIGURES = ("previous_close", "open", "high", "low", "volume", "market_cap")


class Source(StrEnum):
    """The five providers, by the names that quotes carry."""

    YFINANCE = "yfinance"
    FINNHUB = "finnhub"
    COINGECKO = "coingecko"
    COINMARKETCAP = "coinmarketcap"
    ALPHA_VANTAGE = "alpha_vantage"


class ChangeBasis(StrEnum):
    """What `change` is measured against."""

    PREVIOUS_CLOSE = "previous_close"
    ROLLING_24H = "24h"


class MarketState(StrEnum):
    """Whether the market of a quote trades: in its session, before it, after it, or not at all."""

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

    def to_step(self) -> dict[str, Any]:
        """As plain JSON, decimals as strings."""
        return {
            "session": self.session.value,
            "price": plain(self.price),
            "change": _plain_or_none(self.change),
            "percent_change": _plain_or_none(self.percent_change),
            "timestamp": None if self.timestamp is None else utc_text(self.timestamp),
        }

    @classmethod
    def from_step(cls, step: Mapping[str, Any]) -> ExtendedPrice:
        """What `to_step` wrote."""
        time = step["timestamp"]
        return cls(
            session=ExtendedSession(step["session"]),
            price=Decimal(step["price"]),
            change=_decimal_or_none(step["change"]),
            percent_change=_decimal_or_none(step["percent_change"]),
            timestamp=None if time is None else parse_utc(time),
        )

    def to_json(self) -> str:
        """As clients see it."""
        time = None if self.timestamp is None else utc_text(self.timestamp)
        return (
            f'{{"session":"{self.session.value}","price":{plain(self.price)},'
            f'"change":{_number(self.change)},"percent_change":{_number(self.percent_change)},'
            f'"timestamp":{_text(time)}}}'
        )


@dataclass(frozen=True, slots=True)
class Quote:
    """One price of one symbol.

    `price`, `change`: in `currency` (ISO 4217, major unit). `percent_change`: in percent units
    (1.27 is 1.27 %). `timestamp`: the provider's time of the price, aware UTC, None where it gives
    none; `fetched_at`: ours. `change`, `percent_change` and `change_basis` are None where the
    source does not tell them. `currency` is None only where the source cannot know it.

    `previous_close`, `open`, `high`, `low` (of the day) and `market_cap` are in `currency`.
    `volume` is in shares of the day; for a coin it is what was traded in 24 hours, in `currency`.
    Each is None where the source does not give it.
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
        return tuple(getattr(self, name) for name in _FIGURES)

    def to_step(self) -> dict[str, Any]:
        """The form in which a quote passes from one step to the next: decimals as strings."""
        step: dict[str, Any] = {
            "symbol": self.symbol,
            "asset_class": self.asset_class.value,
            "price": plain(self.price),
            "currency": self.currency,
            "change": None if self.change is None else plain(self.change),
            "percent_change": None if self.percent_change is None else plain(self.percent_change),
            "change_basis": None if self.change_basis is None else self.change_basis.value,
            "source": self.source.value,
            "timestamp": None if self.timestamp is None else utc_text(self.timestamp),
            "fetched_at": utc_text(self.fetched_at),
        }
        # An absent figure is left out: the report of a large job must stay small.
        step |= {
            name: plain(value) for name in _FIGURES if (value := getattr(self, name)) is not None
        }
        if self.market_state is not None:
            step["market_state"] = self.market_state.value
        if self.extended is not None:
            step["extended"] = self.extended.to_step()
        return step

    @classmethod
    def from_step(cls, step: Mapping[str, Any]) -> Quote:
        """The quote that `to_step` wrote."""
        basis, time = step["change_basis"], step["timestamp"]
        change, percent = step["change"], step["percent_change"]
        state, extended = step.get("market_state"), step.get("extended")
        return cls(
            symbol=step["symbol"],
            asset_class=AssetClass(step["asset_class"]),
            price=Decimal(step["price"]),
            currency=step["currency"],
            change=None if change is None else Decimal(change),
            percent_change=None if percent is None else Decimal(percent),
            change_basis=None if basis is None else ChangeBasis(basis),
            source=Source(step["source"]),
            timestamp=None if time is None else parse_utc(time),
            fetched_at=parse_utc(step["fetched_at"]),
            market_state=None if state is None else MarketState(state),
            extended=None if extended is None else ExtendedPrice.from_step(extended),
            **{name: _decimal_or_none(step.get(name)) for name in _FIGURES},
        )

    def to_json(self) -> str:
        """The quote as clients see it, but for `stale`, which only the reader's clock can tell."""
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
    """A decimal as a plain JSON number: no exponent, no trailing zeros after the point."""
    text = format(number, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def _plain_or_none(number: Decimal | None) -> str | None:
    return None if number is None else plain(number)


def _decimal_or_none(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def _number(number: Decimal | None) -> str:
    return "null" if number is None else plain(number)


def _text(text: str | None) -> str:
    return "null" if text is None else encode_basestring_ascii(text)
