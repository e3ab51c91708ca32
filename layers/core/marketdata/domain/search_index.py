"""Finding assets by symbol or name: a compact index of one list, ranked by how well they match.

Pure. The index has one line of folded text an asset. It is searched as one text of bytes, because
a loop over 30,000 lines takes ten times as long.
"""

from __future__ import annotations

import re
import unicodedata
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from enum import IntEnum
from itertools import accumulate

from marketdata.domain.assets import Asset
from marketdata.domain.quotes import Source
from marketdata.domain.slips import one_slip
from marketdata.domain.suggestions import plain_spelling, suggestions, without_exchange
from marketdata.domain.symbols import AssetClass, Symbol, parse_symbol, symbol_or_none

# Shorter symbols are similar to too many others, and longer ones are not tickers.
LEAST_NEAR, MOST_NEAR = 3, 8
MOST_NEAR_ID = 32  # the longest coin by its id (`@bitcoin-USD`) that similar ones are found for
LISTED_QUOTE = "USD"  # coins are listed against it


class Tier(IntEnum):
    """How well an asset matches a query; the best first.

    `SPELLING`: it is a stock, and the query spells its symbol, with its punctuation (`BRK-B`).
    `SYMBOL`: its symbol (or one side of a pair) is the query. `PREFIX`: it begins with the query.
    `WORD`: a word of the name begins with it. `NAME`: the name has it. `WORDS`: each word of the
    query begins a word of the symbol or the name; a word that the query has twice begins two of
    them.
    """

    SPELLING = 0
    SYMBOL = 1
    PREFIX = 2
    WORD = 3
    NAME = 4
    WORDS = 5


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
        bare = without_exchange(plain_spelling(query))
        for words in dict.fromkeys(filter(None, map(_words, (query, bare)))):
            self._add_names(words.encode(), found)
        symbol = symbol_or_none(bare)
        self._add_symbols([_key(query), _key(bare)], symbol, found)
        if symbol is None or not (found[Tier.SPELLING] or found[Tier.SYMBOL]):
            for meant in suggestions(bare)[:1]:  # `BTC-USDT` finds BTC-USD
                self._add_symbols([], parse_symbol(meant), found)
        better: set[int] = set()
        tiers = []
        for places in found:
            tiers.append(sorted(places - better))
            better |= places
        return tiers

    def near(self, tickers: Iterable[str]) -> dict[str, list[int]]:
        """Return the places of the assets whose symbol is like a ticker, for each ticker.

        That is, equal but for punctuation, or with one slip; the equal ones first, then in the
        list's order. One look at the list for all tickers.
        """
        near: dict[str, list[int]] = {ticker: [] for ticker in tickers}
        meant: dict[bytes, list[str]] = {}
        for ticker in near:
            for key in _near_keys(_key(ticker)):
                meant.setdefault(key.encode(), []).append(ticker)
        similar = set(meant).intersection(self._keys.words() if meant else ())
        lines = enumerate(self._keys.split() if similar else ())
        hits = [(place, line) for place, line in lines if not similar.isdisjoint(line.split())]
        for place, line in hits:
            tickers = (
                ticker for key in similar.intersection(line.split()) for ticker in meant[key]
            )
            for ticker in dict.fromkeys(tickers):
                near[ticker].append(place)
        for ticker, places in near.items():
            equal = self._keys.having(b" %b " % _key(ticker).encode(), among=set(places))
            near[ticker] = sorted(equal) + [place for place in places if place not in equal]
        return near

    def _add_symbols(
        self, keys: Sequence[str], symbol: Symbol | None, found: Sequence[set[int]]
    ) -> None:
        """Add the assets whose symbol matches one of the keys or is the symbol, to their tiers."""
        keys = [*keys, *_keys_of_meant(symbol)] if symbol else keys
        for key in (one.encode() for one in dict.fromkeys(filter(_is_key, keys))):
            starting = self._keys.having(b" " + key)
            found[Tier.SYMBOL] |= self._keys.having(b" " + key + b" ", among=starting)
            found[Tier.PREFIX] |= starting
        exact = _exact_key(symbol) if symbol else ""
        if exact:
            found[Tier.SPELLING] |= self._keys.having(b" %b " % exact.encode())

    def _add_names(self, words: bytes, found: Sequence[set[int]]) -> None:
        """Add the assets whose name matches these words, to each tier that they match."""
        named = self._names.having(words)
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

    def words(self) -> list[bytes]:
        """Return the words of all lines."""
        return self._text.split()

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


def _keys_of_meant(symbol: Symbol) -> Iterator[str]:
    """Yield the keys that find the symbol of a query."""
    yield _key(symbol.text)
    if symbol.asset_class is AssetClass.FOREX:
        yield _key(f"{symbol.quote}{symbol.base}")  # only one direction of a pair is listed
    if symbol.asset_class is AssetClass.CRYPTO and symbol.quote != LISTED_QUOTE:
        yield _key(f"{symbol.base}-{LISTED_QUOTE}")


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
    return list(dict.fromkeys(filter(None, (*map(_key, sides), _exact_key(symbol)))))


def _exact_key(symbol: Symbol) -> str:
    """Return the key that only this symbol has; empty for a coin and a stock without punctuation.

    It tells BF.B from BFB, and a pair from its inverse.
    """
    if symbol.asset_class is AssetClass.FOREX:
        return _key(symbol.text)
    is_plain = symbol.asset_class is AssetClass.CRYPTO or symbol.text.isalnum()
    return "" if is_plain else f"={symbol.text.lower()}"


def _is_key(key: str) -> bool:
    return key not in ("", "@")


def _near_keys(key: str) -> set[str]:
    """Return the keys that are like one; none if it is too short or too long."""
    most = MOST_NEAR_ID if key.startswith("@") else MOST_NEAR
    return {key, *one_slip(key)} if LEAST_NEAR <= len(key) <= most else set()


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
