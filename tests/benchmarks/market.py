"""The simulated market in a separate process, so that its work is not measured."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import requests

from local.simulator.universe import Universe
from marketdata.domain.assets import Asset, AssetList
from marketdata.domain.quotes import Source
from marketdata.domain.symbols import AssetClass, parse_symbol
from marketdata.settings import ENV_PREFIXES

ROOT = Path(__file__).parents[2]
# More calls than any round makes, so that no limit delays a call.
LIMITS = "1000000/minute"
# The number of stocks in 100 symbols; all others are coins, each in several currencies.
STOCKS_IN_100 = 24
CURRENCIES = ("USD", "EUR", "GBP", "JPY", "CHF", "CAD")


@dataclass(frozen=True)
class MarketProcess:
    """A running market: the URLs of its providers, and of its control port."""

    base_urls: Mapping[Source, str]
    control_url: str

    def env(self) -> dict[str, str]:
        """Return the settings that direct the service to the market."""
        urls = {f"{ENV_PREFIXES[source]}_BASE_URL": url for source, url in self.base_urls.items()}
        limits = {f"{prefix}_LIMITS": LIMITS for prefix in ENV_PREFIXES.values()}
        keys = {f"{ENV_PREFIXES[source]}_API_KEY": "goodkey" for source in self.base_urls}
        del keys["YAHOO_API_KEY"]
        return {**urls, **limits, **keys}

    def delay(self, latency_ms: int) -> None:
        """Answer every later call after `latency_ms`."""
        self._control("DELETE", None)
        if latency_ms:
            self._control("POST", {"fault": "latency", "latency_ms": latency_ms})

    def quote_calls(self) -> int:
        """Return how many calls for quotes the market has answered so far."""
        state = requests.get(f"{self.control_url}/control/state", timeout=10).json()
        return sum(
            entry["count"]
            for provider in state["providers"].values()
            for entry in provider["calls"]
            if entry["kind"] == "quote"
        )

    def _control(self, method: str, faults: Mapping[str, object] | None) -> None:
        url = f"{self.control_url}/control/faults"
        requests.request(method, url, json=faults, timeout=10).raise_for_status()


@contextlib.contextmanager
def running_market() -> Iterator[MarketProcess]:
    """Run a new market without quotas."""
    limits = [word for source in Source for word in ("--limits", f"{source.value}={LIMITS}")]
    command = [sys.executable, "-m", "local.simulator", *limits]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as process:  # noqa: S603  (fixed arguments)
        assert process.stdout is not None
        try:
            started = json.loads(process.stdout.readline())
            urls = {Source(name): url for name, url in started["base_urls"].items()}
            yield MarketProcess(urls, started["control_url"])
        finally:
            process.terminate()


def symbols_of(count: int) -> list[str]:
    """Return so many symbols that the market trades, always in the same proportions."""
    universe = Universe.build()
    stocks = [
        stock.symbol
        for stock in universe.stocks.values()
        if not stock.dead and stock.frozen_ms is None and stock.currency == "USD"
    ]
    pairs = [f"{coin.ticker}-{to}" for coin in _coins(universe) for to in CURRENCIES]
    pairs = [pair for pair in pairs if parse_symbol(pair).asset_class is AssetClass.CRYPTO]
    many = max(1, count * STOCKS_IN_100 // 100)
    chosen = stocks[:many] + pairs[: count - many]
    assert len(chosen) == count, f"the market has {len(stocks)} stocks and {len(pairs)} pairs"
    return chosen


def coin_list(updated_ms: int) -> AssetList:
    """Return the coins with their ids at the providers, as a refresh would list them."""
    from datetime import UTC, datetime

    assets = tuple(
        Asset(
            f"{coin.ticker}-USD",
            AssetClass.CRYPTO,
            coin.name,
            None,
            "USD",
            coin.rank,
            {"coingecko": coin.slug, "coinmarketcap": str(coin.cmc_id)},
        )
        for coin in _coins(Universe.build())
    )
    updated = datetime.fromtimestamp(updated_ms / 1000, UTC)
    return AssetList(AssetClass.CRYPTO, "benchmark", updated, (Source.COINGECKO,), assets)


def _coins(universe: Universe) -> list:
    return [
        coin
        for coin in universe.coins.values()
        if coin.active and not coin.blank and coin.frozen_ms is None and coin.label == coin.ticker
    ]
