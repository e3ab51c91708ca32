"""A quote as Redis has it: written once, read as bytes and never parsed.

It is two times of 13 digits, milliseconds since 1970 (`fetched_at`, and the provider's `timestamp`
or zeros where it gives none), and then the quote's JSON object without its closing brace: only the
reader's clock can tell `stale`, which it appends.
"""

from __future__ import annotations

from collections.abc import Sequence

from marketdata.clock import epoch_ms
from marketdata.domain.quotes import Quote

_FRESH, _STALE = b',"stale":false}', b',"stale":true}'
_FRESH_COMMA = _FRESH + b","
_PRICE = b'"price":'


def stored(quote: Quote, fetched: int, timestamp: int) -> str:
    """The value that is stored of a quote with these `times_of` it."""
    return f"{fetched:013d}{timestamp:013d}{quote.to_json()[:-1]}"


def times_of(quote: Quote) -> tuple[int, int]:
    """The two times that it begins with, epoch milliseconds; 0 where the provider gives none."""
    timestamp = 0 if quote.timestamp is None else max(0, epoch_ms(quote.timestamp))
    return epoch_ms(quote.fetched_at), timestamp


def fetched_ms(value: bytes) -> int:
    """When a stored quote was fetched, epoch milliseconds."""
    return int(value[:13])


def timestamp_ms(value: bytes) -> int | None:
    """The provider's time of a stored quote, epoch milliseconds; None where it gave none."""
    return int(value[13:26]) or None


def price_of(value: bytes) -> str:
    """The price of a stored quote, as its JSON has it."""
    start = value.index(_PRICE) + len(_PRICE)
    return value[start : value.index(b",", start)].decode()


def time_key(ms: int) -> bytes:
    """What a stored quote that was fetched at this time, epoch milliseconds, begins with.

    Stored quotes, and these, compare as the times do.
    """
    return b"%013d" % ms


def json_objects(values: Sequence[bytes], *, stale_before: bytes) -> bytes:
    """Stored quotes as JSON objects with commas between them.

    Those that are less than a `time_key` are marked stale.
    """
    if not values:
        return b""
    if min(values) >= stale_before:  # as a rule; and one ending for all takes half the time
        return _FRESH_COMMA.join([value[26:] for value in values]) + _FRESH
    return b",".join(
        [value[26:] + (_STALE if value < stale_before else _FRESH) for value in values]
    )
