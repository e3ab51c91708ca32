"""Notes which symbols clients ask for, so that planning prices them for a while.

If a note fails, that is logged, and the next request makes another one. The client gets its answer,
but the answer must not say that the symbol is watched.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from marketdata.errors import CacheUnavailableError

if TYPE_CHECKING:
    from marketdata.cache.client import Command
    from marketdata.cache.control import ControlState

log = logging.getLogger("marketdata.api")

# A watched symbol lasts 15 minutes after its last request, so one note a minute keeps it.
RENEW_MS = 60_000
# How many notes of this minute are remembered. Beyond that, notes are sent again with each request,
# so the memory of this process stays bounded.
MOST_SETTLED = 4_096


@dataclass(frozen=True, slots=True)
class Noted:
    """The result of a note: whether it was made, and the symbols that got no place."""

    is_made: bool = True
    without_place: frozenset[str] = frozenset()


class Watch:
    """The notes that one process of the API makes. `active` symbols need none."""

    def __init__(self, control: ControlState, active: Iterable[str]) -> None:
        self._control = control
        self._active = frozenset(active)
        self._minute = -1
        self._settled = set(self._active)

    def due(self, symbols: Collection[str], missing: Collection[str], now_ms: int) -> list[str]:
        """Return the symbols that a note is due for. `missing`: the symbols without a quote.

        For missing symbols a note is due at once. For the others it is due once a minute, because
        it only extends the time for which they are watched.
        """
        if now_ms // RENEW_MS != self._minute:
            self._minute, self._settled = now_ms // RENEW_MS, set(self._active)
        if not missing and self._settled.issuperset(symbols):
            return []
        due = [symbol for symbol in missing if symbol not in self._active]
        return due + [s for s in symbols if s not in missing and s not in self._settled]

    def command(self, symbols: Collection[str], now_ms: int) -> Command:
        """Return the note as a command for `Cache.many`; give its result to `noted` or `lost`."""
        return self._control.watch_command(list(symbols), now_ms)

    def note(self, symbols: Collection[str], now_ms: int) -> Noted:
        """Make the note in a separate round trip. If the cache fails, return it as lost."""
        if not symbols:
            return Noted()
        try:
            without_place = self._control.watch(list(symbols), now_ms)
        except CacheUnavailableError as error:
            return self.lost(symbols, error)
        self._settle(symbols)
        return Noted(without_place=without_place)

    def noted(self, symbols: Collection[str], answer: Sequence[bytes]) -> Noted:
        """Remember that these need no other note in this minute; return what `command` did."""
        self._settle(symbols)
        return Noted(without_place=self._control.without_place(answer))

    def lost(self, symbols: Collection[str], error: CacheUnavailableError) -> Noted:
        """Log that a note was not made."""
        fields = {"count": len(symbols), "error": str(error)}
        log.error("watch note lost", extra=fields)
        return Noted(is_made=False)

    def _settle(self, symbols: Collection[str]) -> None:
        if len(self._settled) + len(symbols) <= MOST_SETTLED + len(self._active):
            self._settled.update(symbols)
