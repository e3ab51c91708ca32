"""Asset lists in Redis: swapped whole, paged and searched by version, never seen half-written.

A list is written under keys that nobody reads, and one script makes it the current one. Its
predecessor stays for an hour, so that a client who pages through it never gets a mixture. Rows are
stored as the bytes that clients get.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from typing import TYPE_CHECKING, Any

from marketdata.cache.client import Cache
from marketdata.clock import epoch_ms
from marketdata.domain.assets import Asset
from marketdata.domain.search_index import Index, build
from marketdata.domain.shipped_tables import coin_ids
from marketdata.domain.symbols import KEPT, AssetClass
from marketdata.errors import CacheUnavailableError

if TYPE_CHECKING:
    from marketdata.domain.assets import AssetList

RETENTION_S = 7 * 86400
# How long a list that was replaced stays for those who are paging through it.
LINGER_S = 3600
# How long the parts of a list that is never finished stay.
STAGING_S = 600
# One command stays well under the time that a client waits for an answer.
CHUNK = 500


@dataclass(frozen=True, slots=True)
class ListMeta:
    """What is known of a class's current list without reading it.

    `updated_at_ms`: when its providers answered, epoch milliseconds; `sources`: those that did.
    """

    version: str
    total: int
    updated_at_ms: int
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """One page of what a search found, as stored bytes, and how many there are in all."""

    total: int
    rows: list[bytes]


class AssetStore:
    """The asset lists of all classes. Every method raises `CacheUnavailableError`."""

    def __init__(self, cache: Cache, *, retention_s: int = RETENTION_S) -> None:
        self._cache = cache
        self._retention_s = retention_s
        self._indexes: dict[AssetClass, tuple[str, Index]] = {}

    def swap(self, listed: AssetList) -> bool:
        """Make a list the current one, all at once; False where a later one already is.

        A version names one content and no other; giving the current one again changes nothing.
        Whether a list is good enough is `merging.guard`'s question. Raises ValueError for an empty
        list, and `CacheUnavailableError` also where it could not be written whole; the current
        list then stays as it is.
        """
        if not listed.assets:
            raise ValueError("an empty list is never swapped in")
        for _ in range(2):  # once more where another list came in between
            current = self.meta(listed.asset_class)
            if (
                current is not None
                and current.version == listed.version
                and not self._is_torn(listed.asset_class, current)
            ):
                return True
            ids = _ids(listed)
            self._stage(listed, ids)
            answer = self._switch(listed, current, len(ids))
            if answer != "changed":
                break
        if answer in ("partial", "changed"):
            raise CacheUnavailableError(
                f"the {listed.asset_class.value} list {listed.version} was not swapped in: {answer}"
            )
        return answer == "switched"

    def meta(self, asset_class: AssetClass) -> ListMeta | None:
        """The current list of a class; None before the first."""
        text = self._cache.command("GET", self._key(asset_class, "meta"))
        if text is None:
            return None
        told = json.loads(text)
        return ListMeta(
            told["version"], told["total"], told["updated_at_ms"], tuple(told["sources"])
        )

    def is_lost(self, asset_class: AssetClass) -> bool:
        """Whether there is no current list, or a full Redis has dropped a part of it."""
        meta = self.meta(asset_class)
        return meta is None or self._is_torn(asset_class, meta)

    def page(self, asset_class: AssetClass, version: str, offset: int, limit: int) -> list[bytes]:
        """Rows of a version, as JSON objects; none past its end, or where it is gone."""
        if limit <= 0:
            return []
        key = self._key(asset_class, version, "rows")
        rows: list[bytes] = self._cache.command("LRANGE", key, offset, offset + limit - 1)
        return rows

    def search(
        self, asset_class: AssetClass, version: str, query: str, offset: int, limit: int
    ) -> Found | None:
        """One page of the rows of a version that match, the best first (see `searching`).

        None where the version is gone. The index of one version a class stays in the process;
        another one is read when asked for.
        """
        index = self._index(asset_class, version)
        if index is None:
            return None
        places = index.find(query)
        key = self._key(asset_class, version, "rows")
        wanted = [("LINDEX", key, place) for place in places[offset : offset + limit]]
        rows = self._cache.many(wanted) if wanted else []
        return Found(len(places), [row for row in rows if row is not None])

    def ids(self, bases: Sequence[str]) -> dict[str, Mapping[str, str]]:
        """Each source's own id for coins by their ticker (`BTC`); one HMGET.

        They are those of the current list, completed from the shipped table, which serves alone
        until there is a list. A coin that neither knows is left out.
        """
        if not bases:
            return {}
        texts = self._cache.command("HMGET", self._key(AssetClass.CRYPTO, "ids"), *bases)
        known = {base: _known_ids(base, text) for base, text in zip(bases, texts, strict=True)}
        return {base: ids for base, ids in known.items() if ids}

    def _is_torn(self, asset_class: AssetClass, meta: ListMeta) -> bool:
        parts = [self._key(asset_class, meta.version, part) for part in ("rows", "index")]
        if asset_class is AssetClass.CRYPTO:
            parts.append(self._key(asset_class, "ids"))
        return int(self._cache.command("EXISTS", *parts)) < len(parts)

    def _stage(self, listed: AssetList, ids: Sequence[tuple[str, str]]) -> None:
        """Write a list where nobody reads; what appends is never sent twice."""
        rows_key, index_key, ids_key = self._staged(listed)
        self._cache.command("UNLINK", rows_key, index_key, ids_key)
        for rows in _chunks([_row(asset) for asset in listed.assets]):
            commands = (("RPUSH", rows_key, *rows), ("EXPIRE", rows_key, STAGING_S))
            self._cache.many(commands, repeat=False)
        self._cache.command("SET", index_key, build(listed.assets), "EX", STAGING_S)
        for pairs in _chunks(ids):
            fields = chain.from_iterable(pairs)
            self._cache.many((("HSET", ids_key, *fields), ("EXPIRE", ids_key, STAGING_S)))

    def _switch(self, listed: AssetList, current: ListMeta | None, ids: int) -> str:
        asset_class, version = listed.asset_class, listed.version
        before = current.version if current else ""
        keys = [
            self._key(asset_class, "meta"),
            *self._staged(listed),
            self._key(asset_class, version, "rows"),
            self._key(asset_class, version, "index"),
            self._key(asset_class, "ids"),
            self._key(asset_class, before, "rows"),
            self._key(asset_class, before, "index"),
        ]
        total, updated_at_ms = len(listed.assets), epoch_ms(listed.updated_at)
        meta = {
            "version": version,
            "total": total,
            "updated_at_ms": updated_at_ms,
            "sources": [source.value for source in listed.sources],
        }
        args = (before, json.dumps(meta), updated_at_ms, total, ids, self._retention_s, LINGER_S)
        answer: bytes = self._cache.script("assets_switch", keys, args, repeat=False)
        return answer.decode()

    def _index(self, asset_class: AssetClass, version: str) -> Index | None:
        kept = self._indexes.get(asset_class)
        if kept is not None and kept[0] == version:
            return kept[1]
        data = self._cache.command("GET", self._key(asset_class, version, "index"))
        if data is None:
            return None
        index = Index(data)
        self._indexes[asset_class] = (version, index)
        return index

    def _key(self, asset_class: AssetClass, *parts: str) -> str:
        return self._cache.key(f"assets:{asset_class.value}", *parts)

    def _staged(self, listed: AssetList) -> tuple[str, str, str]:
        """Where the rows, the index and the ids of a list are written first."""
        asset_class, version = listed.asset_class, listed.version
        return (
            self._key(asset_class, "staged", version, "rows"),
            self._key(asset_class, "staged", version, "index"),
            self._key(asset_class, "staged", version, "ids"),
        )


def _row(asset: Asset) -> bytes:
    return json.dumps(asset.to_json(), ensure_ascii=False, separators=(",", ":")).encode()


def _ids(listed: AssetList) -> list[tuple[str, str]]:
    """Ticker and ids, for the one class whose ids are not spelled from the symbol."""
    if listed.asset_class is not AssetClass.CRYPTO:
        return []
    by_base = {asset.symbol[:-4]: asset.ids for asset in reversed(listed.assets)}  # best ones last
    return [(base, json.dumps(dict(ids))) for base, ids in by_base.items()]


def _chunks(items: Sequence[Any]) -> Iterator[Sequence[Any]]:
    return (items[start : start + CHUNK] for start in range(0, len(items), CHUNK))


@lru_cache(maxsize=KEPT)
def _known_ids(base: str, text: bytes | None) -> Mapping[str, str]:
    return coin_ids(base, json.loads(text) if text else None)
