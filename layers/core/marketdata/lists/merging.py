"""Several providers' lists of one class become one ranked list: pure, and wary of lookalikes.

A ticker alone identifies nothing in crypto, so two providers' rows become one asset only where
more than the ticker says that they are the same coin. What no provider says is left open, never
guessed.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import TypeVar

from marketdata.domain.assets import Asset, Listing
from marketdata.domain.currencies import CURRENCIES
from marketdata.domain.quotes import Source
from marketdata.domain.shipped_tables import COINS, FOREX_PAIRS
from marketdata.domain.symbols import AssetClass, parse_symbol
from marketdata.domain.units import unit_of
from marketdata.errors import InvalidSymbolError

_T = TypeVar("_T")

# Whose word counts first, where several know a name, an exchange, a currency or a rank.
PRECEDENCE: Mapping[AssetClass, tuple[Source, ...]] = MappingProxyType(
    {
        AssetClass.STOCKS: (Source.YFINANCE, Source.ALPHA_VANTAGE, Source.FINNHUB),
        AssetClass.CRYPTO: (Source.COINGECKO, Source.COINMARKETCAP),
        AssetClass.FOREX: (Source.ALPHA_VANTAGE, Source.FINNHUB, Source.COINMARKETCAP),
    }
)
# A new list that is smaller than this share of the old one is a failure, not news.
LEAST_SHARE = 0.8
# What the market quotes in dollars; dollars are quoted in all else.
_QUOTED_IN_USD = frozenset(("EUR", "GBP", "AUD", "NZD", "XAU", "XAG", "XPT", "XPD"))


def merge(asset_class: AssetClass, listings: Sequence[Listing]) -> tuple[Asset, ...]:
    """All rows of all providers of a class as one list: ranked assets first, then by symbol.

    Each symbol occurs once. Rows whose symbol is not valid, or is one of another class (a coin
    whose ticker is a currency code), are left out.
    """
    order = PRECEDENCE[asset_class]
    rows = sorted((row for row in listings if row.source in order), key=_by_source(order))
    assets = _MERGERS[asset_class](rows)
    return tuple(sorted(assets, key=lambda a: (_rank_key(a.rank), a.symbol)))


def guard(new_total: int, old_total: int) -> str | None:
    """Why a new list must not replace the old one, or None where it may."""
    if new_total == 0:
        return "the new list is empty"
    if new_total < LEAST_SHARE * old_total:
        return f"the new list has {new_total} assets, under 80 % of the {old_total} before"
    return None


def clean_name(text: str) -> str:
    """A name without markup, doubled or outer blanks; empty where it says nothing."""
    text = html.unescape(re.sub(r"&[A-Z]+;", lambda entity: entity[0].lower(), text))
    text = " ".join(text.split())
    return "" if text.lower() in ("null", "none", "n/a", "-") else text


def _merge_stocks(rows: Sequence[Listing]) -> Iterator[Asset]:
    """Yahoo's rows come in the order of market capitalisation, so their order is the rank."""
    places: dict[str, int] = {}
    for symbol, group in _by_symbol(AssetClass.STOCKS, rows).items():
        if group[0].source is Source.YFINANCE:
            places[symbol] = group[0].rank or len(places) + 1
        unit = unit_of(_first(row.currency for row in group) or "")
        yield Asset(
            symbol=symbol,
            asset_class=AssetClass.STOCKS,
            name=_first(clean_name(row.name) for row in group) or symbol,
            exchange=_first(row.exchange for row in group),
            currency=unit.currency if unit else None,
            rank=places.get(symbol),
            ids=_ids(group),
        )


def _merge_crypto(rows: Sequence[Listing]) -> Iterator[Asset]:
    for symbol, group in _by_symbol(AssetClass.CRYPTO, rows).items():
        coin = min(_coins(group), key=lambda coin: min(_rank_key(row.rank) for row in coin))
        yield Asset(
            symbol=symbol,
            asset_class=AssetClass.CRYPTO,
            name=_first(clean_name(row.name) for row in coin) or symbol,
            exchange=None,
            currency=symbol[-3:],
            rank=_first(row.rank for row in coin),
            ids=_ids(coin),
        )


def _coins(group: Sequence[Listing]) -> list[list[Listing]]:
    """Rows that share a ticker, parted into coins; each coin has at most one row of a source."""
    coins: list[list[Listing]] = []
    for row in sorted(group, key=lambda row: _rank_key(row.rank)):
        for coin in coins:
            if all(row.source is not known.source for known in coin):
                if any(_same_coin(row, known) for known in coin):
                    coin.append(row)
                    break
            elif any(row.provider_id == k.provider_id and row.source is k.source for k in coin):
                break  # the same row again, from the unranked list
        else:
            coins.append([row])
    by_source = _by_source(PRECEDENCE[AssetClass.CRYPTO])
    return [sorted(coin, key=by_source) for coin in coins]


