"""Lambda `fetch_assets`: fetch one class's lists and merge them into the archive."""

from __future__ import annotations

from typing import Any

from marketdata.composition import asset_fetcher


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Do one job of a plan; see `marketdata.lists.fetching.AssetFetcher`."""
    return asset_fetcher().fetch(event)
