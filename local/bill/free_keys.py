"""What free keys allow: for each class, how many symbols can have how fresh prices."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from marketdata.clock import SLOT_S
from marketdata.domain.budget import Limit, parse_limits
from marketdata.domain.catalogue import CHAINS, FACTS
from marketdata.domain.quotes import Source
from marketdata.domain.symbols import AssetClass

RESERVE = 0.1  # share of day and month windows that is kept for probes, new symbols and lists


@dataclass(frozen=True, slots=True)
class Allowed:
    """The freshness of a class with free plans. `period_s`: seconds between two prices of a symbol.

    `most_live`: how many symbols could be priced in every slot; `most_fresh`: within `ttl_s`.
    """

    asset_class: AssetClass
    sources: tuple[Source, ...]
    symbols: int
    period_s: float
    most_live: int
    most_fresh: int


def allowed(
    asset_class: AssetClass, symbols: int, keys: Collection[Source], *, ttl_s: int = 300
) -> Allowed:
    """Return how often the symbols of a class are priced with these keys on their free plans.

    All providers of the chain are used: the second is called while the first one may not be called.
    """
    sources = tuple(
        source for source in CHAINS[asset_class] if not FACTS[source].needs_key or source in keys
    )
    calls_per_s = sum(1 / pace_s(source) for source in sources)
    symbols_per_s = sum(FACTS[source].batch_size / pace_s(source) for source in sources)
    updated_s = min((FACTS[source].free_update_s for source in sources), default=SLOT_S)
    period_s = max(SLOT_S, updated_s, 1 / calls_per_s, symbols / symbols_per_s)
    live = min(1.0, calls_per_s * SLOT_S) if updated_s <= SLOT_S else 0.0
    return Allowed(
        asset_class,
        sources,
        symbols,
        period_s,
        most_live=int(symbols_per_s * SLOT_S) if live >= 1 else 0,
        most_fresh=int(symbols_per_s * ttl_s) if 1 / calls_per_s <= ttl_s else 0,
    )


def pace_s(source: Source) -> float:
    """Return the seconds between two calls to a provider, on average, on its free plan."""
    return max(_pace_s(limit) for limit in parse_limits(FACTS[source].free_limits))


def _pace_s(limit: Limit) -> float:
    calls = limit.calls * (1 - RESERVE if limit.is_long else 1)
    return limit.window_ms / 1000 / calls
