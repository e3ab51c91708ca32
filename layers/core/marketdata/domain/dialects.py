"""How Yahoo and Finnhub spell symbols, and how Finnhub's list is read. Pure.

The same text can mean different things: `AGM-A` is a share class in Alpha Vantage's list, and
`BAC-L` is a preferred share in Finnhub's list. So Finnhub's rows have a reader of their own. All
spellings of Yahoo and Alpha Vantage are among those that `parse_symbol` reads.
"""

from __future__ import annotations

import re

from marketdata.domain.papers import Paper
from marketdata.domain.symbols import AssetClass, Symbol, stock, symbol_or_none

# Finnhub's list of US stocks: the endings of INET, and a dot before a share class (not .U and .R).
_FINNHUB = (
    (Paper.PREFERRED, re.compile(r"([A-Z0-9&]+)-P?([A-Z])")),
    (Paper.WARRANT, re.compile(r"([A-Z0-9&]+)\+([A-Z]?)")),
    (Paper.UNIT, re.compile(r"([A-Z0-9&]+)=()")),
    (Paper.RIGHT, re.compile(r"([A-Z0-9&]+)\^()")),
    (Paper.WHEN_ISSUED, re.compile(r"([A-Z0-9&]+)#()")),
    (Paper.CLASS, re.compile(r"([A-Z0-9&]+)\.([A-QSTV-Z])")),
)


def yahoo_spelling(symbol: Symbol) -> str:
    """Return Yahoo's symbol: `BRK-B`, `BAC-PL`, `ACHR-WT`, `RCI-B.TO`, `EURUSD=X`."""
    if symbol.asset_class is AssetClass.FOREX:
        return f"{symbol.base}{symbol.quote}=X"
    if symbol.paper is None:
        return symbol.text
    if symbol.exchange:
        return f"{symbol.root}-{_dashed_foreign(symbol)}.{symbol.exchange}"
    return f"{symbol.root}-{_dashed_us(symbol)}"


def finnhub_spelling(symbol: Symbol) -> str:
    """Return Finnhub's symbol of a stock in its quote call: `BRK.B`, and `BAC-PL` as at Yahoo.

    Finnhub is asked for US stocks only. A stock with an exchange suffix keeps its canonical
    spelling.
    """
    if symbol.exchange or symbol.paper is None:
        return symbol.text
    if symbol.paper is Paper.CLASS:
        return f"{symbol.root}.{symbol.series}"
    return f"{symbol.root}-{_dashed_us(symbol)}"


def from_finnhub(text: str) -> Symbol | None:
    """Return the US stock that Finnhub's list or its quote call spells this way.

    The list writes preferred shares, warrants, units and rights as INET does: `BAC-L`, `CCIV+`,
    `CCIV=`, `AIIA^`. A letter after a dot is a share class, because the list has no other exchange.
    """
    for paper, pattern in _FINNHUB:
        found = pattern.fullmatch(text.strip().upper())
        if found:
            return stock(found[1], paper, found[2])
    return symbol_or_none(text)


def _dashed_us(symbol: Symbol) -> str:
    """Return the text that Yahoo writes after the dash for a paper listed in the US."""
    match symbol.paper:
        case Paper.PREFERRED:
            return f"P{symbol.series}"
        case Paper.WARRANT:
            return f"WT{symbol.series}"
        case Paper.RIGHT:
            return "RI"
        case Paper.UNIT:
            return "UN"
        case Paper.WHEN_ISSUED:
            return "WI"
        case _:
            return symbol.series


def _dashed_foreign(symbol: Symbol) -> str:
    return "RT" if symbol.paper is Paper.RIGHT else _dashed_us(symbol)
