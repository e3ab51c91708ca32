"""The spellings of US papers in Alpha Vantage's list of stocks, for tests that read them."""

from __future__ import annotations

from marketdata.domain.papers import Paper
from marketdata.domain.symbols import Symbol


def alpha_vantage_spelling(symbol: Symbol) -> str:
    """Return Alpha Vantage's symbol of a stock: `BRK-B`, `ABR-P-D`, `ACHR-WS`, `AIIA-U`."""
    if symbol.exchange or symbol.paper is None:
        return symbol.text
    suffix = {
        Paper.CLASS: symbol.series,
        Paper.PREFERRED: f"P-{symbol.series}",
        Paper.WARRANT: f"WS-{symbol.series}" if symbol.series else "WS",
        Paper.RIGHT: "R",
        Paper.UNIT: "U",
        Paper.WHEN_ISSUED: "WI",
    }[symbol.paper]
    return f"{symbol.root}-{suffix}"
