"""Merges lists of coins: one coin is listed by its ticker, others with the ticker by id. Pure.

Many coins share a ticker. So rows of two providers become one coin only if also a name or an id
agrees.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

from marketdata.domain.assets import Asset, Listing
from marketdata.domain.quotes import Source
from marketdata.domain.shipped_tables import COINS
from marketdata.domain.symbols import AssetClass, Symbol, symbol_or_none
from marketdata.lists.listed_rows import (
    by_source,
    clean_name,
    first,
    ids_of,
    rank_key,
)

Coin: TypeAlias = list[Listing]  # the rows of one coin, at most one of each source

_QUOTE = "-USD"  # providers list coins against the dollar


def merge_crypto(
    rows: Sequence[Listing], coins_before: Mapping[str, Mapping[str, str]]
) -> Iterator[Asset]:
    """Yield each coin once: one coin of each ticker by the ticker, all others by CoinGecko's id.

    A coin whose ticker is a currency code or not valid in a symbol is listed by its id, too. A coin
    that can be listed neither by a ticker nor by an id is left out.
    """
    by_ticker: dict[str, list[Listing]] = {}
    for row in rows:
        by_ticker.setdefault(row.symbol.upper(), []).append(row)
    listed: set[str] = set()
    others: list[Coin] = []
    for text, group in by_ticker.items():
        symbol = symbol_or_none(text)
        coins = _coins(group)
        if symbol is not None and symbol.asset_class is AssetClass.CRYPTO and not symbol.coin_id:
            coin = _coin_of_ticker(symbol.base, coins, coins_before.get(symbol.base, {}))
            if coin is not None and symbol.text not in listed:
                coins.remove(coin)
                listed.add(symbol.text)
                yield _asset(symbol, coin)
        others += coins
    for coin in others:
        coin_id = ids_of(coin).get(Source.COINGECKO, "")
        symbol = symbol_or_none(f"@{coin_id}{_QUOTE}")
        if symbol is not None and symbol.coin_id == coin_id and symbol.text not in listed:
            listed.add(symbol.text)
            yield _asset(symbol, coin)


def _asset(symbol: Symbol, coin: Coin) -> Asset:
    return Asset(
        symbol=symbol.text,
        asset_class=AssetClass.CRYPTO,
        name=first(clean_name(row.name) for row in coin) or symbol.text,
        exchange=None,
        currency=symbol.quote,
        rank=first(row.rank for row in coin),
        ids=ids_of(coin),
    )


def _coin_of_ticker(base: str, coins: Sequence[Coin], before: Mapping[str, str]) -> Coin | None:
    """Return the coin that a ticker names; None if its coin is not listed.

    The ticker of a shipped coin names only that coin, whatever its rank. Any other ticker names the
    coin that it named before, if that coin is listed; else the coin with the highest rank.
    """
    shipped = COINS.get(base, {})
    if shipped and not shipped.items() & before.items():
        before = {}  # another coin had the ticker by mistake
    for known in (shipped, before):
        for source in (Source.COINGECKO, Source.COINMARKETCAP):
            for coin in coins:
                if source in known and ids_of(coin).get(source) == known[source]:
                    return coin
    if shipped:
        # A list without a top coin is incomplete. The ids of that coin come from the shipped table.
        return None
    return min(coins, key=lambda coin: min(rank_key(row.rank) for row in coin))


def _coins(group: Sequence[Listing]) -> list[Coin]:
    """Return the rows that share a ticker, split into coins."""
    coins: list[Coin] = []
    for row in sorted(group, key=lambda row: rank_key(row.rank)):
        for coin in coins:
            if all(row.source is not known.source for known in coin):
                if any(_same_coin(row, known) for known in coin):
                    coin.append(row)
                    break
            elif any(row.provider_id == k.provider_id and row.source is k.source for k in coin):
                break  # the same row again, from the unranked list
        else:
            coins.append([row])
    order = by_source(AssetClass.CRYPTO)
    return [sorted(coin, key=order) for coin in coins]


def _same_coin(one: Listing, other: Listing) -> bool:
    """Return whether two providers' rows of one ticker are about the same coin."""
    if _names(one) & _names(other):
        return True
    shipped = COINS.get(one.symbol.upper().removesuffix(_QUOTE), {})
    return all(shipped.get(row.source.value) == row.provider_id for row in (one, other))


def _names(row: Listing) -> frozenset[str]:
    texts = (re.sub(r"[\W_]", "", text.casefold()) for text in (row.name, row.slug or ""))
    return frozenset(filter(None, texts))
