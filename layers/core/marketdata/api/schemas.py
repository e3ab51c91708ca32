"""The documented shapes of the answers, as pydantic models for the OpenAPI document.

Quotes leave the cache as stored bytes, so these models are not filled for an answer. A test
validates real answers with them.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema
from pydantic.json_schema import SkipJsonSchema

from marketdata.api.queries import HistoryRange
from marketdata.api.readers.health import Status
from marketdata.domain.breaker import BreakerState
from marketdata.domain.outcomes import Reason
from marketdata.domain.quotes import ChangeBasis, ExtendedSession, MarketState, Source
from marketdata.domain.symbols import AssetClass

# An exact decimal, which JSON has as a plain number.
Number = Annotated[Decimal, WithJsonSchema({"type": "number"})]


def _without_default(schema: dict[str, Any]) -> None:
    """Document that a field may be absent and is never null."""
    schema.pop("default", None)


RetryAfter = Annotated[
    Annotated[int, Field(ge=1)] | SkipJsonSchema[None],
    Field(
        description="Seconds after which it is worth asking again.",
        json_schema_extra=_without_default,
    ),
]


class MarketKind(StrEnum):
    """What the prices are of."""

    LIVE = "live"
    SIMULATED = "simulated"


class ProviderState(StrEnum):
    """The state of a breaker, or `disabled` for a provider without its key."""

    CLOSED = BreakerState.CLOSED.value
    OPEN = BreakerState.OPEN.value
    HALF_OPEN = BreakerState.HALF_OPEN.value
    DISABLED = "disabled"


class Window(StrEnum):
    """The length of a rolling window."""

    SECOND = "second"
    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"
    MONTH = "month"


class Shape(BaseModel):
    """An answer, or a part of one; it has exactly these fields."""

    model_config = ConfigDict(extra="forbid")


class ExtendedPrice(Shape):
    """The price of pre-market or after-hours trading, in the currency of its quote."""

    session: ExtendedSession = Field(description="Which of the two sessions.")
    price: Number
    change: Number | None = Field(description="Against the regular price.")
    percent_change: Number | None = Field(description="The same in percent.")
    timestamp: datetime | None = Field(description="The provider's time of the price.")


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
    rate_timestamp: datetime | None = Field(description="The older time of these pairs' prices.")
    rate_stale: bool = Field(description="Whether any of these pairs' quotes is stale.")


class SymbolError(Shape):
    """Why a requested symbol has no quote."""

    symbol: str = Field(description="Canonical spelling, or the requested one if it is not valid.")
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
    currency: str | None = Field(description="ISO 4217 code; null if the source does not say it.")
    change: Number | None = Field(description="Against `change_basis`, in `currency`.")
    percent_change: Number | None = Field(description="The same in percent: 1.27 is 1.27 %.")
    change_basis: ChangeBasis | None = Field(description="What the change compares with.")
    previous_close: Number | None = Field(description="In `currency`.")
    open: Number | None = Field(description="The first price of the day, in `currency`.")
    high: Number | None = Field(description="The highest price of the day, in `currency`.")
    low: Number | None = Field(description="The lowest price of the day, in `currency`.")
    volume: Number | None = Field(description="What was traded: shares, or `currency` for coins.")
    market_cap: Number | None = Field(description="The market capitalisation, in `currency`.")
    market_state: MarketState | None = Field(description="Null if it is not known.")
    extended: ExtendedPrice | None = Field(description="The price outside the regular session.")
    source: Source = Field(description="The provider that gave all these figures.")
    timestamp: datetime | None = Field(
        description="The provider's time of the price; null if it gives none."
    )
    fetched_at: datetime = Field(description="When we fetched it.")
    converted: Converted | None = Field(
        default=None, description="Only with `currency`; null if there is no rate."
    )
    conversion_error: SymbolError | SkipJsonSchema[None] = Field(
        default=None,
        description="Why `converted` is null.",
        json_schema_extra=_without_default,
    )
    stale: bool = Field(description="Whether it is older than it should be.")


class SingleQuote(Quote):
    """The quote of one symbol, and the market that its price is from."""

    market: MarketKind


class Quotes(Shape):
    """Each distinct requested symbol exactly once, in request order, in one of the two lists."""

    market: MarketKind
    quotes: list[Quote]
    errors: list[SymbolError]
    aliases: dict[str, str] = Field(
        description="The canonical symbol of each one that was asked for in another spelling."
    )


class History(Shape):
    """The recorded prices of one symbol."""

    symbol: str = Field(description="Canonical spelling: AAPL, BTC-USD, EUR/USD.")
    currency: str | None = Field(
        description="Of the prices, ISO 4217 code; null if the source does not tell it."
    )
    interval_s: Annotated[int, Field(ge=1)] = Field(description="Seconds between two points.")
    points: list[Annotated[list[Number], Field(min_length=2, max_length=2)]] = Field(
        description="Each is the start of its minute or hour in epoch seconds, and the price then."
    )


class Histories(Shape):
    """Each distinct requested symbol exactly once, in request order, in one of the two lists."""

    market: MarketKind
    range: HistoryRange
    history: list[History]
    errors: list[SymbolError]
    aliases: dict[str, str] = Field(
        description="The canonical symbol of each one that was asked for in another spelling."
    )


class Asset(Shape):
    """One asset that can be priced."""

    symbol: str = Field(description="Canonical spelling: AAPL, BTC-USD, EUR/USD.")
    name: str
    exchange: str | None = Field(description="Where it is listed.")
    currency: str | None = Field(description="ISO 4217 code.")
    rank: Annotated[int, Field(ge=1)] | None = Field(
        description="Its place by market capitalisation."
    )
    ids: dict[str, str] = Field(description="What each provider that lists it calls it.")
    sources: list[Source] = Field(description="The providers that list it.")
    replaced: str = Field(
        default="",
        description="The coin that had this ticker before, and until when; absent if none had.",
    )


class Assets(Shape):
    """One page of the assets of a class, ranked; or of those that a search found."""

    market: MarketKind
    asset_type: AssetClass
    assets: list[Asset]
    total: Annotated[int, Field(ge=0)] = Field(description="How many there are in all.")
    next_cursor: str | None = Field(description="Where the next page starts; null on the last.")
    updated_at: datetime = Field(description="When the list was refreshed.")
    stale: bool = Field(description="Whether the list is older than it should be.")


class FoundAsset(Asset):
    """An asset that a search found."""

    asset_class: AssetClass


class Search(Shape):
    """What a search over all classes found, the best match first."""

    market: MarketKind
    q: str = Field(description="What was searched for.")
    results: list[FoundAsset]
    total: Annotated[int, Field(ge=0)] = Field(description="How many match in all.")


class ProviderError(Shape):
    """The latest attempt that failed."""

    at: datetime
    outcome: str = Field(description="rate_limited, unauthorized, unavailable, ...")
    detail: str = Field(description="What happened, for a person.")


class ProviderClass(Shape):
    """One provider's breaker for one class of assets."""

    asset_class: AssetClass
    state: ProviderState
    reason: str | None = Field(description="Why it opened, or `no_key`.")
    since: datetime | None = Field(description="When it came into this state.")
    next_probe_at: datetime | None = Field(
        description="When it may be tried again; null while closed."
    )
    probing: bool = Field(description="Whether a test call is under way.")
    last_success: datetime | None = Field(description="When it last answered.")
    last_error: ProviderError | None


