"""Suggestions for a text that is not a symbol, or for a symbol without a price. Pure.

They are found by the spelling and the shipped tables. The api adds similar tickers from the asset
lists.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from marketdata.domain.currencies import CURRENCIES, STABLE_COINS
from marketdata.domain.shipped_tables import COINS, FOREX_PAIRS
from marketdata.domain.symbols import (
    MAX_SYMBOL,
    QUOTE_COINS,
    Paper,
    Symbol,
    parse_symbol,
    split_pair,
    stock,
)
from marketdata.errors import InvalidSymbolError

MOST = 3  # suggestions for one text

_PREFIX = re.compile(r"[A-Z]+:|\$")  # NASDAQ:AAPL, $AAPL
_SIDES = re.compile(r"([A-Z0-9]{2,16})[-/_:. ]([A-Z]{3,5})(?:=X)?")
_ENDS_LIKE_A_QUOTE = re.compile(r"([A-Z0-9]{3,12})(USDT|USDC|USD|EUR|GBP|JPY|BTC|ETH)(?:=X)?")
_CLASS_OR_EXCHANGE = re.compile(r"([A-Z0-9&]+)[-/]([A-Z])")
_COIN_ID = re.compile(r"@[a-z0-9._-]+")


def suggestions(text: str) -> tuple[str, ...]:
    """Return the symbols that a client may have meant by a text, the likeliest first.

    `BTC-USDT`, `BTCUSD` and `BTC` suggest `BTC-USD`.
    """
    if len(text) > MAX_SYMBOL:
        return ()
    own = _parsed(text)
    found = dict.fromkeys(
        symbol.text
        for guess in _guesses(text.strip())
        if (symbol := _parsed(guess)) is not None and symbol != own
    )
    return tuple(found)[:MOST]


def _guesses(text: str) -> Iterator[str]:
    if text.startswith("@"):
        # In `@bitcoin-usd` the last part is the quote side already.
        if _COIN_ID.fullmatch(text.lower()) and _parsed(text) is None:
            yield f"{text}-USD"
        return
    upper = text.upper()
    sides = _SIDES.fullmatch(upper)
    if sides and (sides[1] in CURRENCIES or sides[1] in COINS):
        yield from _of_sides(sides[1], sides[2])
        return
    plain = _PREFIX.sub("", upper, count=1)
    if plain != upper:
        yield plain
    yield from _pairs(plain)
    yield from _stocks(plain)


def _pairs(text: str) -> Iterator[str]:
    """Yield the pairs that a text may mean: one side, or two sides with or without a separator."""
    if text in COINS:
        yield f"{text}-USD"
    if text in CURRENCIES:
        yield from (pair for pair in FOREX_PAIRS if text in pair.split("/"))
        yield f"{text}/USD"
    sides = _SIDES.fullmatch(text)
    together = split_pair(text.removesuffix("=X"))
    ending = _ENDS_LIKE_A_QUOTE.fullmatch(text)
    for pair in (sides and sides.groups(), together, ending and ending.groups()):
        if pair:
            yield from _of_sides(*pair)


def _stocks(text: str) -> Iterator[str]:
    """Yield the stocks that the text names with another separator."""
    found = _CLASS_OR_EXCHANGE.fullmatch(text)
    if found:
        # `BAC-L`: a preferred share in older lists, or a share in London.
        preferred = stock(found[1], Paper.PREFERRED, found[2])
        if preferred and "-" in text:
            yield preferred.text
        yield f"{found[1]}.{found[2]}"
    if " " in text or "/" in text:
        yield re.sub(r"[ /]+", ".", text)


def _of_sides(base: str, quote: str) -> Iterator[str]:
    """Yield the pair of two sides; if its quote side is not accepted, the pair against USD."""
    priced_in = STABLE_COINS.get(quote, quote)
    if base in CURRENCIES and quote in QUOTE_COINS:
        base, priced_in = quote, base
    if priced_in in CURRENCIES or priced_in in QUOTE_COINS:
        yield f"{base}/{priced_in}"
    elif base in COINS or quote in COINS:
        yield f"{base}/USD"


def _parsed(text: str) -> Symbol | None:
    try:
        return parse_symbol(text)
    except InvalidSymbolError:
        return None
