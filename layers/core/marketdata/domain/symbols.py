"""Symbols: which spellings are accepted, and the one canonical spelling of each.

The class of a symbol follows from the currency codes alone, never from a list of tickers or from
substrings. Two currency codes are forex. Anything else against a currency code, BTC or ETH is
crypto. All other symbols are stocks (shares, funds, indices, futures).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from urllib.parse import unquote

from marketdata.domain.currencies import CURRENCIES, CURRENT, STABLE_COINS
from marketdata.domain.papers import Paper, paper_suffix, stock_parts
from marketdata.domain.top_coins import TICKERS
from marketdata.errors import InvalidSymbolError

MAX_LENGTH = 20  # characters of a stock, a pair, or a coin by its ticker
MAX_COIN_ID = 64  # characters of a CoinGecko id
MAX_SYMBOL = 1 + MAX_COIN_ID + 4  # characters of the longest symbol, a coin by its id
# So many parsed symbols are kept, because a plan has the same symbols every five seconds.
KEPT = 16_384

# Coins that other coins are quoted in.
QUOTE_COINS = frozenset({"BTC", "ETH"})

_ALLOWED = (
    "letters, digits and . - ^ = & up to 20 characters for a stock (AAPL, BRK.B), "
    "BASE-CURRENCY for crypto (BTC-USD, ETH-BTC), @id-CURRENCY for crypto by CoinGecko's id "
    "(@mantle-USD), CURRENCY/CURRENCY for forex (EUR/USD)"
)

_STOCK = re.compile(r"[A-Z0-9.\-^=&]{1,20}")
_PAIR = re.compile(r"([A-Z0-9.]{1,16})[-/]([A-Z]{3})")
_CODES = re.compile(r"([A-Z]{3})_?([A-Z]{3})")
_YAHOO_FOREX = re.compile(r"([A-Z]{3})?([A-Z]{3})=X")
_BY_ID = re.compile(rf"@([a-z0-9][a-z0-9._-]{{0,{MAX_COIN_ID - 1}}})[-/]([a-z]{{3}})")
# Texts that look like a crypto pair and are not: quoted in another coin, or without a separator.
_COIN_QUOTED = re.compile(r"[A-Z0-9.]{1,16}[-_]([A-Z]{3,5})")
_TOGETHER = re.compile(r"([A-Z0-9]{2,12}?)([A-Z]{3,5})")


class AssetClass(StrEnum):
    """The three classes of asset; the values are parts of the API's paths."""

    STOCKS = "stocks"
    CRYPTO = "crypto"
    FOREX = "forex"


@dataclass(frozen=True, slots=True, order=True)
class Symbol:
    """One symbol in its canonical spelling; equal symbols are the same asset.

    Made by `parse_symbol` only. `text` is `AAPL`, `BTC-USD`, `@mantle-USD` or `EUR/USD`.
    `base` is the asset that is priced: one side of a pair, `@mantle` for a coin by its id, the
    whole text of a stock. `quote` is the currency code or coin that it is priced in, empty for a
    stock. `coin_id` is CoinGecko's id of a coin by its id.
    A stock such as `BT.A.L` has `root` BT, `paper` CLASS, `series` A and `exchange` L; parts that
    it does not have are empty, `paper` is None.
    """

    text: str
    asset_class: AssetClass
    base: str = field(default="", compare=False, repr=False)
    quote: str = field(default="", compare=False, repr=False)
    coin_id: str = field(default="", compare=False, repr=False)
    root: str = field(default="", compare=False, repr=False)
    paper: Paper | None = field(default=None, compare=False, repr=False)
    series: str = field(default="", compare=False, repr=False)
    exchange: str = field(default="", compare=False, repr=False)

    def __str__(self) -> str:
        return self.text


def is_index(symbol: str) -> bool:
    """Return whether a canonical symbol is an index such as `^GSPC`."""
    return symbol.startswith("^")


def is_future(symbol: str) -> bool:
    """Return whether a canonical symbol is a future such as `GC=F`."""
    return symbol.endswith("=F")


def parse_symbol(spelling: str) -> Symbol:
    """Return the canonical symbol for any accepted spelling.

    Raises `InvalidSymbolError`, with the spelling and what is allowed, for anything else.
    """
    text = (unquote(spelling) if "%" in spelling else spelling).strip()
    symbol = _symbol(text) if len(text) <= MAX_SYMBOL else None
    if symbol is None:
        raise invalid_symbol(spelling)
    return symbol


def symbol_or_none(spelling: str) -> Symbol | None:
    """Return the canonical symbol for any accepted spelling; None for anything else."""
    try:
        return parse_symbol(spelling)
    except InvalidSymbolError:
        return None


