"""Merges the providers' lists of one class into one ranked list. Pure.

A field that no provider gives is empty, never guessed. An asset that no provider of the class can
price is not listed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from marketdata.domain.assets import Asset, Listing
from marketdata.domain.symbols import AssetClass
from marketdata.lists.listed_rows import PRECEDENCE, by_source, rank_key
from marketdata.lists.merging_crypto import merge_crypto
from marketdata.lists.merging_forex import merge_forex
from marketdata.lists.merging_stocks import merge_stocks

# A new list with fewer assets than this share of the old one is not accepted.
LEAST_SHARE = 0.8


def merge(
    asset_class: AssetClass,
    listings: Sequence[Listing],
    coins_before: Mapping[str, Mapping[str, str]] | None = None,
) -> tuple[Asset, ...]:
    """Return all rows of all providers of a class as one list: ranked assets first, then by symbol.

    Each symbol occurs once. Rows of stocks and forex whose symbol is not valid or of another class
    are left out. `coins_before`: by ticker, the ids of the coin that the ticker named in the list
    before; a ticker keeps its coin while that coin is listed.
    """
    order = PRECEDENCE[asset_class]
    rows = sorted((row for row in listings if row.source in order), key=by_source(asset_class))
    match asset_class:
        case AssetClass.STOCKS:
            assets = merge_stocks(rows)
        case AssetClass.CRYPTO:
            assets = merge_crypto(rows, coins_before or {})
        case AssetClass.FOREX:
            assets = merge_forex(rows)
    return tuple(sorted(assets, key=lambda asset: (rank_key(asset.rank), asset.symbol)))


def guard(new_total: int, old_total: int) -> str | None:
    """Return why a new list must not replace the old one, None if it may."""
    if new_total == 0:
        return "the new list is empty"
    if new_total < LEAST_SHARE * old_total:
        return f"the new list has {new_total} assets, under 80 % of the {old_total} before"
    return None
