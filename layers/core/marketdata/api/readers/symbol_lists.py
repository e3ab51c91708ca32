"""Parses the list of symbols of a request: each asset once, in the order of its first mention.

A misspelt symbol becomes an entry among the errors. A list in which no part looks like a symbol is
a bad request, and the cache is not asked.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from marketdata.api.readers.bad_request import BadRequestError
from marketdata.domain.currencies import CURRENCIES
from marketdata.domain.outcomes import MissingQuote, Reason
from marketdata.domain.suggestions import suggestions
from marketdata.domain.symbols import (
    MAX_COIN_ID,
    MAX_SYMBOL,
    QUOTE_COINS,
    Symbol,
    invalid_symbol,
    parse_symbol,
)
from marketdata.errors import InvalidSymbolError

MAX_SYMBOLS = 100
KEPT_LISTS = 256
MAX_CHARACTERS = 8_192  # twice as long as 100 symbols of 20 characters with percent-encoded slashes

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
# The shape of a symbol, also of a misspelt one, in the syntax that all regular expressions share:
# printable ASCII without blanks, quotes, brackets, backslashes and semicolons; at most one slash,
# after a letter or digit. Any other text was not meant as a symbol.
_MARK = r"[!#-&*+.0-:=?-Z^_a-z|~\-]"
_SYMBOL_LIKE = (
    rf"(?:{_MARK}{{1,{MAX_SYMBOL}}}|[A-Za-z0-9@]{_MARK}{{0,{MAX_SYMBOL - 5}}}/{_MARK}{{0,40}})"
)
_ANY = r"[^\x00-\x1f\x7f]*"
# A list that is answered symbol by symbol: it has a part that looks like a symbol.
LIST = rf"^(?:{_ANY},)? *{_SYMBOL_LIKE} *(?:,{_ANY})?$"
_LIST = re.compile(LIST)
# One symbol of such a list.
SYMBOL = rf"^{_SYMBOL_LIKE}$"

# One symbol of a path, in any accepted spelling.
_STOCK_LIKE = "[.^=&-]?[A-Za-z0-9][A-Za-z0-9.^=&-]{0,18}"
_QUOTES = "|".join(sorted(CURRENCIES | QUOTE_COINS))
_BY_ID = f"@[a-z0-9][a-z0-9._-]{{0,{MAX_COIN_ID - 1}}}"
SPELLING = f"^(?:{_STOCK_LIKE}|[A-Za-z0-9]{{1,16}}/(?:{_QUOTES})|{_BY_ID}[-/](?:{_QUOTES}))$"


@dataclass(frozen=True, slots=True)
class Requested:
    """A parsed list of symbols, each asset once, in the order of its first mention.

    `names` has all of them: the valid ones, which are in `symbols`, in their canonical spelling,
    and the others as they were written, with the reason in `invalid`. `aliases` has the canonical
    spelling of each symbol that was written in another one.
    """

    names: tuple[str, ...]
    symbols: tuple[str, ...]
    invalid: Mapping[str, InvalidSymbolError]
    aliases: Mapping[str, str] = field(default_factory=dict)


def aliases_json(aliases: Mapping[str, str]) -> bytes:
    """Return the object `aliases` of an answer."""
    return json.dumps(dict(aliases), separators=(",", ":")).encode()


@lru_cache(maxsize=KEPT_LISTS)  # a client that polls sends the same list again and again
def requested(text: str) -> Requested:
    """Return what a comma-separated list asks for.

    Raises `BadRequestError`: `invalid_parameter` for an empty, over-long or garbled list,
    `too_many_symbols` for more than 100 different ones, `invalid_symbol` for a list without
    anything that looks like a symbol.
    """
    if len(text) > MAX_CHARACTERS:
        raise BadRequestError(
            "invalid_parameter",
            f"symbols has {len(text)} characters; at most {MAX_CHARACTERS} are allowed.",
        )
    if _CONTROL.search(text):
        raise BadRequestError("invalid_parameter", "symbols holds control characters.")
    found, aliases = _parsed(text)
    if not found:
        raise BadRequestError(
            "invalid_parameter", "symbols is empty; for example ?symbols=AAPL,EUR/USD"
        )
    if len(found) > MAX_SYMBOLS:
        raise BadRequestError(
            "too_many_symbols",
            f"symbols names {len(found)} different symbols; at most {MAX_SYMBOLS} are allowed.",
        )
    if not _LIST.fullmatch(text):
        first = next(iter(found))
        error = invalid_symbol(first)
        raise BadRequestError("invalid_symbol", str(error), None, suggestions(first))
    symbols = tuple(name for name, error in found.items() if error is None)
    invalid = {name: error for name, error in found.items() if error is not None}
    return Requested(tuple(found), symbols, invalid, aliases)


def _parsed(text: str) -> tuple[dict[str, InvalidSymbolError | None], dict[str, str]]:
    """Return the names of a list with the error of each invalid one, and the aliases."""
    found: dict[str, InvalidSymbolError | None] = {}
    aliases: dict[str, str] = {}
    for spelling in filter(None, (part.strip() for part in text.split(","))):
        try:
            symbol = parse_symbol(spelling)
        except InvalidSymbolError as error:
            found[spelling] = error
        else:
            found[symbol.text] = None
            if spelling != symbol.text:
                aliases[spelling] = symbol.text
    return found, aliases


def requested_one(spelling: str) -> Symbol | MissingQuote:
    """Return the symbol that a path names, or the reason `invalid_symbol`."""
    try:
        return parse_symbol(spelling)
    except InvalidSymbolError as error:
        return MissingQuote(spelling, Reason.INVALID_SYMBOL, str(error))
