"""The parts of a stored asset list: facts, rows, ids of coins, names, search index.

Pure: bytes to values and back. A value that cannot be read is None.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from marketdata.cache.listed_symbols import names_of
from marketdata.domain.assets import Asset, AssetList
from marketdata.domain.search_index import Index
from marketdata.domain.shipped_tables import coin_ids
from marketdata.domain.symbols import KEPT, AssetClass, parse_symbol


@dataclass(frozen=True, slots=True)
class ListMeta:
    """The facts of a class's current list.

    `updated_at_ms`: when its providers answered, epoch milliseconds. `sources`: the providers that
    answered.
    """

    version: str
    total: int
    updated_at_ms: int
    sources: tuple[str, ...]


def row_of(asset: Asset) -> bytes:
    """Return an asset as the JSON object that clients get."""
    return json.dumps(asset.to_json(), ensure_ascii=False, separators=(",", ":")).encode()


def ids_of(listed: AssetList) -> list[tuple[str, str]]:
    """Return each ticker with its ids as JSON; only coins have ids beside their symbols."""
    if listed.asset_class is not AssetClass.CRYPTO:
        return []
    by_base = {parse_symbol(asset.symbol).base: asset.ids for asset in reversed(listed.assets)}
    return [(base, json.dumps(dict(ids))) for base, ids in by_base.items()]


def listed_names(listed: AssetList) -> list[str]:
    """Return the names by which `ListedSymbols` knows the symbols of a list."""
    return sorted({n for asset in listed.assets for n in names_of(parse_symbol(asset.symbol))})


def meta_of(text: bytes) -> ListMeta | None:
    """Return the stored facts of a list; None if they cannot be read."""
    try:
        stored = json.loads(text)
        return ListMeta(
            str(stored["version"]),
            int(stored["total"]),
            int(stored["updated_at_ms"]),
            tuple(map(str, stored["sources"])),
        )
    except (ValueError, TypeError, KeyError, OverflowError):
        return None


def index_of(data: bytes) -> Index | None:
    """Return the stored search index; None if it cannot be read."""
    try:
        return Index(data)
    except ValueError:
        return None


@lru_cache(maxsize=KEPT)
def is_json_object(row: bytes) -> bool:
    """Return whether a stored row is a JSON object."""
    try:
        return isinstance(json.loads(row, parse_constant=_no_constant), dict)
    except ValueError:
        return False


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


@lru_cache(maxsize=KEPT)
def known_ids(base: str, text: bytes | None) -> Mapping[str, str] | None:
    """Return the ids of a coin by the list and the shipped table; None for a damaged text."""
    if text is None:
        return coin_ids(base)
    try:
        listed = json.loads(text)
    except ValueError:
        return None
    whole = isinstance(listed, dict) and all(isinstance(one, str) for one in listed.values())
    return coin_ids(base, listed) if whole else None
