"""Finding assets by symbol or name: a compact index of one list, ranked by how well they match.

Pure. The index has one line of folded text an asset; `searched_lines` finds parts of them.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from enum import IntEnum

from marketdata.domain.assets import Asset
from marketdata.domain.quotes import Source
from marketdata.domain.searched_lines import Lines
from marketdata.domain.slips import one_slip
from marketdata.domain.suggestions import plain_spelling, suggestions, without_exchange
from marketdata.domain.symbols import AssetClass, Symbol, parse_symbol, symbol_or_none

# Shorter symbols are similar to too many others, and longer ones are not tickers.
LEAST_NEAR, MOST_NEAR = 3, 8
MOST_NEAR_ID = 32  # the longest coin by its id (`@bitcoin-USD`) that similar ones are found for
LEAST_NAME = 4  # characters of a name that is asked for in place of a symbol
MOST_PLACES = 12  # assets that are like one ticker
MOST_KEPT = 1_024  # tickers for which similar ones are remembered
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
        self._keys, self._names = Lines(parts[::2], few), Lines(parts[1::2], few)
        self._near: dict[str, list[int]] = {}  # by key
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
        """Return the places of the assets that a ticker may mean, for each ticker.

        Their symbol is equal but for punctuation, or has one slip; if none is, a word of their name
        begins with the ticker. The equal ones come first, then the list's order, and at most
        `MOST_PLACES`. What was found is remembered for the next call.
        """
        keys = {ticker: _key(ticker) for ticker in tickers}
        known = self._near  # another thread may replace it
        found = {key: known[key] for key in keys.values() if key in known}
        unknown = [key for key in dict.fromkeys(keys.values()) if key not in found]
        if unknown:
            found |= (looked_up := self._look_up(unknown))
            if len(known) + len(looked_up) > MOST_KEPT:
                known = {}
            kept = {key: some for key, some in looked_up.items() if len(key) <= MOST_NEAR_ID}
            self._near = known | kept
        return {ticker: found[key] for ticker, key in keys.items()}

    def _look_up(self, keys: Iterable[str]) -> dict[str, list[int]]:
        """Return the places of the assets that each of these keys may mean."""
        meant = {key: {slip.encode() for slip in _slips(key)} for key in keys}
        listed = self._keys.having_words(set().union(*meant.values()))
        found = {}
        for key, slips in meant.items():
            equal = listed.get(key.encode(), set())
            similar = set().union(*(listed[slip] for slip in slips if slip in listed))
            if not similar and LEAST_NAME <= len(key) <= MOST_NEAR_ID:
                similar = self._names.having(b" " + key.encode())
            found[key] = [*sorted(equal), *sorted(similar - equal)][:MOST_PLACES]
        return found

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


def _slips(key: str) -> set[str]:
    """Return the key itself and those with one slip; none if it is too short or too long."""
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