def _same_coin(one: Listing, other: Listing) -> bool:
    """Whether two providers' rows of one ticker are about the same coin."""
    if _names(one) & _names(other):
        return True
    shipped = COINS.get(parse_symbol(one.symbol).base, {})
    return all(shipped.get(row.source.value) == row.provider_id for row in (one, other))


def _names(row: Listing) -> frozenset[str]:
    words = (re.sub(r"[\W_]", "", text.casefold()) for text in (row.name, row.slug or ""))
    return frozenset(filter(None, words))


def _merge_forex(rows: Sequence[Listing]) -> Iterator[Asset]:
    """Lists of currencies become pairs as the market quotes them; lists of pairs stay as they are.

    A shipped main pair is in the list where a provider lists it or both of its currencies; where
    no provider lists anything, the shipped pairs are the list.
    """
    codes: dict[str, dict[str, str]] = {}
    names = _shipped_names()
    for row in rows:
        if row.symbol in CURRENCIES:
            codes.setdefault(row.symbol, {})[row.source.value] = row.provider_id
            names.setdefault(row.symbol, clean_name(row.name) or row.symbol)
    pairs: dict[str, tuple[dict[str, str], str]] = {
        symbol: (_ids(group), clean_name(group[0].name))
        for symbol, group in _by_symbol(AssetClass.FOREX, rows).items()
    }
    for pair, ids in _pairs_of(codes):
        listed, name = pairs.get(pair, ({}, ""))
        pairs[pair] = {**ids, **listed}, name
    if not pairs:
        pairs = {pair: ({}, "") for pair in FOREX_PAIRS}
    ranks = {pair: place for place, pair in enumerate(FOREX_PAIRS, start=1)}
    for pair, (ids, name) in pairs.items():
        base, quote = pair.split("/")
        told = f"{names[base]} / {names[quote]}" if {base, quote} <= names.keys() else name
        yield Asset(
            symbol=pair,
            asset_class=AssetClass.FOREX,
            name=FOREX_PAIRS.get(pair) or told or pair,
            exchange=None,
            currency=quote,
            rank=ranks.get(pair),
            ids=ids,
        )


def _pairs_of(codes: Mapping[str, Mapping[str, str]]) -> Iterator[tuple[str, dict[str, str]]]:
    """Each listed currency against the dollar, and the shipped pairs between listed ones."""
    for code, ids in codes.items():
        if code != "USD":
            yield (f"{code}/USD" if code in _QUOTED_IN_USD else f"USD/{code}"), dict(ids)
    for pair in FOREX_PAIRS:
        base, quote = pair.split("/")
        if base in codes and quote in codes and "USD" not in (base, quote):
            both = codes[base].keys() & codes[quote].keys()
            yield pair, {source: f"{codes[base][source]}/{codes[quote][source]}" for source in both}


def _shipped_names() -> dict[str, str]:
    return {
        code: name
        for pair, both in FOREX_PAIRS.items()
        for code, name in zip(pair.split("/"), both.split(" / "), strict=True)
    }


def _by_symbol(asset_class: AssetClass, rows: Sequence[Listing]) -> dict[str, list[Listing]]:
    groups: dict[str, list[Listing]] = {}
    for row in rows:
        try:
            symbol = parse_symbol(row.symbol)
        except InvalidSymbolError:
            continue
        if symbol.asset_class is asset_class:
            groups.setdefault(symbol.text, []).append(row)
    return groups


def _by_source(order: tuple[Source, ...]) -> Callable[[Listing], int]:
    return lambda row: order.index(row.source)


def _ids(group: Iterable[Listing]) -> dict[str, str]:
    """Each source's own id: that of its first row."""
    return {row.source.value: row.provider_id for row in reversed(tuple(group))}


def _first(values: Iterable[_T | None]) -> _T | None:
    return next((value for value in values if value), None)


def _rank_key(rank: int | None) -> tuple[bool, int]:
    return rank is None, rank or 0


_MERGERS: Mapping[AssetClass, Callable[[Sequence[Listing]], Iterable[Asset]]] = MappingProxyType(
    {
        AssetClass.STOCKS: _merge_stocks,
        AssetClass.CRYPTO: _merge_crypto,
        AssetClass.FOREX: _merge_forex,
    }
)
