"""Lambda `fetch_quotes`: ask the providers of one job."""

from __future__ import annotations

from typing import Any

from marketdata.composition import fetcher


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Do one job of a plan; see `marketdata.prices.fetching.Fetcher.fetch`."""
    return fetcher().fetch(event)
