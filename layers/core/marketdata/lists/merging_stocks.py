"""Merges lists of stocks: each paper once, even if the lists spell its symbol differently. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from marketdata.domain.assets import Asset, Listing
from marketdata.domain.dialects import from_finnhub
from marketdata.domain.papers import ONE_LETTER_EXCHANGES, Paper
from marketdata.domain.quotes import Source
from marketdata.domain.symbols import AssetClass, Symbol, parse_symbol, stock, symbol_or_none
from marketdata.domain.units import unit_of
from marketdata.lists.listed_rows import clean_name, first, ids_of


def merge_stocks(rows: Sequence[Listing]) -> Iterator[Asset]:
    """Yield each stock once.

    Yahoo's rows come in the order of market capitalisation, so their order is the rank.
    """
    places: dict[str, int] = {}
    for symbol, group in _by_symbol(rows).items():
        if group[0].source is Source.YFINANCE:
            places[symbol] = group[0].rank or len(places) + 1
        unit = unit_of(first(row.currency for row in group) or "")
        yield Asset(
            symbol=symbol,
            asset_class=AssetClass.STOCKS,
            name=first(clean_name(row.name) for row in group) or symbol,
            exchange=first(row.exchange for row in group),
            currency=unit.currency if unit else None,
            rank=places.get(symbol),
            ids=ids_of(group),
        )


def _by_symbol(rows: Sequence[Listing]) -> dict[str, list[Listing]]:
    groups: dict[str, list[Listing]] = {}
    for row in rows:
        symbol = _symbol(row)
        if symbol is not None and symbol.asset_class is AssetClass.STOCKS:
            groups.setdefault(symbol.text, []).append(row)
    for text in [text for text in groups if _is_preferred(text, groups)]:
        preferred = _as_preferred(parse_symbol(text))
        groups[preferred] += groups.pop(text)
    return groups


def _symbol(row: Listing) -> Symbol | None:
    """Return a row's symbol. A letter after a dash is a preferred series in Finnhub's list."""
    if row.source is Source.FINNHUB:
        return from_finnhub(row.provider_id)
    return symbol_or_none(row.symbol)


def _is_preferred(text: str, groups: dict[str, list[Listing]]) -> bool:
    """Return whether a share class is the preferred series of the same letter in older spelling.

    That is so only if that series is listed, too. No US paper has a class with the letter of an
    exchange.
    """
    symbol = parse_symbol(text)
    if symbol.paper is not Paper.CLASS or symbol.exchange or _as_preferred(symbol) not in groups:
        return False
    names = " ".join(row.name for row in groups[text]).lower()
    return symbol.series in ONE_LETTER_EXCHANGES or "pref" in names or "pfd" in names


def _as_preferred(symbol: Symbol) -> str:
    preferred = stock(symbol.root, Paper.PREFERRED, symbol.series)
    return "" if preferred is None else preferred.text
