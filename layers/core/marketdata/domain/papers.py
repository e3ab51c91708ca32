"""Papers other than common shares: how their suffixes are written, and the canonical ones.

Every list and every client has its own spelling of a share class, a preferred series, a warrant, a
right, a unit or a when-issued share: `BRK-B` and `BRK.B`, `BAC-PL` and `BAC^L`. All of them are
read here, also before the suffix of an exchange.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import NamedTuple

# Yahoo's one-letter exchange suffixes: London, Frankfurt, Tokyo, TSX Venture. A dot and any other
# single letter is a share class (BRK.B).
ONE_LETTER_EXCHANGES = frozenset("LFTV")


class Paper(StrEnum):
    """What a stock is, if it is not the common share. `UNIT` is a unit of shares and warrants."""

    CLASS = "class"
    PREFERRED = "preferred"
    WARRANT = "warrant"
    RIGHT = "right"
    UNIT = "unit"
    WHEN_ISSUED = "when_issued"


class StockParts(NamedTuple):
    """What the text of a stock consists of; parts that it does not have are empty."""

    root: str
    paper: Paper | None = None
    series: str = ""
    exchange: str = ""


_EXCHANGE = re.compile(r"(.*[A-Z0-9&].*)\.([A-Z0-9]{2,}|[LFTV])")
# The suffixes of papers other than common shares, as the dialects write them, for symbols without
# an exchange suffix. Two letters after a dot may be an exchange (.PA is Paris, .PR is Prague), and
# L, F, T and V after a dot are exchanges.
_US_PAPERS = (
    (Paper.PREFERRED, re.compile(r"-P-?([A-Z])|\.P\.([A-EG-KM-SUW-Z])")),
    (Paper.PREFERRED, re.compile(r"[-.]PR([A-Z])|\.PR[-.]([A-Z])|-PR-([A-Z])|\^([A-Z])")),
    (Paper.WARRANT, re.compile(r"[-.]W[ST]([A-Z])?|-W[ST][-.]([A-EG-KM-SUW-Z])")),
    (Paper.WARRANT, re.compile(r"-W[ST]-([FLTV])|\.WS[-.]([A-Z])|\.WT[-.]([A-EG-KM-SUW-Z])")),
    (Paper.RIGHT, re.compile(r"[-.]R[IT]?|\^")),
    (Paper.UNIT, re.compile(r"[-.]UN?|=")),
    (Paper.WHEN_ISSUED, re.compile(r"[-.]WI")),
    (Paper.CLASS, re.compile(r"-([A-Z])|\.([A-EG-KM-SUW-Z])")),
)
# The same before an exchange suffix. In Toronto, units (UN) and shares priced in dollars (U)
# differ.
_FOREIGN_PAPERS = (
    (Paper.CLASS, re.compile(r"[-.]([A-Z])")),
    (Paper.CLASS, re.compile(r"\.(P)R")),
    (Paper.PREFERRED, re.compile(r"[-.]P[-.]?([A-Z])|[-.]PR[-.]?([A-Z])")),
    (Paper.WARRANT, re.compile(r"[-.]W[ST](?:[-.]?([A-Z]))?")),
    (Paper.RIGHT, re.compile(r"[-.]R[TI]")),
    (Paper.UNIT, re.compile(r"[-.]UN")),
    (Paper.WHEN_ISSUED, re.compile(r"[-.]WI")),
)
_SUFFIXES = {
    Paper.PREFERRED: ".PR",
    Paper.WARRANT: ".WS",
    Paper.RIGHT: ".RT",
    Paper.WHEN_ISSUED: ".WI",
}
_ROOT = re.compile(r"([A-Z0-9&]+)([-.^=].*)")
_NO_EXCHANGE = re.compile(r"W[STI]|R[TI]|UN|PR[A-Z]|W[ST][A-Z]")


def stock_parts(text: str) -> StockParts:
    """Return the parts of a stock's text in capital letters.

    The root of a common share and of an index is the whole text without the exchange.
    """
    split = _ROOT.fullmatch(text)
    if split is None:  # a common share, an index
        return StockParts(text)
    root, tail = split[1], split[2]
    for paper, pattern in _US_PAPERS:
        found = pattern.fullmatch(tail)
        if found:
            return StockParts(root, paper, _series(found))
    suffixed = _EXCHANGE.fullmatch(text)
    if suffixed is None or _NO_EXCHANGE.fullmatch(suffixed[2]):
        return StockParts(text)
    share, exchange = suffixed[1], suffixed[2]
    for paper, pattern in _FOREIGN_PAPERS:
        found = pattern.fullmatch(share[len(root) :])
        if found:
            return StockParts(root, paper, _series(found), exchange)
    return StockParts(share, exchange=exchange)


def paper_suffix(paper: Paper | None, series: str, exchange: str) -> str:
    """Return the canonical suffix of a paper, without that of its exchange."""
    if paper is None:
        return ""
    if paper is Paper.CLASS:
        # After a dot and at the end these letters are exchanges, so McCormick's MKC-V keeps its
        # dash.
        is_last = not exchange and series in ONE_LETTER_EXCHANGES
        return f"-{series}" if is_last else f".{series}"
    if paper is Paper.UNIT:
        return ".UN" if exchange else ".U"
    if paper is Paper.WARRANT and not series and exchange in ONE_LETTER_EXCHANGES:
        return ".WT"  # `.WS.V` is the warrant of series V
    return _SUFFIXES[paper] + (f".{series}" if series else "")


def _series(found: re.Match[str]) -> str:
    return next(filter(None, found.groups()), "")
