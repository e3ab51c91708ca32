"""The answers about the service: the state of each provider, and its health."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from marketdata.api.readers.health import Status
from marketdata.api.schemas.fields import MarketKind, Shape, Time
from marketdata.domain.breaker import BreakerState
from marketdata.domain.quotes import Source
from marketdata.domain.symbols import AssetClass


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


class ProviderError(Shape):
    """The latest attempt that failed."""

    at: Time
    outcome: str = Field(description="rate_limited, unauthorized, unavailable, ...")
    detail: str = Field(description="What happened, for a person.")


class ProviderClass(Shape):
    """One provider's breaker for one class of assets."""

    asset_class: AssetClass
    state: ProviderState
    reason: str | None = Field(description="Why the breaker opened, or `no_key`.")
    since: Time | None = Field(description="When the breaker came into this state.")
    next_probe_at: Time | None = Field(
        description="When a test call may be made; null while the breaker is closed."
    )
    probing: bool = Field(description="Whether a test call is under way.")
    last_success: Time | None = Field(description="When the provider last answered.")
    last_error: ProviderError | None


class Budget(Shape):
    """One limit of one provider, over a rolling window."""

    window: Window
    limit: Annotated[int, Field(ge=1)] = Field(description="Most calls in any such window.")
    used: Annotated[int, Field(ge=0)] = Field(
        description="Calls reserved or made in the latest window."
    )
    resets_at: Time | None = Field(description="When the oldest of these calls leaves the window.")


class Provider(Shape):
    """One provider: its breakers and what is left of its quotas."""

    provider: Source
    enabled: bool = Field(
        description="Whether the provider is asked: it has its key or needs none."
    )
    attribution: str = Field(description="The text that the provider asks its users to show.")
    classes: list[ProviderClass]
    budget: list[Budget]
    held_until: Time | None = Field(
        description="The provider has asked for no call before this time."
    )
    next_call_at: Time | None = Field(
        description="When the budget of the provider has room for a routine call."
    )
    last_success: Time | None = Field(description="When the provider last answered, in any class.")
    last_error: ProviderError | None


class Providers(Shape):
    """All providers as of the current slot."""

    market: MarketKind
    providers: list[Provider] = Field(description="In a fixed order.")


class CacheHealth(Shape):
    """The state of the cache."""

    reachable: bool


class LoopHealth(Shape):
    """The loop that fetches prices."""

    last_slot: Time | None = Field(
        description="The start of the last slot that the loop worked in."
    )
    lag_s: Annotated[float, Field(ge=0)] | None = Field(
        description="Seconds since the start of that slot."
    )


class ClassHealth(Shape):
    """The active symbols of one class."""

    asset_class: AssetClass
    active: Annotated[int, Field(ge=0)] = Field(
        description="The number of symbols that are always priced."
    )
    fresh: Annotated[int, Field(ge=0)] = Field(description="How many of them have a fresh quote.")
    symbols: list[str] = Field(max_length=100, description="The first of these symbols.")


class QuotesHealth(Shape):
    """The quotes of ACTIVE_SYMBOLS."""

    fresh_ratio: Annotated[float, Field(ge=0, le=1)] | None = Field(
        description="The share of these quotes that is fresh."
    )
    classes: list[ClassHealth]


class ListHealth(Shape):
    """One asset list."""

    asset_class: AssetClass
    total: Annotated[int, Field(ge=0)] | None = Field(
        description="The number of assets in the list."
    )
    updated_at: Time | None = Field(description="When the list was refreshed.")
    age_s: Annotated[int, Field(ge=0)] | None = Field(description="Seconds since that refresh.")
    stale: bool = Field(description="Whether the list is older than it should be.")


class ProviderHealth(Shape):
    """The state of one breaker."""

    provider: Source
    asset_class: AssetClass
    state: ProviderState
    reason: str | None = Field(description="Why the breaker opened, or `no_key`.")


class Health(Shape):
    """Whether the service works, at this moment."""

    status: Status = Field(description="The worst of all findings.")
    reasons: list[str] = Field(description="The findings, the cause first; none when healthy.")
    market: MarketKind
    redis: CacheHealth
    loop: LoopHealth
    quotes: QuotesHealth
    assets: list[ListHealth]
    providers: list[ProviderHealth]
