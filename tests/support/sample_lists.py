"""Asset lists for the tests of the asset store."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from marketdata.domain.assets import Asset, AssetList
from marketdata.domain.quotes import Source
from marketdata.domain.symbols import AssetClass

STOCKS, CRYPTO, FOREX = AssetClass.STOCKS, AssetClass.CRYPTO, AssetClass.FOREX
START = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
COMPANIES = (("AAPL", "Apple Inc."), ("BRK.B", "Berkshire Hathaway"), ("OR.PA", "L'Oréal"))


def listed(
    version: str,
    rows: Sequence[tuple[str, str]] = COMPANIES,
    asset_class: AssetClass = STOCKS,
    minutes: float = 0,
) -> AssetList:
    """A list of (symbol, name) rows, fetched some minutes after the start."""
    return AssetList(
        asset_class=asset_class,
        version=version,
        updated_at=START + timedelta(minutes=minutes),
        sources=(Source.YFINANCE, Source.FINNHUB),
        assets=tuple(
            Asset(symbol, asset_class, name, None, "USD", rank, {"yfinance": symbol})
            for rank, (symbol, name) in enumerate(rows, start=1)
        ),
    )


def coins(version: str, minutes: float = 0, **ids: Mapping[str, str]) -> AssetList:
    """A crypto list of tickers and their ids."""
    assets = tuple(
        Asset(f"{base}-USD", CRYPTO, base, None, "USD", None, known) for base, known in ids.items()
    )
    updated_at = START + timedelta(minutes=minutes)
    return AssetList(CRYPTO, version, updated_at, (Source.COINGECKO,), assets)


def large(version: str, name: str, minutes: float = 0, total: int = 30_000) -> AssetList:
    """A list of many assets, all with the given name."""
    rows = [(f"S{number}", f"{name} number {number}") for number in range(total)]
    return listed(version, rows, minutes=minutes)


def symbols(rows: Iterable[bytes]) -> list[str]:
    """The symbols of rows as stored."""
    return [json.loads(row)["symbol"] for row in rows]
