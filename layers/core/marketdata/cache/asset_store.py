"""Asset lists in Redis: replaced as a whole, paged and searched by version.

A new list is first written under temporary keys. Then one script makes it the current list. The
former list is kept for an hour, so that a client that reads page after page never gets rows of two
lists. Rows are stored as the bytes that clients get. If a part of a list cannot be read, the list
is removed, and the next refresh puts it back from the archive.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

from marketdata.cache.client import AT_ONCE, Cache
from marketdata.cache.list_writer import ListWriter, list_key
from marketdata.cache.listed_symbols import names_key
from marketdata.cache.stored_assets import (
    ListMeta,
    ids_of,
    index_of,
    is_json_object,
    known_ids,
    meta_of,
)
from marketdata.clock import DAY_S
from marketdata.domain.search_index import Index
from marketdata.domain.shipped_tables import coin_ids
from marketdata.domain.symbols import AssetClass
from marketdata.errors import CacheUnavailableError, WrongTypeError

if TYPE_CHECKING:
    from marketdata.domain.assets import AssetList

RETENTION_S = 7 * DAY_S
log = logging.getLogger("marketdata.assets")


@dataclass(frozen=True, slots=True)
class Found:
    """One page of the results of a search, as stored bytes, and the number of all results."""

    total: int
    rows: list[bytes]


class AssetStore:
    """The asset lists of all classes. Every method raises `CacheUnavailableError`.

    `sleep` waits for some seconds; the writer of a list uses it to keep its pace.
    """

    def __init__(
        self,
        cache: Cache,
        *,
        retention_s: int = RETENTION_S,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._cache = cache
        self._writer = ListWriter(cache, retention_s=retention_s, sleep=sleep)
        self._indexes: dict[AssetClass, tuple[str, Index]] = {}

    def swap(self, listed: AssetList) -> bool:
        """Make a list the current one, all at once; return False if a later one is current.

        Two lists with the same version are the same list, so the current version is not written
        again. `merging.guard` has decided that the list is good enough. Raise ValueError for an
        empty list. Raise `CacheUnavailableError` if a part of the list could not be written; the
        current list then stays as it is.
        """
        if not listed.assets:
            raise ValueError("an empty list is never swapped in")
        for _ in range(2):  # again if another list was swapped in meanwhile
            current = self.meta(listed.asset_class)
            if (
                current is not None
                and current.version == listed.version
                and not self._is_torn(listed.asset_class, current)
            ):
                return True
            ids = ids_of(listed)
            self._writer.stage(listed, ids)
            answer = self._writer.switch(listed, current.version if current else "", len(ids))
            if answer != "changed":
                break
        if answer in ("partial", "changed"):
            raise CacheUnavailableError(
                f"the {listed.asset_class.value} list {listed.version} was not swapped in: {answer}"
            )
        return answer == "switched"

    def meta(self, asset_class: AssetClass) -> ListMeta | None:
        """Return the facts of the current list of a class; None before the first list."""
        return self.metas((asset_class,)).get(asset_class)

    def metas(self, classes: Sequence[AssetClass]) -> dict[AssetClass, ListMeta]:
        """Return the facts of the current lists of some classes; one round trip."""
        keys = [self._key(asset_class, "meta") for asset_class in classes]
        # GET fails for a value of another type, MGET answers None.
        answers = self._cache.many([("MGET", key) for key in keys])
        metas: dict[AssetClass, ListMeta] = {}
        for asset_class, key, (text,) in zip(classes, keys, answers, strict=True):
            meta = None if text is None else meta_of(text)
            if meta is not None:
                metas[asset_class] = meta
            elif text is not None:
                self._drop([key])
        return metas

    def is_lost(self, asset_class: AssetClass) -> bool:
        """Return whether there is no current list, or a full Redis has dropped a part of it."""
        meta = self.meta(asset_class)
        return meta is None or self._is_torn(asset_class, meta)

    def page(self, asset_class: AssetClass, version: str, offset: int, limit: int) -> list[bytes]:
        """Return rows of a version, as JSON objects; none past its end, or if it is gone."""
        return self.rows(asset_class, version, range(offset, offset + max(0, limit)))

    def search(
        self, asset_class: AssetClass, version: str, query: str, offset: int, limit: int
    ) -> Found | None:
        """Return one page of the rows of a version that match, the best first.

        None if the version is gone. `search_index` says what matches. The process keeps the index
        of one version for each class and reads the index of another version when it is needed.
        """
        index = self._index(asset_class, version)
        if index is None:
            return None
        places = index.find(query)
        return Found(len(places), self.rows(asset_class, version, places[offset : offset + limit]))

    def tiers(self, asset_class: AssetClass, version: str, query: str) -> list[list[int]]:
        """Return the places of the assets of a version that match, for each `Tier`; see `rows`.

        Empty if the version is gone.
        """
        index = self._index(asset_class, version)
        return [] if index is None else index.tiers(query)

    def near(
        self, asset_class: AssetClass, version: str, tickers: Sequence[str]
    ) -> dict[str, list[int]]:
        """Return the places of the assets whose symbol is like a ticker, for each ticker.

        Empty if the version is gone.
        """
        index = self._index(asset_class, version)
        return {} if index is None else index.near(tickers)

    def rows(self, asset_class: AssetClass, version: str, places: Sequence[int]) -> list[bytes]:
        """Return the rows at these places, as JSON objects, without those that do not exist."""
        if not places:
            return []
        try:
            rows = self._fields(self._key(asset_class, version, "rows"), places)
        except WrongTypeError:
            self._drop_version(asset_class, version)
            return []
        found = [row for row in rows if row is not None]
        lost = [place for place, row in zip(places, rows, strict=True) if row is None]
        if not all(map(is_json_object, found)) or self._lacks(asset_class, version, lost):
            self._drop_version(asset_class, version)
            return []
        return found

    def ids(self, bases: Sequence[str]) -> dict[str, Mapping[str, str]]:
        """Return the ids of coins, by source, for each ticker (`BTC`); one round trip.

        The ids are those of the current list, completed from the shipped table. Before the first
        list only the table is used. A coin that is in neither is left out.
        """
        if not bases:
            return {}
        key = self._key(AssetClass.CRYPTO, "ids")
        try:
            texts = self._fields(key, bases)
        except WrongTypeError:
            self._drop([key])
            texts = [None] * len(bases)
        known: dict[str, Mapping[str, str]] = {}
        for base, text in zip(bases, texts, strict=True):
            ids = known_ids(base, text)
            if ids is None:
                log.error("unreadable value removed", extra={"key": key, "field": base})
                self._cache.command("HDEL", key, base)
                ids = coin_ids(base)
            if ids:
                known[base] = ids
        return known

    def _lacks(self, asset_class: AssetClass, version: str, places: Sequence[int]) -> bool:
        """Return whether the current list should have a row at one of these places."""
        meta = self.meta(asset_class) if places else None
        return meta is not None and meta.version == version and min(places) < meta.total

    def _fields(self, key: str, names: Sequence[str | int]) -> list[bytes | None]:
        commands = [
            ("HMGET", key, *names[start : start + AT_ONCE])
            for start in range(0, len(names), AT_ONCE)
        ]
        return list(chain.from_iterable(self._cache.many(commands)))

    def _drop_version(self, asset_class: AssetClass, version: str) -> None:
        """Remove a list if a part of it cannot be read. Afterwards the class may have no list."""
        keys = [self._key(asset_class, version, part) for part in ("rows", "index")]
        meta = self.meta(asset_class)
        if meta is not None and meta.version == version:
            keys.append(self._key(asset_class, "meta"))
        self._drop(keys)

    def _drop(self, keys: Sequence[str]) -> None:
        log.error("unreadable value removed", extra={"key": ", ".join(keys)})
        self._cache.command("UNLINK", *keys)

    def _is_torn(self, asset_class: AssetClass, meta: ListMeta) -> bool:
        parts = [self._key(asset_class, meta.version, part) for part in ("rows", "index")]
        parts.append(names_key(self._cache, asset_class))
        if asset_class is AssetClass.CRYPTO:
            parts.append(self._key(asset_class, "ids"))
        return int(self._cache.command("EXISTS", *parts)) < len(parts)

    def _index(self, asset_class: AssetClass, version: str) -> Index | None:
        kept = self._indexes.get(asset_class)
        if kept is not None and kept[0] == version:
            return kept[1]
        rows_key, index_key = (self._key(asset_class, version, part) for part in ("rows", "index"))
        try:
            data, rows = self._cache.many((("GET", index_key), ("HLEN", rows_key)))
        except WrongTypeError:
            self._drop_version(asset_class, version)
            return None
        if data is None:
            return None
        index = index_of(data)
        if index is None or index.size != rows:
            self._drop_version(asset_class, version)
            return None
        self._indexes[asset_class] = (version, index)
        return index

    def _key(self, asset_class: AssetClass, *parts: str) -> str:
        return list_key(self._cache, asset_class, *parts)
