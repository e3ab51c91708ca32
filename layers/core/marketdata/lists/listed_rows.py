"""Shared parts of merging the rows of any class. Pure."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import TypeVar

from marketdata.domain.assets import Listing
from marketdata.domain.quotes import Source
from marketdata.domain.symbols import AssetClass

_T = TypeVar("_T")

# The order of the sources from which a name, exchange, currency or rank is taken.
PRECEDENCE: Mapping[AssetClass, tuple[Source, ...]] = MappingProxyType(
    {
        AssetClass.STOCKS: (Source.YFINANCE, Source.ALPHA_VANTAGE, Source.FINNHUB),
        AssetClass.CRYPTO: (Source.COINGECKO, Source.COINMARKETCAP),
        AssetClass.FOREX: (Source.ALPHA_VANTAGE, Source.FINNHUB, Source.COINMARKETCAP),
    }
)


def clean_name(text: str) -> str:
    """Return a name without markup and superfluous blanks; empty if no name is left."""
    text = html.unescape(re.sub(r"&[A-Z]+;", lambda entity: entity[0].lower(), text))
    text = " ".join(text.split())
    return "" if text.lower() in ("null", "none", "n/a", "-") else text


def by_source(asset_class: AssetClass) -> Callable[[Listing], int]:
    """Return the key that sorts rows of a class by the precedence of their sources."""
    order = PRECEDENCE[asset_class]
    return lambda row: order.index(row.source)


def ids_of(rows: Iterable[Listing]) -> dict[str, str]:
    """Return the id at each source: that of the first row of the source."""
    return {row.source.value: row.provider_id for row in reversed(tuple(rows))}


def first(values: Iterable[_T | None]) -> _T | None:
    """Return the first value that is neither None nor empty."""
    return next((value for value in values if value), None)


def rank_key(rank: int | None) -> tuple[bool, int]:
    """Return a key that sorts ranks, with missing ones last."""
    return rank is None, rank or 0
