"""Suggestions for the errors of symbols that are invalid, unknown or without a price so far.

They are found by the spelling alone, else in the asset lists. A client that asks for many junk
symbols must not cost much, so at most `MOST_SEARCHED` symbols of a request are looked for, all in
one look at each list.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from marketdata.domain.outcomes import MissingQuote, Reason
from marketdata.domain.search_index import LISTED_QUOTE
from marketdata.domain.suggestions import MAIN_CURRENCIES, MOST, near_pairs, suggestions
from marketdata.domain.symbols import (
    AssetClass,
    Symbol,
    is_future,
    is_index,
    parse_symbol,
    symbol_or_none,
)
from marketdata.errors import CacheUnavailableError

if TYPE_CHECKING:
    from marketdata.cache.asset_store import AssetStore
    from marketdata.cache.listed_symbols import ListedSymbols

log = logging.getLogger("marketdata.api")

# The lists are searched for at most this many symbols of one request.
MOST_SEARCHED = 5
# A pair of two currencies has no slip, or it is found by its spelling.
_SEARCHED = (AssetClass.STOCKS, AssetClass.CRYPTO)
# With these reasons the symbol has, or has had, a price, so it is spelled right.
_PRICED = (Reason.STALE, Reason.QUARANTINED)


@dataclass(frozen=True, slots=True)
class Suggester:
    """Adds suggestions to errors: by their spelling, else similar symbols of the asset lists."""

    assets: AssetStore
    listed: ListedSymbols

    def with_suggestions(self, errors: Sequence[MissingQuote]) -> list[MissingQuote]:
        """Return the errors, with suggestions for symbols that may be misspelt.

        A symbol that is listed, or whose class has no list yet, has no suggestions from the lists.
        If the lists cannot be read, no symbol has suggestions from them.
        """
        found = {
            error.symbol: suggestions(error.symbol) for error in errors if error.code not in _PRICED
        }
        found |= self._from_lists([symbol for symbol, meant in found.items() if not meant])
        return [
            replace(error, suggestions=found[error.symbol]) if found.get(error.symbol) else error
            for error in errors
        ]

    def _from_lists(self, texts: Sequence[str]) -> dict[str, tuple[str, ...]]:
        if not texts:
            return {}
        try:
            return self._similar(texts)
        except CacheUnavailableError as error:
            log.warning("no suggestions", extra={"error": str(error)})
            return {}

    def _similar(self, texts: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """Return the listed symbols that each text may mean that is in no list."""
        listed = self.listed.of([text for text in texts if symbol_or_none(text)])
        unlisted = [text for text in texts if text not in listed]
        searched = [text for text in unlisted if _class_of(text) in _SEARCHED][:MOST_SEARCHED]
        metas = self.assets.metas(_SEARCHED) if searched else {}
        found: dict[str, tuple[str, ...]] = {}
        for asset_class, meta in metas.items():
            left = [text for text in searched if not found.get(text)]
            # `BITCOIN` is spelled like a stock.
            names = {
                text: _name_in_list(text)
                for text in left
                if _class_of(text) is asset_class or text.isalnum()
            }
            if not names:
                continue
            near = self.assets.near(asset_class, meta.version, list(names.values()))
            rows = self._rows(asset_class, meta.version, near.values())
            for text, name in names.items():
                likely = [rows[place] for place in near.get(name, ()) if place in rows]
                found[text] = tuple(dict.fromkeys(_meant(text, likely)))[:MOST]
        return found

    def _rows(
        self, asset_class: AssetClass, version: str, near: Iterable[Sequence[int]]
    ) -> dict[int, _Listed]:
        """Return the first rows at these places, by place; none if the list was replaced."""
        places = sorted({place for some in near for place in some})
        rows = self.assets.rows(asset_class, version, places)
        if len(rows) != len(places):
            return {}
        return {place: _listed(row) for place, row in zip(places, rows, strict=True)}


class _Listed(NamedTuple):
    """What the row of an asset says of its symbol. `coin_id`: the id at CoinGecko, or None."""

    symbol: Symbol
    coin_id: str | None


def _listed(row: bytes) -> _Listed:
    found = json.loads(row)
    return _Listed(parse_symbol(found["symbol"]), found["ids"].get("coingecko"))


def _class_of(text: str) -> AssetClass:
    """Return the class in whose list a text may be."""
    symbol = symbol_or_none(text)
    return AssetClass.STOCKS if symbol is None else symbol.asset_class


def _name_in_list(text: str) -> str:
    """Return what the index of a list knows a symbol by, if it is there."""
    symbol = symbol_or_none(text)
    if symbol is None:
        return text
    return f"{symbol.base}-{LISTED_QUOTE}" if symbol.coin_id else symbol.base


def _meant(text: str, rows: Sequence[_Listed]) -> Iterator[str]:
    """Yield the symbols of these rows that a text may have meant, as it would ask for them."""
    own = symbol_or_none(text)
    if own is not None and own.asset_class is AssetClass.CRYPTO:
        if any(own.coin_id and row.coin_id == own.coin_id for row in rows):
            return  # listed, by its ticker
        pairs = near_pairs(own.base, own.quote)
        yield from (pair for pair in pairs if pair[:3] in MAIN_CURRENCIES)
    for row in rows:
        listed = row.symbol
        if own is None or own.asset_class is AssetClass.STOCKS:
            if own is None or _kind(listed) == _kind(own):
                yield listed.text
        elif symbol := symbol_or_none(f"{listed.base}-{own.quote}"):
            yield symbol.text


def _kind(stock: Symbol) -> tuple[str, bool, bool]:
    """Return what a misspelt stock shares with the stock that was meant."""
    return stock.exchange, is_index(stock.text), is_future(stock.text)
