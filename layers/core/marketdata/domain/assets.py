"""Assets that can be priced: the rows of the providers, and one ranked list for each class."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from marketdata.domain.quotes import Source
from marketdata.domain.symbols import AssetClass


@dataclass(frozen=True, slots=True)
class Listing:
    """One row of a provider's list, with our names for its fields.

    `symbol`: canonical (`AAPL`, `EUR/USD`), one currency code (`EUR`), or a coin's ticker against
    USD (`BTC-USD`), also where that is not a symbol of a coin (`MNT-USD`). `provider_id`: the
    provider's id of the asset. `rank`: 1 is first (by market capitalisation), None where the list
    is not ranked. `slug`: a second name by which the same asset may be recognised in another
    provider's list.
    """

    symbol: str
    name: str
    source: Source
    provider_id: str
    exchange: str | None = None
    currency: str | None = None
    rank: int | None = None
    slug: str | None = None


@dataclass(frozen=True, slots=True)
class Asset:
    """One asset of the merged list.

    `ids`: the id of the asset at each source that lists it. `rank`: its place by market
    capitalisation, None if no provider ranks it; ranked assets come first. `replaced` tells which
    coin had the symbol before, and until when; empty if none had.
    """

    symbol: str
    asset_class: AssetClass
    name: str
    exchange: str | None
    currency: str | None
    rank: int | None
    ids: Mapping[str, str] = field(default_factory=dict)
    replaced: str = ""

    def to_json(self) -> dict[str, object]:
        """Return the asset as the JSON that clients read and that the archive keeps."""
        row: dict[str, object] = {
            "symbol": self.symbol,
            "name": self.name,
            "exchange": self.exchange,
            "currency": self.currency,
            "rank": self.rank,
            "ids": dict(self.ids),
            "sources": sorted(self.ids),
        }
        return {**row, "replaced": self.replaced} if self.replaced else row


@dataclass(frozen=True, slots=True)
class FormerCoin:
    """The coin that a ticker named in an earlier list; `listed_at`: the time of its last list."""

    name: str
    ids: Mapping[str, str]
    listed_at: datetime


@dataclass(frozen=True, slots=True)
class AssetList:
    """The whole list of one class, as it is archived and swapped in.

    `updated_at`: when its providers answered, aware UTC. `sources`: the providers that answered.
    `former`: the coins of tickers that no asset of this list has, by ticker.
    """

    asset_class: AssetClass
    version: str
    updated_at: datetime
    sources: tuple[Source, ...]
    assets: tuple[Asset, ...]
    former: Mapping[str, FormerCoin] = field(default_factory=dict)
