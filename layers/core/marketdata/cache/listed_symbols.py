"""Which symbols are in the asset lists. Of the symbols of clients, listed ones are priced first.

Each list keeps the names of its assets in a set: the symbols of stocks, the bases of coins and the
currencies of pairs. A pair of listed currencies counts as listed, whichever pairs the list names.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence

from marketdata.cache.client import AT_ONCE, Cache, Command
from marketdata.domain.symbols import AssetClass, Symbol, symbol_or_none
from marketdata.errors import WrongTypeError

# How many answers are remembered, and for how long: lists change once a day.
KEPT, KEPT_S = 4_096, 600.0
# The same while a class has no list yet: the first one counts soon.
KEPT_WITHOUT_LIST_S = 10.0

log = logging.getLogger("marketdata.assets")


class ListedSymbols:
    """Answers for any number of symbols in one round trip. Threads may share it.

    `steady_s` is a monotonic clock in seconds.
    """

    def __init__(self, cache: Cache, steady_s: Callable[[], float] = time.monotonic) -> None:
        self._cache = cache
        self._steady_s = steady_s
        self._known: dict[str, bool] = {}
        self._until_s = steady_s() + KEPT_S

    def of(self, symbols: Sequence[str]) -> set[str]:
        """Return the symbols that are listed; all of a class that has no list yet.

        Raise `CacheUnavailableError`.
        """
        if self._steady_s() > self._until_s or len(self._known) > KEPT:
            self._known, self._until_s = {}, self._steady_s() + KEPT_S
        known = self._known
        unknown = [symbol for symbol in symbols if symbol not in known]
        if unknown:
            known.update(self._ask(unknown))
        return {symbol for symbol in symbols if known.get(symbol)}

    def _ask(self, texts: Sequence[str]) -> dict[str, bool]:
        by_class: dict[AssetClass, dict[str, tuple[str, ...]]] = {}
        for text in texts:
            symbol = symbol_or_none(text)
            if symbol is not None:
                by_class.setdefault(symbol.asset_class, {})[text] = names_of(symbol)
        listed: dict[str, bool] = dict.fromkeys(texts, False)
        for asset_class, names in by_class.items():
            wanted = {name for own in names.values() for name in own}
            found = self._listed_names(asset_class, sorted(wanted))
            if found is None:
                self._until_s = min(self._until_s, self._steady_s() + KEPT_WITHOUT_LIST_S)
            for text, own in names.items():
                listed[text] = found is None or found.issuperset(own)
        return listed

    def _listed_names(self, asset_class: AssetClass, names: Sequence[str]) -> set[str] | None:
        """Return which names a class's list has; None if there is no list."""
        key = names_key(self._cache, asset_class)
        commands: list[Command] = [("EXISTS", key)]
        parts = [names[start : start + AT_ONCE] for start in range(0, len(names), AT_ONCE)]
        commands += [("SMISMEMBER", key, *part) for part in parts]
        try:
            exists, *answers = self._cache.many(commands)
        except WrongTypeError as error:
            log.warning("unreadable value removed", extra={"key": key, "error": str(error)})
            self._cache.command("UNLINK", key)
            return None
        if not exists:
            return None
        flags = [flag for answer in answers for flag in answer]
        return {name for name, flag in zip(names, flags, strict=True) if flag}


def names_key(cache: Cache, asset_class: AssetClass) -> str:
    """Return the key of the names of a class's current list."""
    return cache.key(f"assets:{asset_class.value}", "names")


def names_of(symbol: Symbol) -> tuple[str, ...]:
    """Return the names that must all be in the set of names if a symbol is listed."""
    if symbol.asset_class is AssetClass.FOREX:
        return symbol.base, symbol.quote
    return (symbol.base,)
