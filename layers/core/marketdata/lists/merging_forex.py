"""Merges lists of currencies and lists of pairs into one list of pairs. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from marketdata.domain.assets import Asset, Listing
from marketdata.domain.currencies import PRICED
from marketdata.domain.shipped_tables import FOREX_PAIRS
from marketdata.domain.symbols import AssetClass, symbol_or_none
from marketdata.lists.listed_rows import clean_name, ids_of

# The currencies whose price is given in dollars. For all others the price of a dollar is given.
_QUOTED_IN_USD = frozenset(("EUR", "GBP", "AUD", "NZD", "XAU", "XAG", "XPT", "XPD"))


def merge_forex(rows: Sequence[Listing]) -> Iterator[Asset]:
    """Yield listed currencies as pairs with the dollar, and listed pairs as they are.

    A shipped main pair is listed if a provider lists the pair or both of its currencies. If no
    provider lists anything, the shipped pairs are the list.
    """
    codes: dict[str, dict[str, str]] = {}
    names = _shipped_names()
    for row in rows:
        # Providers list withdrawn currencies and units of account that no provider can price.
        if row.symbol in PRICED:
            codes.setdefault(row.symbol, {})[row.source.value] = row.provider_id
            names.setdefault(row.symbol, clean_name(row.name) or row.symbol)
    pairs: dict[tuple[str, str], tuple[dict[str, str], str]] = {
        sides: (ids_of(group), clean_name(group[0].name)) for sides, group in _by_pair(rows).items()
    }
    for sides, ids in _pairs_of(codes):
        listed, name = pairs.get(sides, ({}, ""))
        pairs[sides] = {**ids, **listed}, name
    if not pairs:
        pairs = {sides: ({}, "") for sides in _SHIPPED}
    for (base, quote), (ids, name) in pairs.items():
        pair = f"{base}/{quote}"
        both = f"{names[base]} / {names[quote]}" if {base, quote} <= names.keys() else name
        yield Asset(
            symbol=pair,
            asset_class=AssetClass.FOREX,
            name=FOREX_PAIRS.get(pair) or both or pair,
            exchange=None,
            currency=quote,
            rank=_SHIPPED.get((base, quote)),
            ids=ids,
        )


def _shipped_ranks() -> dict[tuple[str, str], int]:
    symbols = [symbol_or_none(pair) for pair in FOREX_PAIRS]
    return {(symbol.base, symbol.quote): place for place, symbol in enumerate(symbols, 1) if symbol}


_SHIPPED = _shipped_ranks()


def _by_pair(rows: Sequence[Listing]) -> dict[tuple[str, str], list[Listing]]:
    groups: dict[tuple[str, str], list[Listing]] = {}
    for row in rows:
        symbol = symbol_or_none(row.symbol)
        if symbol is not None and {symbol.base, symbol.quote} <= PRICED:
            groups.setdefault((symbol.base, symbol.quote), []).append(row)
    return groups


def _pairs_of(
    codes: Mapping[str, Mapping[str, str]],
) -> Iterator[tuple[tuple[str, str], dict[str, str]]]:
    """Yield each listed currency against the dollar, and the shipped pairs between listed ones."""
    for code, ids in codes.items():
        if code != "USD":
            yield ((code, "USD") if code in _QUOTED_IN_USD else ("USD", code)), dict(ids)
    for base, quote in _SHIPPED:
        if base in codes and quote in codes and "USD" not in (base, quote):
            others = codes[quote]
            ids = {
                source: f"{code}/{others[source]}"
                for source, code in codes[base].items()
                if source in others
            }
            yield (base, quote), ids


def _shipped_names() -> dict[str, str]:
    return {
        code: name
        for sides, both in zip(_SHIPPED, FOREX_PAIRS.values(), strict=True)
        for code, name in zip(sides, both.split(" / "), strict=True)
    }
