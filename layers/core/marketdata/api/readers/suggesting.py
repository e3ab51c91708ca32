"""Suggestions for the errors of symbols that are invalid, unknown or without a price so far.

They follow from the spelling alone, else from the asset lists. A client that asks for many junk
symbols must not cost much: one request has at most `MOST_SEARCHED` of its symbols searched for, all
in one look at each list.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

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
# So many rows are read for each, because some name another kind of paper.
_MOST_ROWS = 4 * MOST
# With these reasons the symbol has, or has had, a price, so it is spelled right.
_PRICED = (Reason.STALE, Reason.QUARANTINED)


@dataclass(frozen=True, slots=True)
class Suggester:
    """Adds suggestions to errors: by their spelling, else similar symbols of the asset lists."""

    assets: AssetStore
    listed: ListedSymbols

    def with_suggestions(self, errors: Sequence[MissingQuote]) -> list[MissingQuote]:
        """Return the errors, with suggestions for symbols that may be misspelt.

        A symbol that is listed, or whose class has no list yet, has none from the lists. If the
        lists cannot be read, no symbol has.
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
            listed = self.listed.of(texts)
            unlisted = [text for text in texts if text not in listed and not _is_pair(text)]
            return self._similar(unlisted[:MOST_SEARCHED])
        except CacheUnavailableError as error:
            log.warning("no suggestions", extra={"error": str(error)})
            return {}

    def _similar(self, texts: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """Return the listed symbols that are like each text, the best ranked first."""
        names: dict[AssetClass, dict[str, str]] = {}  # by class: the name to look for, by text
        for text in texts:
            symbol = symbol_or_none(text)
            asset_class = AssetClass.STOCKS if symbol is None else symbol.asset_class
            name = text if symbol is None else symbol.base
            if symbol is not None and symbol.coin_id:
                name += f"-{LISTED_QUOTE}"
            names.setdefault(asset_class, {})[text] = name
        found: dict[str, tuple[str, ...]] = {}
        for asset_class, meta in self.assets.metas(tuple(names)).items():
            wanted = names[asset_class]
            near = self.assets.near(asset_class, meta.version, list(wanted.values()))
            rows = self._rows(asset_class, meta.version, near.values())
            for text, name in wanted.items():
                likely = [rows[place] for place in near.get(name, ())[:_MOST_ROWS] if place in rows]
                found[text] = tuple(dict.fromkeys(_meant(text, likely)))[:MOST]
        return found

    def _rows(
        self, asset_class: AssetClass, version: str, near: Iterable[Sequence[int]]
    ) -> dict[int, Mapping[str, Any]]:
        """Return the first rows at these places, by place; none if the list was replaced."""
        places = sorted({place for some in near for place in some[:_MOST_ROWS]})
        rows = self.assets.rows(asset_class, version, places)
        if len(rows) != len(places):
            return {}
        return {place: json.loads(row) for place, row in zip(places, rows, strict=True)}


def _meant(text: str, rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield the symbols of these rows that a text may have meant, as it would ask for them."""
    own = symbol_or_none(text)
    if own is not None and own.asset_class is AssetClass.CRYPTO:
        if any(own.coin_id and row["ids"].get("coingecko") == own.coin_id for row in rows):
            return  # listed, by its ticker
        pairs = near_pairs(own.base, own.quote)
        yield from (pair for pair in pairs if pair[:3] in MAIN_CURRENCIES)
    for row in rows:
        listed = parse_symbol(row["symbol"])
        if own is None or own.asset_class is AssetClass.STOCKS:
            if own is None or _kind(listed) == _kind(own):
                yield listed.text
        elif symbol := symbol_or_none(f"{listed.base}-{own.quote}"):
            yield symbol.text


def _is_pair(text: str) -> bool:
    """Return whether a text is a pair of two currencies, none of which is misspelt."""
    symbol = symbol_or_none(text)
    return symbol is not None and symbol.asset_class is AssetClass.FOREX


def _kind(stock: Symbol) -> tuple[str, bool, bool]:
    """Return what a misspelt stock shares with the stock that was meant."""
    return stock.exchange, is_index(stock.text), is_future(stock.text)
