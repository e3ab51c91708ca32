"""Cursors: where the next page of one version of a list, or of a search in it, begins.

A cursor has all facts of its list that a page shows, so a client can read one version to its end
even after the list was replaced. Clients return a cursor unchanged.
"""

from __future__ import annotations

import binascii
import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import astuple, dataclass

from marketdata.api.readers.bad_request import BadRequestError
from marketdata.domain.symbols import AssetClass

# The shape of every cursor. The longest has a search of 64 characters, each written as two escapes.
SHAPE = "^WyJ[jmz][A-Za-z0-9_-]{20,1200}$"
_SHAPE = re.compile(SHAPE)
_VERSION = re.compile(r"[0-9A-Za-z.\-_]{1,64}")
_MOST = 10_000_000  # more assets than any list has


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in one version of a list. `updated_at_ms`: epoch milliseconds; `q`: the search."""

    asset_class: str
    version: str
    offset: int
    total: int
    updated_at_ms: int
    q: str | None

    def text(self) -> str:
        """Return the cursor as clients see it: letters, digits, `-` and `_`."""
        members = json.dumps(astuple(self), separators=(",", ":"))
        return urlsafe_b64encode(members.encode()).decode().rstrip("=")


def read_cursor(text: str, asset_class: AssetClass, q: str | None) -> Cursor:
    """Return the cursor that `Cursor.text` wrote, for a request with this class and search.

    Raises `BadRequestError`: `invalid_cursor` for text without the shape of a cursor, and
    `unknown_cursor` for a cursor that this API did not give, or gave for another list.
    """
    if not _SHAPE.fullmatch(text):
        raise BadRequestError("invalid_cursor", "cursor does not look like a cursor.")
    try:
        padded = text + "=" * (-len(text) % 4)
        cursor = Cursor(*json.loads(urlsafe_b64decode(padded.encode("ascii"))))
    except (ValueError, TypeError, binascii.Error, RecursionError):
        cursor = None
    if cursor is None or not _is_sound(cursor) or cursor.text() != text:
        raise BadRequestError("unknown_cursor", "cursor is not one that this API has given.")
    if cursor.asset_class != asset_class.value:
        raise BadRequestError(
            "unknown_cursor", f"cursor belongs to {cursor.asset_class}, not to {asset_class.value}."
        )
    if cursor.q != q:
        raise BadRequestError("unknown_cursor", "cursor belongs to a search for another q.")
    return cursor


def _is_sound(cursor: Cursor) -> bool:
    numbers = (cursor.offset, cursor.total, cursor.updated_at_ms)
    return (
        all(type(number) is int and number >= 0 for number in numbers)
        and 0 < cursor.offset < cursor.total <= _MOST
        and cursor.updated_at_ms < 10**14
        and isinstance(cursor.version, str)
        and _VERSION.fullmatch(cursor.version) is not None
        and cursor.asset_class in list(AssetClass)
        and (cursor.q is None or isinstance(cursor.q, str))
    )
