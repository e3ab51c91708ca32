"""Numbers, texts and times as providers write them, read to the last digit or rejected.

Pure. A wrong price is an error. A wrong time or figure is None, because a quote can do without it.
The length of a text is checked before the text is searched.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from marketdata.clock import parse_utc
from marketdata.domain.plausible import is_plausible, is_plausible_price
from marketdata.errors import BadPayloadError

MOST_NAME_CHARS = 200
MOST_ID_CHARS = 100
# Longer than each number and time that a provider writes.
_MOST_CHARS = 64
_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,4})?", re.ASCII)
# Texts that providers write in place of a missing number.
_NO_NUMBER = frozenset({"", "-", "none", "null", "n/a"})
# A number with more digits is an error, and writing it out could fill the memory.
_MOST_DIGITS = 50
_MOST_PLACES = 40
# Times outside of these years are not times: some providers write 0 for "unknown".
_EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
_LATEST = datetime(2100, 1, 1, tzinfo=UTC)


def number(value: Any) -> Decimal | None:
    """Return a number given as a JSON number or as text; None for none.

    Raise `BadPayloadError` for another type, other text, and a number that is not finite or beyond
    the bounds of all figures.
    Text with a unit is other text: "12.3%" is no price and no volume.
    """
    if isinstance(value, str):
        text = value.strip() if len(value) <= _MOST_CHARS else value
        if text.lower() in _NO_NUMBER:
            return None
        fits = len(text) <= _MOST_CHARS and _NUMBER.fullmatch(text)
        found = Decimal(text) if fits else None
    elif value is None:
        return None
    else:
        is_number = isinstance(value, int | Decimal) and not isinstance(value, bool)
        found = Decimal(value) if is_number else None
    if found is None or not found.is_finite():
        raise BadPayloadError(f"not a number: {shown(value)}")
    if len(found.as_tuple().digits) > _MOST_DIGITS:
        raise BadPayloadError("a number with too many digits")
    if not is_plausible(found):
        raise BadPayloadError(f"not a plausible number: {shown(found)}")
    return found


def number_or_none(value: Any) -> Decimal | None:
    """Return a number that a quote can do without; None for anything that is not a number."""
    try:
        return number(value)
    except BadPayloadError:
        return None


def price_of(value: Any, *, signed: bool = False) -> Decimal | None:
    """Return a price; None if there is none, and for zero, which some providers write for "none".

    A `signed` price may be zero or negative. Raise `BadPayloadError` with the value for any other
    negative price, for a value that is not a number, and for a number that is not plausible.
    """
    found = number(value)
    if found is None:
        return None
    if found < 0 and not signed:
        raise BadPayloadError(f"a price below zero: {shown(found)}")
    if not is_plausible_price(found):
        raise BadPayloadError(f"not a plausible price: {shown(found)}")
    return found if signed else found or None


def figure(value: Any, *, signed: bool = False) -> Decimal | None:
    """Return a figure beside the price; None if it is not above zero, unless it is `signed`."""
    found = number_or_none(value)
    return found if found is not None and (signed or found > 0) else None


def volume_of(value: Any) -> Decimal | None:
    """Return a volume, which may be zero; None for anything else."""
    found = number_or_none(value)
    return found if found is not None and found >= 0 else None


def market_cap_of(value: Any) -> Decimal | None:
    """Return a market capitalisation, which is above zero; None for anything else."""
    return volume_of(value) or None


def text_or_none(value: Any, most: int = MOST_NAME_CHARS) -> str | None:
    """Return a printable text of at most `most` characters without blanks around it.

    None for an empty one, a longer one and anything else.
    """
    if not isinstance(value, str) or len(value) > most:
        return None
    return "".join(c if c.isprintable() else " " for c in value).strip() or None


def name_of(value: Any) -> str | None:
    """Return the name of an asset, cut to `MOST_NAME_CHARS`; None where there is none."""
    return text_or_none(value[:MOST_NAME_CHARS]) if isinstance(value, str) else None


def shown(value: Any) -> str:
    """Return a short form of a received value, for an error message."""
    if isinstance(value, str):
        return repr(value if len(value) <= 40 else value[:37] + "...")
    if value is None or isinstance(value, bool):
        return repr(value)
    if isinstance(value, Decimal):
        text = format(value, "f") if abs(value.adjusted()) <= _MOST_PLACES else str(value)
        return text if len(text) <= 40 else text[:37] + "..."
    return type(value).__name__


def unix_time(value: Any) -> datetime | None:
    """Return seconds since 1970 as aware UTC; None for anything that is not a plausible time."""
    seconds = number_or_none(value)
    if seconds is None or not 0 < seconds < 10**11:
        return None
    return plausible(datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=int(seconds * 1000)))


def iso_time(value: Any) -> datetime | None:
    """Return an ISO 8601 time as aware UTC; None for anything else, a date alone included."""
    if not isinstance(value, str) or not len("2026-01-01T00:00") <= len(value) <= _MOST_CHARS:
        return None
    try:
        return plausible(parse_utc(value.strip()))
    except (ValueError, OverflowError):
        return None


def zoned_time(value: Any, zone: Any) -> datetime | None:
    """Return a time of day in a named zone as aware UTC; None without either.

    For a text with an offset the result is None unless that is the offset of the named zone.
    """
    text, tz = text_or_none(value, _MOST_CHARS), zone_named(zone)
    if text is None or tz is None or len(text) < len("2026-01-01 00:00"):
        return None
    try:
        given = datetime.fromisoformat(text)
        found = given.replace(tzinfo=tz)
        is_of_zone = given.utcoffset() in (None, found.utcoffset())
        return plausible(found.astimezone(UTC)) if is_of_zone else None
    except (ValueError, OverflowError):
        return None


def zone_named(name: Any) -> tzinfo | None:
    """Return the time zone with a name of the IANA database; None for anything else."""
    text = text_or_none(name, _MOST_CHARS)
    try:
        return UTC if text == "UTC" else ZoneInfo(text) if text else None
    except (ValueError, KeyError, OSError):
        return None


def plausible(at: datetime) -> datetime | None:
    """Return a time if it can be the time of a price; None for a time in 1970 or in 2100."""
    return at if _EARLIEST <= at < _LATEST else None