def invalid_symbol(spelling: str) -> InvalidSymbolError:
    """Return the error for text that is not a symbol."""
    return InvalidSymbolError(f"symbol {_shown(spelling)} is not valid; allowed: {_ALLOWED}")


def stock(root: str, paper: Paper | None, series: str = "", exchange: str = "") -> Symbol | None:
    """Return the stock symbol with these parts; None if its text would be too long."""
    text = root + paper_suffix(paper, series, exchange) + (f".{exchange}" if exchange else "")
    if len(text) > MAX_LENGTH:
        return None
    return Symbol(text, AssetClass.STOCKS, text, "", "", root, paper, series, exchange)


@lru_cache(maxsize=KEPT)
def _symbol(text: str) -> Symbol | None:
    """Return the symbol of a short text; None if the text is not a symbol."""
    if not text.isascii() or not any(c.isalnum() for c in text):
        return None
    if text.startswith("@"):
        return _coin_by_id(text.lower())
    text = text.upper()
    if len(text) > MAX_LENGTH:
        return None
    pair = _pair(text)
    if pair is not None:
        return _of_pair(text, *pair)
    if not _STOCK.fullmatch(text) or _is_like_a_pair(text.removesuffix("=X")):
        return None
    return _stock(text)


def _stock(text: str) -> Symbol | None:
    """Return the stock of a text, with the canonical suffix of its kind of paper.

    A text whose canonical suffix would make it too long keeps its own one.
    """
    parts = stock_parts(text)
    share = text[: -len(f".{parts.exchange}")] if parts.exchange else text
    return stock(*parts) or stock(share, None, "", parts.exchange)


def _coin_by_id(text: str) -> Symbol | None:
    found = _BY_ID.fullmatch(text)
    if found is None or not _is_quote(found[2].upper()):
        return None
    coin_id, quote = found[1], found[2].upper()
    return Symbol(f"@{coin_id}-{quote}", AssetClass.CRYPTO, f"@{coin_id}", quote, coin_id)


def _of_pair(text: str, base: str, quote: str) -> Symbol | None:
    if base == quote:
        raise InvalidSymbolError(f"symbol {_shown(text)}: both sides are {base}")
    if base not in CURRENCIES:
        return Symbol(f"{base}-{quote}", AssetClass.CRYPTO, base, quote)
    if quote in CURRENCIES:
        return Symbol(f"{base}/{quote}", AssetClass.FOREX, base, quote)
    return None  # a currency is not priced in a coin


def _pair(text: str) -> tuple[str, str] | None:
    yahoo = _YAHOO_FOREX.fullmatch(text)
    if yahoo:
        base, quote = yahoo[1] or "USD", yahoo[2]  # Yahoo drops a USD base: INR=X is USD/INR
        return (base, quote) if base in CURRENCIES and quote in CURRENCIES else None
    codes = _CODES.fullmatch(text)
    if codes and codes[1] in CURRENCIES and codes[2] in CURRENCIES:
        return codes[1], codes[2]
    pair = _PAIR.fullmatch(text)
    if pair and _is_quote(pair[2]) and any(c.isalnum() for c in pair[1]):
        return pair[1], pair[2]
    return None


def _is_quote(code: str) -> bool:
    return code in CURRENCIES or code in QUOTE_COINS


def _is_like_a_pair(text: str) -> bool:
    """Whether a text is a crypto pair in a spelling that is not accepted, and so not a stock.

    `BTC-USDT` is quoted in a coin; `BTCUSD` has a ticker of the shipped table and a currency
    without a separator. A stock may well end with the letters of a currency.
    """
    quoted = _COIN_QUOTED.fullmatch(text)
    if quoted:
        return quoted[1] in STABLE_COINS or quoted[1] in TICKERS
    return split_pair(text) is not None


def split_pair(text: str) -> tuple[str, str] | None:
    """Return the sides of a crypto pair written without a separator; None for other text.

    The first side is a ticker of the shipped table, or the second is a stable coin of four
    letters or more, as no stock ticker ends like these.
    """
    for length in (5, 4, 3):
        base, quote = text[:-length], text[-length:]
        if base.isalnum() and len(base) >= 2:
            known = base in TICKERS
            if quote in STABLE_COINS and (known or quote in ("USDT", "USDC")):
                return base, quote
            if known and (quote in CURRENT or quote in QUOTE_COINS) and base != quote:
                return base, quote
    return None


def _shown(spelling: str) -> str:
    return repr(spelling if len(spelling) <= 40 else spelling[:37] + "...")
