"""How each provider spells a security of an American company that is not a common share.

Canonical suffixes are `.A` (class), `.PR` and `.PR.A` (preferred), `.WS` and `.WS.A` (warrant),
`.RT` (right), `.U` (unit) and `.WI` (when issued).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

_CANONICAL = re.compile(r"([A-Z]+)\.(PR|WS|RT|U|WI|[A-Z])(?:\.([A-Z]))?")
_CLASS = "class"


@dataclass(frozen=True, slots=True)
class _Dialect:
    """The text between a ticker and the letter of a class or series, by kind."""

    marks: Mapping[str, str]

    def spell(self, symbol: str) -> str:
        found = _CANONICAL.fullmatch(symbol)
        if found is None:
            return symbol
        ticker, kind, letter = found.groups()
        if kind in self.marks:
            return f"{ticker}{self.marks[kind]}{letter or ''}"
        return f"{ticker}{self.marks[_CLASS]}{kind}"


_YAHOO = _Dialect({"PR": "-P", "WS": "-WT", "RT": "-RI", "U": "-UN", "WI": "-WI", _CLASS: "-"})
_INET = _Dialect({"PR": "-", "WS": "+", "RT": "^", "U": "=", "WI": "#", _CLASS: "."})
_FINNHUB = _Dialect(dict(_YAHOO.marks) | {_CLASS: "."})
_WITH_DASH = re.compile(r"([A-Z]+)\.(PR|WS)\.([A-Z])")
_ALPHA_VANTAGE = _Dialect(
    {"PR": "-P", "WS": "-WS", "RT": "-R", "U": "-U", "WI": "-WI", _CLASS: "-"}
)


def yahoo(symbol: str) -> str:
    """Return Yahoo's spelling: `BRK-B`, `BAC-PL`, `ACHR-WT`, `AIIA-UN`, `AIIA-RI`."""
    return _YAHOO.spell(symbol)


def finnhub_quote(symbol: str) -> str:
    """Return the spelling of Finnhub's quotes: Yahoo's, except for share classes (`BRK.B`)."""
    return _FINNHUB.spell(symbol)


def finnhub_list(symbol: str) -> str:
    """Return the spelling of Finnhub's list: `BRK.B`, `BAC-L`, `ACHR+`, `AIIA=`, `AIIA^`."""
    return _INET.spell(symbol)


def alpha_vantage(symbol: str) -> str:
    """Return Alpha Vantage's spelling: `BRK-B`, `BAC-P-L`, `ACHR-WS`, `AIIA-U`, `AIIA-R`."""
    found = _WITH_DASH.fullmatch(symbol)
    if found:
        return f"{alpha_vantage(f'{found[1]}.{found[2]}')}-{found[3]}"
    return _ALPHA_VANTAGE.spell(symbol)
