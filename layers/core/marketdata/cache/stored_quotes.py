"""The stored form of a quote: written once, read as bytes and never parsed.

A value begins with two times of 13 digits, milliseconds since 1970: `fetched_at`, and the
provider's `timestamp` or zeros if it gives none. The quote's JSON object follows without its
closing brace, because the reader appends `stale`, which depends on the time of reading.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence

from marketdata.clock import epoch_ms
from marketdata.domain.quotes import Quote

_FRESH, _STALE = b',"stale":false}', b',"stale":true}'
_FRESH_COMMA = _FRESH + b","
_PRICE = b'"price":'
_CLASS = b'"asset_class":"'
_CURRENCY = re.compile(rb'"currency":"([A-Z]{3})"')


# The service writes no longer quote, so a longer value is damaged.
MOST_BYTES = 4_000


def is_sound(symbol: str, value: bytes) -> bool:
    """Return whether a stored value is a quote of the symbol as `stored` writes it."""
    starts_well = value.startswith(b'{"symbol":"%b"' % symbol.encode(), 26)
    return starts_well and len(value) <= MOST_BYTES and _is_quote(value)


def _is_quote(value: bytes) -> bool:
    if not value[:26].isdigit():
        return False
    try:
        price = json.loads(value[26:] + b"}", parse_constant=_no_constant)["price"]
    except (ValueError, KeyError):
        return False
    return _PRICE in value and isinstance(price, int | float) and math.isfinite(price)


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def stored(quote: Quote, fetched: int, timestamp: int) -> str:
    """Return the stored value of a quote; the two times are those of `times_of`."""
    return f"{fetched:013d}{timestamp:013d}{quote.to_json()[:-1]}"


def times_of(quote: Quote) -> tuple[int, int]:
    """Return the two times of a stored value, epoch milliseconds; 0 if the provider gives none."""
    timestamp = 0 if quote.timestamp is None else max(0, epoch_ms(quote.timestamp))
    return epoch_ms(quote.fetched_at), timestamp


def fetched_ms(value: bytes) -> int:
    """Return when a stored quote was fetched, epoch milliseconds."""
    return int(value[:13])


def timestamp_ms(value: bytes) -> int | None:
    """Return the provider's time of a stored quote, epoch milliseconds; None if it gave none."""
    return int(value[13:26]) or None


def price_of(value: bytes) -> str:
    """Return the price of a stored quote, as its JSON has it."""
    start = value.index(_PRICE) + len(_PRICE)
    return value[start : value.index(b",", start)].decode()


def currency_of(value: bytes) -> str | None:
    """Return the currency of a stored quote; None if its source does not tell it."""
    match = _CURRENCY.search(value, 26)
    return None if match is None else match[1].decode()


def time_key(ms: int) -> bytes:
    """Return the beginning of a stored quote that was fetched at this time, epoch milliseconds.

    Comparing a stored quote with such a key compares the times.
    """
    return b"%013d" % ms


def class_name(value: bytes) -> bytes:
    """Return the asset class of a stored quote; empty if the value does not have one."""
    start = value.find(_CLASS, 26) + len(_CLASS)
    return value[start : value.find(b'"', start)] if start >= len(_CLASS) else b""


def json_objects(values: Sequence[bytes], stale: Sequence[int] = ()) -> bytes:
    """Return stored quotes as JSON objects with commas between them.

    `stale` are the places of those that are marked stale.
    """
    if not values:
        return b""
    if not stale:  # the usual case: one ending for all takes half the time
        return _FRESH_COMMA.join([value[26:] for value in values]) + _FRESH
    marked = frozenset(stale)
    return b",".join(
        [value[26:] + (_STALE if place in marked else _FRESH) for place, value in enumerate(values)]
    )
