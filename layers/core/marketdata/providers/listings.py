"""What the asset lists of all providers have in common. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marketdata.domain.assets import Listing
from marketdata.domain.quotes import Source
from marketdata.domain.symbols import AssetClass, Symbol, symbol_or_none
from marketdata.domain.units import unit_of
from marketdata.errors import BadPayloadError
from marketdata.providers.values import MOST_ID_CHARS, number_or_none, text_or_none


def listed_symbol(spelling: Any, asset_class: AssetClass) -> Symbol | None:
    """Return the symbol of a listed asset; None where it has none in that class."""
    is_short = isinstance(spelling, str) and len(spelling) <= MOST_ID_CHARS
    symbol = symbol_or_none(spelling) if is_short else None
    return symbol if symbol and symbol.asset_class is asset_class else None


def listed_coin(ticker: Any) -> str | None:
    """Return a listed coin's ticker against USD; None without a ticker.

    The ticker of some coins is a currency code or cannot be written in a symbol. Merging lists
    these coins by their id.
    """
    text = text_or_none(ticker, MOST_ID_CHARS)
    return None if text is None else f"{text.upper()}-USD"


def listed_currency(label: Any) -> str | None:
    """Return the currency that a list's label names; None for an unknown label and for none."""
    unit = unit_of(label) if isinstance(label, str) else None
    return None if unit is None else unit.currency


def listed_rank(value: Any) -> int | None:
    """Return the place of an asset in a ranking, 1 for the first; None for anything else."""
    rank = number_or_none(value)
    return None if rank is None or rank < 1 or rank % 1 else int(rank)


def listed_or_bad(source: Source, listings: Mapping[str, Listing]) -> tuple[Listing, ...]:
    """Return the listings in their order; raise `BadPayloadError` if there is none."""
    if not listings:
        raise BadPayloadError(f"{source.value}: its list has no asset with a valid symbol")
    return tuple(listings.values())
