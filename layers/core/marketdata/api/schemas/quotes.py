"""The answers with quotes and with recorded prices, and the reasons of missing symbols.

Only `SymbolError` is filled for an answer. The others document answers that are joined from stored
bytes (`readers/quotes` and `readers/history` give the reasons); a test validates such answers.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from marketdata.api.schemas.fields import (
    MarketKind,
    Number,
    RetryAfter,
    Shape,
    Time,
    without_default,
)
from marketdata.domain.history import HistoryRange
from marketdata.domain.outcomes import Reason
from marketdata.domain.quotes import ChangeBasis, ExtendedSession, MarketState, Source
from marketdata.domain.symbols import AssetClass


class ExtendedPrice(Shape):
    """The price of pre-market or after-hours trading, in the currency of its quote."""

    session: ExtendedSession = Field(description="Pre-market or after-hours.")
    price: Number
    change: Number | None = Field(description="Against the regular price.")
    percent_change: Number | None = Field(description="The change in percent.")
    timestamp: Time | None = Field(description="The provider's time of the price.")


class Converted(Shape):
    """The price in the currency that the request asks for."""

    currency: str
    price: Number = Field(description="The price times `rate`, with 12 significant digits.")
    change: Number | None = Field(description="The change times `rate`.")
    rate: Number = Field(description="Units of this currency for one unit of the quote's.")
    rate_symbol: str | None = Field(
        description="The pair that the rate is from, two with a comma for a rate over USD; null if "
        "the price is in this currency already."
    )
    rate_source: str | None = Field(description="The providers of these pairs.")
    rate_timestamp: Time | None = Field(description="The older time of these pairs' prices.")
    rate_stale: bool = Field(description="Whether any of these pairs' quotes is stale.")


class SymbolError(Shape):
    """Why a requested symbol has no quote."""

    symbol: str = Field(
        description="Canonical spelling, or the text of the request if it is not valid."
    )
    code: Reason
    message: str = Field(description="The reason, for a person.")
    retry_after: RetryAfter = None
    suggestions: list[str] = Field(
        default_factory=list, description="Symbols that may have been meant."
    )


class Quote(Shape):
    """One price of one asset, with its source and that source's own time."""

    symbol: str = Field(description="Canonical spelling: AAPL, BTC-USD, EUR/USD.")
    asset_class: AssetClass
    price: Number = Field(description="In `currency`, major units.")
    currency: str | None = Field(
        description="A code of ISO 4217, CNH, or BTC or ETH for a coin that is priced in it; null "
        "if the source does not say it."
    )
    change: Number | None = Field(description="Against `change_basis`, in `currency`.")
    percent_change: Number | None = Field(description="The change in percent: 1.27 is 1.27 %.")
    change_basis: ChangeBasis | None = Field(description="What the change compares with.")
    previous_close: Number | None = Field(description="In `currency`.")
    open: Number | None = Field(description="The first price of the day, in `currency`.")
    high: Number | None = Field(description="The highest price of the day, in `currency`.")
    low: Number | None = Field(description="The lowest price of the day, in `currency`.")
    volume: Number | None = Field(
        description="Shares of the day; for coins, `currency` of 24 hours."
    )
    market_cap: Number | None = Field(description="The market capitalisation, in `currency`.")
    market_state: MarketState | None = Field(
        description="Whether the market trades; null if that is not known."
    )
    extended: ExtendedPrice | None = Field(description="The price outside the regular session.")
    source: Source = Field(description="The provider that gave all these figures.")
    timestamp: Time | None = Field(
        description="The provider's time of the price; null if it gives none."
    )
    fetched_at: Time = Field(description="When the service fetched the quote.")
    converted: Converted | None = Field(
        default=None, description="Only with `currency`; null if there is no rate."
    )
    conversion_error: SymbolError | SkipJsonSchema[None] = Field(
        default=None,
        description="Why `converted` is null.",
        json_schema_extra=without_default,
    )
    stale: bool = Field(description="Whether the quote is older than it should be.")


class SingleQuote(Quote):
    """The quote of one symbol, and whether its price is live or simulated."""

    market: MarketKind


class Quotes(Shape):
    """Each distinct requested symbol exactly once, in request order, in one of the two lists."""

    market: MarketKind
    quotes: list[Quote]
    errors: list[SymbolError]
    aliases: dict[str, str] = Field(
        description="The canonical symbol of each symbol that the request has in another spelling."
    )


class History(Shape):
    """The recorded prices of one symbol."""

    symbol: str = Field(description="Canonical spelling: AAPL, BTC-USD, EUR/USD.")
    currency: str | None = Field(
        description="The currency of the prices, as in a quote; null if it is not known."
    )
    interval_s: Annotated[int, Field(ge=1)] = Field(description="Seconds between two points.")
    points: list[Annotated[list[Number], Field(min_length=2, max_length=2)]] = Field(
        description="Each is the start of a minute or hour, epoch seconds, and its first price."
    )


class Histories(Shape):
    """Each distinct requested symbol exactly once, in request order, in one of the two lists."""

    market: MarketKind
    range: HistoryRange
    history: list[History]
    errors: list[SymbolError]
    aliases: dict[str, str] = Field(
        description="The canonical symbol of each symbol that the request has in another spelling."
    )
