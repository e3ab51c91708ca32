"""One search over the lists of all classes: the best matches first, then the better ranked."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import TYPE_CHECKING

from marketdata.api.readers.bad_request import BadRequestError, one_of
from marketdata.clock import SLOT_S
from marketdata.domain.search_index import Tier
from marketdata.domain.symbols import AssetClass

if TYPE_CHECKING:
    from marketdata.cache.asset_store import AssetStore

DEFAULT_RESULTS = 20
MAX_RESULTS = 100


def class_name(text: str) -> str:
    """Return the name of an asset class. Raise BadValueError for any other text."""
    return one_of(text, AssetClass)


@dataclass(frozen=True, slots=True)
class SearchReader:
    """Searches the current lists."""

    assets: AssetStore

    def search(
        self,
        q: str,
        *,
        market: str,
        asset_class: AssetClass | None = None,
        limit: int = DEFAULT_RESULTS,
    ) -> bytes:
        """Return `{market, q, results, total}` as JSON; each result is an asset with its class.

        `market` is `live` or `simulated`; with `asset_class`, only that list is searched. Raises
        `BadRequestError` `pending` before the first list, and `CacheUnavailableError`.
        """
        classes = tuple(AssetClass) if asset_class is None else (asset_class,)
        versions = self._versions(classes)
        if not versions:
            raise BadRequestError("pending", "No list of assets is there yet.", SLOT_S)
        tiers = {listed: self.assets.tiers(listed, versions[listed], q) for listed in versions}
        total = sum(len(places) for lists in tiers.values() for places in lists)
        rows = self._rows(versions, _best(tiers, limit))
        # The model `Search` only documents the answer: its rows are joined as those of a page are.
        head = json.dumps({"market": market, "q": q}, separators=(",", ":")).encode()
        return b'%b,"results":[%b],"total":%d}' % (head[:-1], b",".join(rows), total)

    def _versions(self, classes: Sequence[AssetClass]) -> dict[AssetClass, str]:
        metas = self.assets.metas(classes)
        return {asset_class: meta.version for asset_class, meta in metas.items()}

    def _rows(
        self, versions: Mapping[AssetClass, str], best: Sequence[tuple[AssetClass, int]]
    ) -> list[bytes]:
        """The rows of the best matches, each with its class, in their order."""
        found: dict[tuple[AssetClass, int], bytes] = {}
        for asset_class, version in versions.items():
            places = [place for listed, place in best if listed is asset_class]
            rows = self.assets.rows(asset_class, version, places)
            if len(rows) == len(places):  # else the list was replaced meanwhile
                keys = [(asset_class, place) for place in places]
                found.update(zip(keys, rows, strict=True))
        return [
            b'{"asset_class":"%b",%b' % (asset_class.value.encode(), row[1:])
            for asset_class, place in best
            if (row := found.get((asset_class, place))) is not None
        ]


def _best(
    tiers: Mapping[AssetClass, Sequence[Sequence[int]]], limit: int
) -> list[tuple[AssetClass, int]]:
    """Return the best matches of all classes: the better tier first, then the better rank."""
    best: list[tuple[AssetClass, int]] = []
    for tier in Tier:
        heads = [
            (asset_class, place)
            for asset_class, lists in tiers.items()
            for place in (lists[tier][:limit] if lists else ())
        ]
        best += sorted(heads, key=itemgetter(1))
    return best[:limit]
