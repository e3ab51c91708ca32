"""Suggestions for a text that is not a symbol, a symbol without a price, or a currency. Pure.

They are found by the spelling and the shipped tables. The api adds similar symbols of the asset
lists.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from urllib.parse import unquote

from marketdata.domain.currencies import COMMON_NAMES, CURRENCIES, PRICED, STABLE_COINS
from marketdata.domain.dialects import from_finnhub
from marketdata.domain.papers import Paper
from marketdata.domain.shipped_tables import COINS, FOREX_PAIRS
from marketdata.domain.slips import one_slip
from marketdata.domain.symbols import (
    MAX_SYMBOL,
    QUOTE_COINS,
    AssetClass,
    split_pair,
    stock,
    symbol_or_none,
)

MOST = 3  # suggestions for one text

# In the order of their turnover.
MAIN_CURRENCIES = tuple(dict.fromkeys(code for pair in FOREX_PAIRS for code in pair.split("/")))
_CODE_WITH_SLIP = range(2, 5)  # characters of a currency code that may have a slip

_PREFIX = re.compile(r"[A-Za-z_]{2,12}:|\$")  # NASDAQ:AAPL, $AAPL
_SIDES = re.compile(r"([A-Z0-9]{2,16})[-/_:. ]([A-Z]{3,5})(?:=X)?")
_ENDS_LIKE_A_QUOTE = re.compile(r"([A-Z0-9]{3,12})(USDT|USDC|USD|EUR|GBP|JPY|BTC|ETH)(?:=X)?")
_CLASS_OR_EXCHANGE = re.compile(r"([A-Z0-9&]+)[-/]([A-Z])")
_SHORT_PARTS = re.compile(r"[A-Z0-9&]+(?:[ /][A-Z]{1,2})+")  # BRK B, BAC PR L, RCI/B/TO
_COIN_ID = re.compile(r"@[a-z0-9._-]+")
_SLASHED = re.compile(r"([A-Z]{2,4})/([A-Z]{2,4})")
_TWO_CODES = re.compile(r"([A-Z]{3})([A-Z]{3})(?:=X)?")
_COIN_ID_PAIR = re.compile(r"@([a-z0-9._-]+)[-/_: ]([a-z]{3,5})")
_AROUND_SEPARATOR = re.compile(r"\s*([-/_:.=^&])\s*")


def suggestions(text: str) -> tuple[str, ...]:
    """Return the symbols that a client may have meant by a text, the likeliest first.

    `BTC-USDT`, `BTCUSD` and `BTC` suggest `BTC-USD`.
    """
    if len(text) > MAX_SYMBOL:
        return ()
    own, plain = symbol_or_none(text), plain_spelling(text)
    if own is not None and own.asset_class is not AssetClass.STOCKS:
        return ()  # a pair is seldom a slip of its spelling
    guesses = (plain, *_guesses(plain)) if len(plain) <= MAX_SYMBOL else ()
    found = dict.fromkeys(
        symbol.text
        for guess in guesses
        if (symbol := symbol_or_none(guess)) is not None and symbol != own
    )
    return tuple(found)[:MOST]


def plain_spelling(text: str) -> str:
    """Return a text in plain letters (`①` is `1`), without blanks at separators."""
    plain = unicodedata.normalize("NFKC", unquote(text) if "%" in text else text)
    return _AROUND_SEPARATOR.sub(r"\1", plain.strip())


def without_exchange(text: str) -> str:
    """Return a text without the exchange or the dollar sign before its symbol: `NASDAQ:AAPL`.

    `BTC:USD` stays as it is, because it is a pair.
    """
    prefix = _PREFIX.match(text)
    symbol = text[prefix.end() :] if prefix else text
    is_quote = symbol.upper() in MAIN_CURRENCIES or symbol.upper() in STABLE_COINS
    return text if is_quote else symbol


def near_currencies(text: str) -> tuple[str, ...]:
    """Return the currency codes that a text may have meant, the likeliest first; often none.

    `EUX`, `EURO` and `EURC` suggest `EUR`. A currency code and a coin that follows no currency
    suggest none.
    """
    code = plain_spelling(text).upper()
    known = COMMON_NAMES.get(code) or STABLE_COINS.get(code)
    if known:
        return (known,)
    if code in CURRENCIES or code in COINS or len(code) not in _CODE_WITH_SLIP:
        return ()
    similar = {slip.upper() for slip in one_slip(code.lower())}
    main = [currency for currency in MAIN_CURRENCIES if currency in similar]
    return tuple(main or sorted(similar & PRICED))[:MOST]


def _guesses(text: str) -> Iterator[str]:
    if text.startswith("@"):
        pair = _COIN_ID_PAIR.fullmatch(text.lower())
        if pair:
            meant = near_currencies(pair[2])
            yield from (f"@{pair[1]}-{code}" for code in meant or (pair[2],))
            if meant:
                return
        # In `@bitcoin-usd` the last part is the quote side already.
        if _COIN_ID.fullmatch(text.lower()) and symbol_or_none(text) is None:
            yield f"{text}-USD"
        return
    upper = text.upper()
    sides = _SIDES.fullmatch(upper)
    if sides and (sides[1] in CURRENCIES or sides[1] in COINS):
        yield from _of_sides(sides[1], sides[2])
        return
    plain = without_exchange(upper)
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
    slashed = _SLASHED.fullmatch(text)
    if slashed:
        yield from near_pairs(slashed[1], slashed[2])
    codes = _TWO_CODES.fullmatch(text)
    if codes and (codes[1] in MAIN_CURRENCIES or codes[2] in MAIN_CURRENCIES):
        yield from near_pairs(codes[1], codes[2])


def near_pairs(base: str, quote: str) -> Iterator[str]:
    """Yield the pairs of currencies that two texts may mean if one of them is misspelt."""
    if quote in CURRENCIES and base not in STABLE_COINS:
        yield from (f"{code}/{quote}" for code in near_currencies(base) if code != quote)
    elif base in CURRENCIES:
        yield from (f"{base}/{code}" for code in near_currencies(quote) if code != base)


def _stocks(text: str) -> Iterator[str]:
    """Yield the stocks that the text names with another separator, or as Finnhub's list does."""
    found = _CLASS_OR_EXCHANGE.fullmatch(text)
    if found:
        # `BAC-L`: a preferred share in older lists, or a share in London.
        preferred = stock(found[1], Paper.PREFERRED, found[2])
        if preferred and "-" in text:
            yield preferred.text
        yield f"{found[1]}.{found[2]}"
    if _SHORT_PARTS.fullmatch(text):
        yield re.sub(r"[ /]+", ".", text)
    listed = from_finnhub(text) if "+" in text or "#" in text else None
    if listed:
        yield listed.text


def _of_sides(base: str, quote: str) -> Iterator[str]:
    """Yield the pair of two sides; if its quote side is not accepted, the pair against USD."""
    priced_in = STABLE_COINS.get(quote, quote)
    if base in CURRENCIES and quote in QUOTE_COINS:
        base, priced_in = quote, base
    if priced_in in CURRENCIES or priced_in in QUOTE_COINS:
        yield f"{base}/{priced_in}"
    elif base in COINS or quote in COINS:
        yield from (f"{base}/{code}" for code in near_currencies(quote))
        yield f"{base}/USD"
    yield from near_pairs(base, quote)
