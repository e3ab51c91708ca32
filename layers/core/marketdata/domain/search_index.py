"""Finding assets by symbol or name: a compact index of one list, ranked by how well they match.

Pure. The index has one line of folded text an asset. It is searched as one text of bytes, because
a loop over 30,000 lines takes ten times as long.
"""

from __future__ import annotations

import re
import string
import unicodedata
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from enum import IntEnum
from itertools import accumulate

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


def build(assets: Iterable[Asset]) -> bytes:
    """Return the index of a list, in the list's order."""
    return "\n".join(f" {' '.join(_keys(a))} \t {_words(a.name)}" for a in assets).encode()


class Index:
    """A search index that `build` made. Raise ValueError for any other data.

    At most `few` lines are looked at one by one. To find a part in more lines, the whole text is
    searched.
    """

    def __init__(self, data: bytes, *, few: int = 1_000) -> None:
        data.decode()
        parts = data.replace(b"\n", b"\t").split(b"\t")  # keys and name of each line in turn
        if len(parts) != 2 * data.count(b"\t"):
            raise ValueError("not a search index")
        self._keys, self._names = _Lines(parts[::2], few), _Lines(parts[1::2], few)
        self.size = len(parts) // 2

    def find(self, query: str) -> list[int]:
        """Return the places in the list of the assets that match, the best first."""
        return [place for tier in self.tiers(query) for place in tier]

    def tiers(self, query: str) -> list[list[int]]:
        """Return the places of the assets that match, for each `Tier`, in the list's order.

        Case, accents, punctuation and the word "and" do not matter, and every accepted spelling of
        a symbol finds it: `EURUSD=X`, `NASDAQ:AAPL`. Each asset is in its best tier only.
        """
        found: list[set[int]] = [set() for _ in Tier]
        for text in _variants(query):
            self._add(text, found)
        better: set[int] = set()
        tiers = []
        for places in found:
            tiers.append(sorted(places - better))
            better |= places
        return tiers

    def near(self, ticker: str) -> list[int]:
        """Return the places of the assets whose symbol differs by one slip, in the list's order.

        A slip is one letter or digit too many, too few or wrong, or two that are exchanged.
        """
        key = _key(ticker)
        if not LEAST_NEAR <= len(key) <= MOST_NEAR:
            return []
        slips = {f" {slip} ".encode() for slip in _slips(key)}
        return [place for place, keys in enumerate(self._keys.split()) if keys in slips]

    def _add(self, query: str, found: Sequence[set[int]]) -> None:
        """Add the places that match one text, to each tier that they match."""
        key, words = _key(query).encode(), _words(query).encode()
        if not words:
            return
        starting = self._keys.having(b" " + key)
        named = self._names.having(words)
        found[Tier.SYMBOL] |= self._keys.having(b" " + key + b" ", among=starting)
        found[Tier.PREFIX] |= starting
        found[Tier.WORD] |= self._names.having(b" " + words, among=named)
        found[Tier.NAME] |= named
        if b" " in words:
            found[Tier.WORDS] |= self._with_words(words.split())

    def _with_words(self, words: Sequence[bytes]) -> set[int]:
        """Return the places of the assets with words that begin with these."""
        starts = Counter(b" " + word for word in words)
        places: set[int] | None = None
        for start in sorted(starts, key=self._names.count):  # the rarest first
            least = starts[start]
            places = self._keys.having(start, least, places) | self._names.having(
                start, least, places
            )
            if not places:
                break
        return places or set()


class _Lines:
    """Lines of a text, each known by its place."""

    def __init__(self, lines: Sequence[bytes], few: int) -> None:
        self._few = few
        self._text = b"\n".join(lines)
        # How long the lines before each place are, without the ends of lines.
        self._lengths = array("I", accumulate(map(len, lines), initial=0))

    def split(self) -> list[bytes]:
        """Return the lines."""
        return self._text.split(b"\n")

    def count(self, part: bytes) -> int:
        """Return how often the text has this part."""
        return self._text.count(part)

    def having(self, part: bytes, least: int = 1, among: set[int] | None = None) -> set[int]:
        """Return the places of the lines that have this part at least so often.

        With `among`, only these places count.
        """
        if among is not None and len(among) <= self._few:
            return {place for place in among if self._count_at(place, part) >= least}
        before = self._text.split(part)[:-1]
        places: Iterable[int] = accumulate([text.count(b"\n") for text in before])
        if least > 1:
            places = [place for place, count in Counter(places).items() if count >= least]
        return set(places) if among is None else among.intersection(places)

    def _count_at(self, place: int, part: bytes) -> int:
        start, end = self._lengths[place] + place, self._lengths[place + 1] + place
        return self._text.count(part, start, end)


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
