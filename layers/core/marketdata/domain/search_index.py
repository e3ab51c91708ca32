"""Finding assets by symbol or name: a compact index of one list, ranked by how well they match.

Pure, and fast because it is small: one line of folded text an asset, kept in the process.
"""

from __future__ import annotations

import re
import string
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum

from marketdata.domain.assets import Asset
from marketdata.domain.quotes import Source
from marketdata.domain.symbols import AssetClass, parse_symbol
from marketdata.errors import InvalidSymbolError

# Shorter symbols are similar to too many others, and longer ones are not tickers.
LEAST_NEAR, MOST_NEAR = 3, 8
_LETTERS = string.ascii_lowercase + string.digits
_EXCHANGE = re.compile(r"[A-Za-z]{2,10}:")  # NASDAQ:AAPL


class Tier(IntEnum):
    """How well an asset matches a query; the best first.

    `SYMBOL`: its symbol (or one side of a pair) is the query. `PREFIX`: it begins with the query.
    `WORD`: a word of the name begins with it. `NAME`: the name has it. `WORDS`: each word of the
    query begins a word of the symbol or the name; a word that the query has twice begins two of
    them.
    """

    SYMBOL = 0
    PREFIX = 1
    WORD = 2
    NAME = 3
    WORDS = 4


@dataclass(frozen=True, slots=True, order=True)
class Match:
    """One asset that matches: how well, and its place in the list."""

    tier: Tier
    place: int


def build(assets: Iterable[Asset]) -> bytes:
    """Return the index of a list, in the list's order."""
    return "\n".join(f" {' '.join(_keys(a))} \t {_words(a.name)}" for a in assets).encode()


class Index:
    """A search index that `build` made."""

    def __init__(self, data: bytes) -> None:
        lines = [line.partition("\t") for line in data.decode().split("\n")]
        self._keys = [keys for keys, _, _ in lines]
        self._names = [name for _, _, name in lines]
        self.size = len(lines)

    def find(self, query: str) -> list[int]:
        """Return the places in the list of the assets that match, the best first."""
        return [match.place for match in self.matches(query)]

    def matches(self, query: str) -> list[Match]:
        """Return the assets that match, the best first, then in the list's order.

        Case, accents, punctuation and the word "and" do not matter, and every accepted spelling of
        a symbol finds it: `EURUSD=X`, `NASDAQ:AAPL`.
        """
        tiers: dict[int, Tier] = {}
        for text in _variants(query):
            for place, tier in self._tiers(text):
                if tier < tiers.get(place, len(Tier)):
                    tiers[place] = tier
        return sorted(Match(tier, place) for place, tier in tiers.items())

    def near(self, ticker: str) -> list[int]:
        """Return the places of the assets whose symbol differs by one slip, in the list's order.

        A slip is one letter or digit too many, too few or wrong, or two that are exchanged.
        """
        key = _key(ticker)
        if not LEAST_NEAR <= len(key) <= MOST_NEAR:
            return []
        slips = {f" {slip} " for slip in _slips(key)}
        return [place for place, keys in enumerate(self._keys) if keys in slips]

    def _tiers(self, query: str) -> Iterator[tuple[int, Tier]]:
        key, words = _key(query), _words(query)
        if not words:
            return
        exact, symbol_start, word_start = f" {key} ", f" {key}", f" {words}"
        starts = Counter(f" {word}" for word in words.split())
        for place, (keys, name) in enumerate(zip(self._keys, self._names, strict=True)):
            if symbol_start in keys:
                yield place, Tier.SYMBOL if exact in keys else Tier.PREFIX
            elif words in name:
                yield place, Tier.WORD if word_start in name else Tier.NAME
            elif " " in words and all(
                keys.count(start) >= least or name.count(start) >= least
                for start, least in starts.items()
            ):
                yield place, Tier.WORDS


def _variants(query: str) -> Iterator[str]:
    """The query, without the exchange before it, and the canonical spelling of its symbol."""
    yield query
    bare = _EXCHANGE.sub("", query.strip(), count=1)
    if bare != query:
        yield bare
    try:
        canonical = parse_symbol(bare).text
    except InvalidSymbolError:
        return
    key = _key(canonical)  # without spaces, so that it matches symbols only
    if key != _key(bare):
        yield key


def _slips(key: str) -> Iterator[str]:
    cuts = [(key[:place], key[place:]) for place in range(len(key) + 1)]
    for head, tail in cuts:
        if tail:
            yield head + tail[1:]
        if len(tail) > 1:
            yield head + tail[1] + tail[0] + tail[2:]
        for letter in _LETTERS:
            yield head + letter + tail
            if tail:
                yield head + letter + tail[1:]


def _keys(asset: Asset) -> list[str]:
    """Return the texts that count as an asset's symbol.

    These are the whole, the sides of a pair, and a coin by its id (`@bitcoin-USD`).
    """
    symbol = parse_symbol(asset.symbol)
    sides = [symbol.text]
    if symbol.asset_class is not AssetClass.STOCKS:
        sides.append(symbol.base)
    if symbol.asset_class is AssetClass.FOREX:
        sides.append(symbol.quote)
    coin_id = asset.ids.get(Source.COINGECKO.value)
    if symbol.asset_class is AssetClass.CRYPTO and coin_id:
        sides.append(f"@{coin_id}-{symbol.quote}")
    return [_key(side) for side in sides]


def _key(text: str) -> str:
    """Return a symbol without punctuation; the @ of a coin by its id is kept."""
    return ("@" if text.strip().startswith("@") else "") + _folded(text).replace(" ", "")


def _folded(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text.casefold())
    bare = "".join(c for c in plain if not unicodedata.combining(c))
    return " ".join(re.findall(r"[^\W_]+", bare))


def _words(text: str) -> str:
    """Return the words of a name, without "and", because names write it as "&" or not at all."""
    words = _folded(text).split()
    return " ".join([word for word in words if word != "and"] or words)