class Budget(Shape):
    """One limit of one provider, over a rolling window."""

    window: Window
    limit: Annotated[int, Field(ge=1)] = Field(description="Most calls in any such window.")
    used: Annotated[int, Field(ge=0)] = Field(description="Calls reserved or made in the last one.")
    resets_at: datetime | None = Field(
        description="When the oldest of these calls leaves the window."
    )


class Provider(Shape):
    """One provider: its breakers and what is left of its quotas."""

    provider: Source
    enabled: bool = Field(description="Whether it is asked at all: it has its key or needs none.")
    attribution: str = Field(description="What it asks its users to show.")
    classes: list[ProviderClass]
    budget: list[Budget]
    held_until: datetime | None = Field(
        description="No call before that, because the provider said so."
    )
    next_call_at: datetime | None = Field(
        description="When its budget has room for a routine call."
    )
    last_success: datetime | None = Field(description="When it last answered, in any class.")
    last_error: ProviderError | None


class Providers(Shape):
    """All providers as of the current slot."""

    market: MarketKind
    providers: list[Provider] = Field(description="In a fixed order.")


class CacheHealth(Shape):
    """The cache."""

    reachable: bool


class LoopHealth(Shape):
    """The loop that fetches."""

    last_slot: datetime | None = Field(description="The last slot it worked in.")
    lag_s: Annotated[float, Field(ge=0)] | None = Field(
        description="How long ago that was, in seconds."
    )


class ClassHealth(Shape):
    """The active symbols of one class."""

    asset_class: AssetClass
    active: Annotated[int, Field(ge=0)] = Field(description="How many are always priced.")
    fresh: Annotated[int, Field(ge=0)] = Field(description="How many of them have a fresh quote.")
    symbols: list[str] = Field(max_length=100, description="The first of them.")


class QuotesHealth(Shape):
    """The quotes of ACTIVE_SYMBOLS."""

    fresh_ratio: Annotated[float, Field(ge=0, le=1)] | None = Field(
        description="The share that is fresh."
    )
    classes: list[ClassHealth]


class ListHealth(Shape):
    """One asset list."""

    asset_class: AssetClass
    total: Annotated[int, Field(ge=0)] | None = Field(description="How long it is.")
    updated_at: datetime | None = Field(description="When it was refreshed.")
    age_s: Annotated[int, Field(ge=0)] | None = Field(
        description="How long ago that was, in seconds."
    )
    stale: bool = Field(description="Whether it is older than it should be.")


class ProviderHealth(Shape):
    """One breaker."""

    provider: Source
    asset_class: AssetClass
    state: ProviderState
    reason: str | None = Field(description="Why it opened, or `no_key`.")


class Health(Shape):
    """Whether the service does its work, at this moment."""

    status: Status = Field(description="The worst of all findings.")
    reasons: list[str] = Field(description="The findings, the cause first; none when healthy.")
    market: MarketKind
    redis: CacheHealth
    loop: LoopHealth
    quotes: QuotesHealth
    assets: list[ListHealth]
    providers: list[ProviderHealth]


class Problem(BaseModel):
    """Why a request has no answer (RFC 9457)."""

    type: str = Field(description="A link to the meaning of `code`.")
    title: str
    status: Annotated[int, Field(ge=400, le=599)]
    detail: str = Field(description="What is wrong, for a person.")
    code: str = Field(description="The kind of problem, for a program.")
    instance: str = Field(description="The path that was asked for.")
    retry_after: RetryAfter = None
    suggestions: list[str] = Field(
        default_factory=list, description="Symbols that may have been meant."
    )
