"""The tickers that name another coin in a new list than in the list before. Pure.

Prices, history and the baseline for jumps belong to a coin, so they must not continue under its
ticker when the ticker becomes another coin.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from marketdata.clock import DAY_MS, epoch_ms
from marketdata.domain.assets import Asset, AssetList, FormerCoin
from marketdata.domain.currencies import CURRENCIES
from marketdata.domain.shipped_tables import COINS
from marketdata.domain.symbols import QUOTE_COINS, AssetClass, parse_symbol

# If a ticker has no coin, its last coin is remembered for longer than any price or history is
# stored.
FORMER_KEPT_MS = 60 * DAY_MS
MOST_FORMER = 2_000


@dataclass(frozen=True, slots=True)
class CoinChange:
    """A ticker (`base`) that named one coin and names another one now; each with its ids."""

    base: str
    name_before: str
    ids_before: Mapping[str, str]
    name: str
    ids: Mapping[str, str]

    def to_log(self) -> dict[str, object]:
        """Return the change as the fields of a log line."""
        return {
            "ticker": self.base,
            "coin_before": self.name_before,
            "ids_before": dict(self.ids_before),
            "coin": self.name,
            "ids": dict(self.ids),
        }

    def symbols(self) -> list[str]:
        """Return all pairs of the ticker, whatever they are priced in."""
        quotes = (*sorted(CURRENCIES), *sorted(QUOTE_COINS))
        return [f"{self.base}-{quote}" for quote in quotes if quote != self.base]


def coins_of(listed: AssetList | None) -> dict[str, FormerCoin]:
    """Return the coin that each ticker names in a list or named last; empty without a list."""
    if listed is None:
        return {}
    named = {
        _base(asset): FormerCoin(asset.name, asset.ids, listed.updated_at)
        for asset in listed.assets
    }
    return {**listed.former, **named}


def coin_changes(before: AssetList | None, listed: AssetList) -> list[CoinChange]:
    """Return the tickers of a list that named another coin before.

    If no coin had a ticker in the list before, the last coin that had the ticker counts. Before the
    first list the shipped table says which coin a ticker names.
    """
    if listed.asset_class is not AssetClass.CRYPTO:
        return []
    known = coins_of(before)
    changes = []
    for asset in listed.assets:
        base = _base(asset)
        old = known.get(base)
        name, ids = (old.name, old.ids) if old else ("", COINS.get(base, {}))
        if _is_other_coin(name, ids, asset):
            changes.append(CoinChange(base, name or base, ids, asset.name, asset.ids))
    return changes


def with_changes(
    listed: AssetList, changes: list[CoinChange], before: AssetList | None
) -> AssetList:
    """Return a list in which each asset says which coin had its ticker before, and until when."""
    texts = {asset.symbol: asset.replaced for asset in (before.assets if before else ())}
    texts |= {f"{change.base}-USD": _text(change, listed.updated_at) for change in changes}
    if not any(texts.values()):
        return listed
    assets = tuple(
        replace(asset, replaced=texts[asset.symbol]) if texts.get(asset.symbol) else asset
        for asset in listed.assets
    )
    return replace(listed, assets=assets)


def with_former(listed: AssetList, before: AssetList | None) -> AssetList:
    """Return a list that remembers the coins of the tickers that it has no coin for.

    If there are too many, the oldest are dropped. Each is dropped after `FORMER_KEPT_MS`.
    """
    if listed.asset_class is not AssetClass.CRYPTO:
        return listed
    named = {_base(asset) for asset in listed.assets}
    oldest_ms = epoch_ms(listed.updated_at) - FORMER_KEPT_MS
    lost = [
        (ticker, coin)
        for ticker, coin in coins_of(before).items()
        if ticker not in named
        and not ticker.startswith("@")  # an id names one coin for ever
        and epoch_ms(coin.listed_at) >= oldest_ms
    ]
    lost.sort(key=lambda one: one[1].listed_at, reverse=True)
    former = dict(lost[:MOST_FORMER])
    return replace(listed, former=former) if former else listed


def _is_other_coin(name: str, ids: Mapping[str, str], asset: Asset) -> bool:
    """Whether an asset is another coin than the one with this name and these ids.

    If one id is the same, it is the same coin, because a provider may give a coin a new id.
    """
    shared = ids.keys() & asset.ids.keys()
    if shared:
        return all(ids[source] != asset.ids[source] for source in shared)
    return bool(name) and name.casefold() != asset.name.casefold()


def _text(change: CoinChange, at: datetime) -> str:
    ids = ", ".join(f"{source} {known}" for source, known in sorted(change.ids_before.items()))
    return f"{change.name_before} ({ids}) until {at.date()}"


def _base(asset: Asset) -> str:
    return parse_symbol(asset.symbol).base
