"""Parts of jobs as plans write them."""

from __future__ import annotations

from typing import Any

from marketdata.domain.quotes import Source

YAHOO_EXTRA = 3


def granted(source: Source, calls: int) -> dict[str, Any]:
    """An attempt at a provider, with a permit and a reservation, as a message between functions.

    `calls` are those for quotes. Yahoo gets more, for its cookie, its crumb and a second try.
    """
    return {
        "provider": source.value,
        "calls": calls + (YAHOO_EXTRA if source is Source.YFINANCE else 0),
        "permit": {"generation": 0, "probe": None},
        "reservation": {"end_ms": 1763820313520, "use": "active"},
    }
