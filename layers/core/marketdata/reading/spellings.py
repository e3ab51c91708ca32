"""A list of symbols as clients write it: each asset once, in the order of its first mention.

One misspelt symbol is an entry among the errors. A list in which nothing is a symbol, and that no
slip of a finger explains, is refused as a whole before the cache is asked.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

from marketdata.errors import InvalidSymbolError
from marketdata.reading.refused import RefusedRequestError
from marketdata.symbols import Symbol, parse_symbol

MAX_SYMBOLS = 100
MAX_CHARACTERS = 4_096  # 100 symbols of 20 characters, percent-encoded slashes and all, fit twice

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
# What a mistyped symbol looks like; quotes, brackets, blanks, back-slashes, `..`, a second slash
# or anything but ASCII come from something else.
_MARK = r"[^\s'\"`;\\<>(){}\[\]/]"
_TYPO = re.compile(rf"(?!.*\.\.){_MARK}{{1,40}}(/{_MARK}{{0,40}})?", re.ASCII)

Requested = Mapping[str, Symbol | InvalidSymbolError]


@lru_cache(maxsize=256)  # a client that polls sends the same list again and again
def requested(text: str) -> Requested:
    """Each requested symbol by its canonical spelling, or its own spelling where it has none.

    Raises `RefusedRequestError`: `invalid_parameter` for an empty, over-long or garbled list,
    `too_many_symbols` for more than 100 different ones, `invalid_symbol` for a list without a
    single symbol that is not a mere misspelling.
    """
    if len(text) > MAX_CHARACTERS:
        raise RefusedRequestError(
            "invalid_parameter",
            f"symbols has {len(text)} characters; at most {MAX_CHARACTERS} are allowed.",
        )
    if _CONTROL.search(text):
        raise RefusedRequestError("invalid_parameter", "symbols holds control characters.")
    found: dict[str, Symbol | InvalidSymbolError] = {}
    for part in text.split(","):
        spelling = part.strip()
        if spelling:
            try:
                symbol = _parse(spelling)
            except InvalidSymbolError as error:
                found[spelling] = error
            else:
                found[symbol.text] = symbol
    if not found:
        raise RefusedRequestError(
            "invalid_parameter", "symbols is empty; for example ?symbols=AAPL,EUR/USD"
        )
    if len(found) > MAX_SYMBOLS:
        raise RefusedRequestError(
            "too_many_symbols",
            f"symbols names {len(found)} different symbols; at most {MAX_SYMBOLS} are allowed.",
        )
    errors = [entry for entry in found.values() if isinstance(entry, InvalidSymbolError)]
    if len(errors) == len(found) and not all(_is_typo(spelling) for spelling in found):
        raise RefusedRequestError("invalid_symbol", str(errors[0]))
    return found


def requested_one(spelling: str) -> Symbol:
    """The one symbol that a path names. Raises `RefusedRequestError` `invalid_symbol`."""
    try:
        return parse_symbol(spelling)
    except InvalidSymbolError as error:
        raise RefusedRequestError("invalid_symbol", str(error)) from None


_parse = lru_cache(maxsize=4_096)(parse_symbol)


def _is_typo(spelling: str) -> bool:
    return spelling.isascii() and _TYPO.fullmatch(spelling) is not None
