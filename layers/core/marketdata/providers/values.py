"""Numbers and times as providers write them, read to the last digit or refused.

Pure. A wrong price is an error, a wrong time or change only an absence: no quote may rest on the
first, and any quote can do without the second.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from marketdata.clock import parse_utc
from marketdata.errors import BadPayloadError

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,4})?", re.ASCII)
# What providers write where they have no number.
_NO_NUMBER = frozenset({"", "-", "none", "null", "n/a"})
# Of a number beyond these nobody means the value, and writing it out could fill the memory.
_MOST_DIGITS = 50
_MOST_PLACES = 40


def number(value: Any) -> Decimal | None:
    """A number given as a JSON number or as text, a percent sign allowed; None for none.

    Raises `BadPayloadError` for what is neither: another type, other text, not finite, absurd.
    """
    if value is None or (isinstance(value, str) and value.strip().lower() in _NO_NUMBER):
        return None
    if isinstance(value, str):
        text = value.strip().removesuffix("%").rstrip()
        found = Decimal(text) if _NUMBER.fullmatch(text) else None
    else:
        is_number = isinstance(value, int | Decimal) and not isinstance(value, bool)
        found = Decimal(value) if is_number else None
    if found is None or not found.is_finite():
        raise BadPayloadError(f"not a number: {str(value)[:40]!r}")
    if len(found.as_tuple().digits) > _MOST_DIGITS or abs(found.adjusted()) > _MOST_PLACES:
        raise BadPayloadError("a number out of all proportion")
    return found


def number_or_none(value: Any) -> Decimal | None:
    """A number that the quote can do without; None also for what is not one."""
    try:
        return number(value)
    except BadPayloadError:
        return None


def price_of(value: Any) -> Decimal | None:
    """A price: a number above zero. None for none and for zero, which is how some say none.

    Raises `BadPayloadError` for anything else.
    """
    found = number(value)
    if found is not None and found < 0:
        raise BadPayloadError(f"a price below zero: {found}")
    return found or None


def text_or_none(value: Any) -> str | None:
    """A text without blanks around it; None for an empty one and for anything else."""
    return (value.strip() or None) if isinstance(value, str) else None


def unix_time(value: Any) -> datetime | None:
    """Seconds since 1970 as aware UTC; None for anything that is not a time after that."""
    seconds = number_or_none(value)
    if seconds is None or not 0 < seconds < 253_402_300_800:  # the year 10000
        return None
    return datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=int(seconds * 1000))


def iso_time(value: Any) -> datetime | None:
    """An ISO 8601 time as aware UTC; None for anything else, a date without a time included."""
    if not isinstance(value, str) or len(value) < len("2026-01-01T00:00"):
        return None
    try:
        return parse_utc(value.strip())
    except (ValueError, OverflowError):
        return None
