"""Finding assets by symbol or name: a compact index of one list, ranked by how well they match.

Pure, and fast because it is small: one line of folded text an asset, kept in the process.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from marketdata.domain.assets import Asset
from marketdata.domain.symbols import AssetClass


def build(assets: Iterable[Asset]) -> bytes:
    """The index of a list, in the list's order."""
    return "\n".join(f" {' '.join(_keys(a))} \t {_folded(a.name)}" for a in assets).encode()


class Index:
    """What `build` wrote, ready to be asked."""

    def __init__(self, data: bytes) -> None:
        lines = [line.partition("\t") for line in data.decode().split("\n")]
        self._keys = [keys for keys, _, _ in lines]
        self._names = [name for _, _, name in lines]
        self.size = len(lines)

    def find(self, query: str) -> list[int]:
        """The places in the list of the assets that match, best first, then in the list's order.

        Best is the symbol (or one side of a pair), then its beginning, then the beginning of a
        word of the name, then any part of the name. Case, accents and punctuation do not matter.
        """
        words = _folded(query)
        key = words.replace(" ", "")
        if not key:
            return []
        tiers: tuple[list[int], ...] = ([], [], [], [])
        exact, symbol_start, word_start = f" {key} ", f" {key}", f" {words}"
        for place, (keys, name) in enumerate(zip(self._keys, self._names, strict=True)):
            if symbol_start in keys:
                tiers[0 if exact in keys else 1].append(place)
            elif words in name:
                tiers[2 if word_start in name else 3].append(place)
        return [place for tier in tiers for place in tier]


def _keys(asset: Asset) -> list[str]:
    """What counts as the asset's symbol: the whole, and the sides that tell assets apart."""
    match asset.asset_class:
        case AssetClass.STOCKS:
            sides = [asset.symbol]
        case AssetClass.CRYPTO:
            sides = [asset.symbol, asset.symbol[:-4]]
        case AssetClass.FOREX:
            sides = [asset.symbol, *asset.symbol.split("/")]
    return [_folded(side).replace(" ", "") for side in sides]


def _folded(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text.casefold())
    bare = "".join(c for c in plain if not unicodedata.combining(c))
    return " ".join(re.findall(r"[^\W_]+", bare))
