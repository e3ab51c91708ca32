"""Symbols: which spellings are accepted, and the one canonical spelling of each.

The class of a symbol follows from ISO 4217 alone, never from a list of known tickers or from
substrings: two currency codes are forex, something against a currency code is crypto, all else is
a stock (shares, funds, indices, futures).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from urllib.parse import unquote

from marketdata.errors import InvalidSymbolError

MAX_LENGTH = 20
# What is known of a symbol is kept: a plan is about the same ones every five seconds, as many as
# a large list has.
KEPT = 16_384

# ISO 4217, list one as of 2026 (funds, metals and test codes included): the codes themselves are
# what tells the three classes apart, so they ship with the program.
CURRENCIES = frozenset(
    """
    AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BOV BRL BSD BTN BWP BYN
    BZD CAD CDF CHE CHF CHW CLF CLP CNY COP COU CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD
    FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS
    KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK
    MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR
    SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH
    UGX USD USN UYI UYU UYW UZS VED VES VND VUV WST XAD XAF XAG XAU XBA XBB XBC XBD XCD XCG XDR XOF
    XPD XPF XPT XSU XUA YER ZAR ZMW ZWG
    """.split()
)

# Yahoo's one-letter exchange suffixes: London, Frankfurt, Tokyo, TSX Venture. A dot and any other
# single letter is a share class (BRK.B).
ONE_LETTER_EXCHANGES = frozenset("LFTV")

_STOCK = re.compile(r"[A-Z0-9.\-^=]{1,20}")
_PAIR = re.compile(r"([A-Z0-9.]{1,16})[-/]([A-Z]{3})")
_YAHOO_FOREX = re.compile(r"([A-Z]{3})?([A-Z]{3})=X")
_SHARE_CLASS = re.compile(r"([A-Z0-9]{1,18})-([A-Z])")
_ALLOWED = (
    "letters, digits and . - ^ = up to 20 characters for a stock (AAPL, BRK.B), "
    "BASE-CURRENCY for crypto (BTC-USD), CURRENCY/CURRENCY for forex (EUR/USD)"
)


class AssetClass(StrEnum):
    """The three classes of asset; the values are the words of the API's paths."""

    STOCKS = "stocks"
    CRYPTO = "crypto"
    FOREX = "forex"


@dataclass(frozen=True, slots=True, order=True)
class Symbol:
    """One symbol in its canonical spelling; equal symbols are the same asset.

    `text` is `AAPL`, `BTC-USD` or `EUR/USD`. `base` and `quote` are its two sides for crypto and
    forex; for a stock `base` is the whole text and `quote` is empty.
    """

    text: str
    asset_class: AssetClass

    @property
    def base(self) -> str:
        """The asset that is priced."""
        return self._sides[0]

    @property
    def quote(self) -> str:
        """The ISO 4217 code that it is priced in; empty for a stock."""
        return self._sides[1]

    @property
    def _sides(self) -> tuple[str, str]:
        if self.asset_class is AssetClass.STOCKS:
            return self.text, ""
        return self.text[:-4], self.text[-3:]

    def __str__(self) -> str:
        return self.text


def parse_symbol(spelling: str) -> Symbol:
    """The canonical symbol for any accepted spelling.

    Raises `InvalidSymbolError`, with the spelling and what is allowed, for anything else.
    """
    text = (unquote(spelling) if "%" in spelling else spelling).strip()
    symbol = _symbol(text) if len(text) <= MAX_LENGTH else None
    if symbol is None:
        raise invalid_symbol(spelling)
    return symbol


@lru_cache(maxsize=KEPT)
def _symbol(text: str) -> Symbol | None:
    """The symbol that a short text spells, if any."""
    if not text.isascii() or not any(c.isalnum() for c in text):
        return None
    text = text.upper()
    pair = _pair(text)
    if pair is not None:
        base, quote = pair
        if base == quote:
            raise InvalidSymbolError(f"symbol {_shown(text)}: both sides are {base}")
        if base in CURRENCIES:
            return Symbol(f"{base}/{quote}", AssetClass.FOREX)
        return Symbol(f"{base}-{quote}", AssetClass.CRYPTO)
    if not _STOCK.fullmatch(text):
        return None
    share = _SHARE_CLASS.fullmatch(text)
    if share and share[2] not in ONE_LETTER_EXCHANGES:
        text = f"{share[1]}.{share[2]}"
    return Symbol(text, AssetClass.STOCKS)


def invalid_symbol(spelling: str) -> InvalidSymbolError:
    """The error that stands for a spelling that is none."""
    return InvalidSymbolError(f"symbol {_shown(spelling)} is not valid; allowed: {_ALLOWED}")


def has_exchange_suffix(stock: str) -> bool:
    """Whether a stock's dot names an exchange (`OCDO.L`, `SAP.DE`), not a share class (`BRK.B`)."""
    head, dot, suffix = stock.rpartition(".")
    return bool(dot and head) and (len(suffix) != 1 or suffix in ONE_LETTER_EXCHANGES)


def _pair(text: str) -> tuple[str, str] | None:
    yahoo = _YAHOO_FOREX.fullmatch(text)
    if yahoo:
        base, quote = yahoo[1] or "USD", yahoo[2]  # Yahoo drops a USD base: INR=X is USD/INR
        return (base, quote) if base in CURRENCIES and quote in CURRENCIES else None
    pair = _PAIR.fullmatch(text)
    if pair and pair[2] in CURRENCIES and any(c.isalnum() for c in pair[1]):
        return pair[1], pair[2]
    return None


def _shown(spelling: str) -> str:
    return repr(spelling if len(spelling) <= 40 else spelling[:37] + "...")
