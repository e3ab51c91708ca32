"""Quotes with their price in another currency: stored bytes with `converted` near their end.

Only the needed figures are read from a stored quote. The quote is not parsed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from marketdata.api.readers.bad_request import BadValueError
from marketdata.api.readers.freshness import Freshness
from marketdata.api.readers.missing import error_json
from marketdata.cache.quote_store import QuoteStore
from marketdata.cache.stored_quotes import timestamp_ms
from marketdata.clock import from_epoch_ms, utc_text
from marketdata.domain.conversion import QuotedRate, Rate, find_rate, rate_pairs
from marketdata.domain.currencies import CURRENCIES
from marketdata.domain.outcomes import MissingQuote, Reason
from marketdata.domain.quotes import plain
from marketdata.domain.suggestions import near_currencies
from marketdata.domain.units import MINOR_UNITS, unit_of

_FIGURES = re.compile(
    rb'"price":(-?[0-9.]{1,128}),"currency":(?:null|"([A-Z]{3})"),'
    rb'"change":(?:null|(-?[0-9.]{1,128})),'
)
_SOURCE = re.compile(rb'"source":"([a-z_]{1,32})"')

# Returns the reason of each missing pair, and puts the pair on the watch list.
Explain = Callable[[Sequence[str]], Mapping[str, MissingQuote]]


def target_currency(text: str) -> str:
    """Return the currency that a client wants. Raise BadValueError for any other text.

    Lower case is accepted; a minor unit such as GBp is not, and the message names its currency.
    """
    code = text.upper()
    minor = MINOR_UNITS.get(text) or MINOR_UNITS.get(code)
    if minor is not None:
        allowed = f"a currency such as EUR; {text} is a minor unit, use {minor.currency}"
        raise BadValueError(allowed, (minor.currency,))
    if not (text.isascii() and (text in (code, text.lower())) and code in CURRENCIES):
        allowed = "a currency code of ISO 4217, such as EUR, or CNH; no coin"
        raise BadValueError(allowed, near_currencies(text))
    return code


@dataclass(frozen=True, slots=True)
class _Figures:
    price: Decimal
    currency: str | None
    change: Decimal | None


@dataclass(frozen=True, slots=True)
class Converter:
    """Converts the quotes of one request into `target`.

    `limits` say which rates are stale. `explain` is asked only if a rate is missing.
    """

    quotes: QuoteStore
    limits: Freshness
    target: str
    explain: Explain

    def json_objects(self, values: Sequence[bytes], stale: Iterable[int]) -> tuple[bytes, set[str]]:
        """Return stored quotes as JSON objects with commas between them, each with `converted`.

        Also return the forex symbols that were used, so that they stay watched. One round trip, and
        a second one if a rate is missing. Raises `CacheUnavailableError`.
        """
        if not values:
            return b"", set()
        figures = [_figures_of(value) for value in values]
        found = {figure.currency for figure in figures if figure and figure.currency}
        rates = self._rates(sorted(found))
        errors = self._errors([base for base, rate in rates.items() if rate is None])
        marked = frozenset(stale)
        tails = {base: self._tail(rate) for base, rate in rates.items() if rate is not None}
        objects = []
        for place, (value, figure) in enumerate(zip(values, figures, strict=True)):
            end = b"true}" if place in marked else b"false}"
            rate = rates.get(figure.currency) if figure and figure.currency else None
            if figure is None or figure.currency is None or rate is None:
                part = _unconverted(_error_of(value, figure, errors, self.target))
            else:
                part = _amounts(rate, figure) % tails[figure.currency]
            objects.append(b'%b,"converted":%b,"stale":%b' % (value[26:], part, end))
        used = {quote.symbol for rate in rates.values() if rate for quote in rate.quotes}
        return b",".join(objects), used

    def _rates(self, bases: Sequence[str]) -> dict[str, Rate | None]:
        known = [base for base in bases if base != self.target and unit_of(base) is not None]
        pairs = list(
            dict.fromkeys(pair for base in known for pair in rate_pairs(base, self.target))
        )
        stored = zip(pairs, self.quotes.read(pairs), strict=True) if pairs else ()
        quoted = {pair: self._quoted(pair, value) for pair, value in stored if value is not None}
        usable = {pair: quote for pair, quote in quoted.items() if quote is not None}
        return {base: find_rate(base, self.target, usable) for base in bases}

    def _quoted(self, pair: str, value: bytes) -> QuotedRate | None:
        figures, source, made = _figures_of(value), _SOURCE.search(value, 26), timestamp_ms(value)
        if figures is None or source is None:
            return None
        time = None if made is None else from_epoch_ms(made)
        stale = self.limits.is_stale(value)
        return QuotedRate(pair, figures.price, source[1].decode(), time, stale)

    def _errors(self, bases: Sequence[str]) -> dict[str, MissingQuote]:
        """Return why there is no rate from these currencies."""
        pairs = {base: f"{base}/{self.target}" for base in bases if unit_of(base) is not None}
        reasons = self.explain(list(pairs.values())) if pairs else {}
        return {base: reasons[pair] for base, pair in pairs.items()}

    def _tail(self, rate: Rate) -> bytes:
        """Return the rate and the end of `converted`, for all quotes of one currency."""
        time = None if rate.timestamp is None else utc_text(rate.timestamp)
        shared = {
            "rate_symbol": rate.symbol,
            "rate_source": rate.source,
            "rate_timestamp": time,
            "rate_stale": rate.stale,
        }
        text = json.dumps(shared, separators=(",", ":"))[1:]
        return f'"currency":"{self.target}","rate":{plain(rate.value)},{text}'.encode()


def _figures_of(value: bytes) -> _Figures | None:
    match = _FIGURES.search(value, 26)
    if match is None:
        return None
    price, currency, change = match.groups()
    return _Figures(
        Decimal(price.decode()),
        None if currency is None else currency.decode(),
        None if change is None else Decimal(change.decode()),
    )


def _amounts(rate: Rate, figure: _Figures) -> bytes:
    """Return the beginning of `converted` with the amounts, and a place for the text of `_tail`."""
    change = "null" if figure.change is None else plain(rate.convert(figure.change))
    return f'{{"price":{plain(rate.convert(figure.price))},"change":{change},%b'.encode()


def _unconverted(error: MissingQuote) -> bytes:
    return b'null,"conversion_error":' + error_json(error)


def _error_of(
    value: bytes, figure: _Figures | None, errors: Mapping[str, MissingQuote], target: str
) -> MissingQuote:
    currency = figure.currency if figure else None
    if currency is not None and currency in errors:
        return errors[currency]
    symbol: Any = json.loads(value[26:] + b"}")["symbol"]
    text = f"{currency} has no rate" if currency else "the currency of the price is not known"
    return MissingQuote(symbol, Reason.NOT_FOUND, f"{symbol} is not converted to {target}: {text}")
