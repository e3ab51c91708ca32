"""Writes asset lists: first under temporary keys, then one script makes a list the current one."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any

from marketdata.cache.client import Cache
from marketdata.cache.listed_symbols import names_key
from marketdata.cache.stored_assets import listed_names, row_of
from marketdata.clock import epoch_ms
from marketdata.domain.search_index import build
from marketdata.domain.symbols import AssetClass

if TYPE_CHECKING:
    from marketdata.domain.assets import AssetList

# How long a replaced list is kept for clients that read it page by page.
LINGER_S = 3600
# How long the parts of an unfinished list are kept.
STAGING_S = 600
# A list is written in commands of at most this many rows or bytes, and at this pace, because
# ElastiCache Serverless limits how many kilobytes a second it accepts.
CHUNK_ROWS, CHUNK_BYTES = 500, 256 * 1024
BYTES_PER_S = 2 * 1024 * 1024


def list_key(cache: Cache, asset_class: AssetClass, *parts: str) -> str:
    """Return a key of a class's lists."""
    return cache.key(f"assets:{asset_class.value}", *parts)


class ListWriter:
    """Writes lists that are kept for `retention_s` seconds. `sleep` waits for some seconds.

    Every method raises `CacheUnavailableError`.
    """

    def __init__(self, cache: Cache, *, retention_s: int, sleep: Callable[[float], None]) -> None:
        self._cache = cache
        self._retention_s = retention_s
        self._sleep = sleep

    def stage(self, listed: AssetList, ids: Sequence[tuple[str, str]]) -> None:
        """Write a list under temporary keys, at an even pace."""
        rows_key, index_key, ids_key, listed_key = self._staged(listed)
        self._cache.command("UNLINK", rows_key, index_key, ids_key, listed_key)
        rows = [(str(place), row_of(asset)) for place, asset in enumerate(listed.assets)]
        for key, pairs in ((rows_key, rows), (ids_key, ids)):
            for start in range(0, len(pairs), CHUNK_ROWS):
                fields = list(chain.from_iterable(pairs[start : start + CHUNK_ROWS]))
                self._write(("HSET", key, *fields), sum(map(len, fields)))
        names = listed_names(listed)
        for start in range(0, len(names), CHUNK_ROWS):
            part = names[start : start + CHUNK_ROWS]
            self._write(("SADD", listed_key, *part), sum(map(len, part)))
        index = build(listed.assets)
        for start in range(0, len(index), CHUNK_BYTES):
            text = index[start : start + CHUNK_BYTES]
            self._write(("SETRANGE", index_key, start, text), len(text))

    def _write(self, command: tuple[Any, ...], size: int) -> None:
        self._cache.many((command, ("EXPIRE", command[1], STAGING_S)))
        self._sleep(size / BYTES_PER_S)

    def switch(self, listed: AssetList, before: str, ids: int) -> str:
        """Make a written list the current one; return the reply of `assets_switch.lua`.

        `before`: the version that is current as far as the caller knows, empty for none. `ids`: how
        many coins of the list have ids.
        """
        asset_class, version = listed.asset_class, listed.version
        keys = [
            list_key(self._cache, asset_class, "meta"),
            *self._staged(listed),
            list_key(self._cache, asset_class, version, "rows"),
            list_key(self._cache, asset_class, version, "index"),
            list_key(self._cache, asset_class, "ids"),
            names_key(self._cache, asset_class),
            list_key(self._cache, asset_class, before, "rows"),
            list_key(self._cache, asset_class, before, "index"),
        ]
        meta = {
            "version": version,
            "total": len(listed.assets),
            "updated_at_ms": epoch_ms(listed.updated_at),
            "sources": [source.value for source in listed.sources],
        }
        counts = (meta["total"], ids, len(listed_names(listed)))
        args = (before, json.dumps(meta), *counts, self._retention_s, LINGER_S)
        answer: bytes = self._cache.script("assets_switch", keys, args, repeat=False)
        return answer.decode()

    def _staged(self, listed: AssetList) -> tuple[str, str, str, str]:
        """Return the keys where rows, index, ids and names of a list are written first."""
        asset_class, version = listed.asset_class, listed.version
        return (
            list_key(self._cache, asset_class, "staged", version, "rows"),
            list_key(self._cache, asset_class, "staged", version, "index"),
            list_key(self._cache, asset_class, "staged", version, "ids"),
            list_key(self._cache, asset_class, "staged", version, "names"),
        )
