"""The answers with assets: a page of a list, and the results of a search.

These models are not filled for an answer, because its rows leave the cache as stored bytes
(`readers/assets` gives the reason). A test validates such answers.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from marketdata.api.schemas.fields import MarketKind, Shape, Time, without_default
from marketdata.domain.quotes import Source
from marketdata.domain.symbols import AssetClass


class Asset(Shape):
    """One asset that can be priced."""

    symbol: str = Field(description="Canonical spelling: AAPL, BTC-USD, EUR/USD.")
    name: str
    exchange: str | None = Field(description="The exchange on which the asset is listed.")
    currency: str | None = Field(description="ISO 4217 code.")
    rank: Annotated[int, Field(ge=1)] | None = Field(
        description="The place of the asset by market capitalisation."
    )
    ids: dict[str, str] = Field(description="The id of the asset at each provider that lists it.")
    sources: list[Source] = Field(description="The providers that list the asset.")
    replaced: str = Field(
        default="",
        description="The coin that had this ticker before, and until when; absent if none had.",
        json_schema_extra=without_default,
    )


class Assets(Shape):
    """One page of the assets of a class, ranked; or of those that a search found."""

    market: MarketKind
    asset_type: AssetClass
    assets: list[Asset]
    total: Annotated[int, Field(ge=0)] = Field(
        description="The number of all assets, on all pages."
    )
    next_cursor: str | None = Field(description="Where the next page starts; null on the last.")
    updated_at: Time = Field(description="When the list was refreshed.")
    stale: bool = Field(description="Whether the list is older than it should be.")


class FoundAsset(Asset):
    """An asset that a search found."""

    asset_class: AssetClass


class Search(Shape):
    """What a search over all classes found, the best match first."""

    market: MarketKind
    q: str = Field(description="The text that was searched for.")
    results: list[FoundAsset]
    total: Annotated[int, Field(ge=0)] = Field(description="The number of all matches.")
