"""Notes which symbols clients ask for, so that planning prices them for a while.

The answer is already in hand when a note is made, so a note that fails costs the client nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Collection
from typing import TYPE_CHECKING

from marketdata.errors import CacheUnavailableError

if TYPE_CHECKING:
    from marketdata.cache.control import ControlState

log = logging.getLogger("marketdata.api")

# A watched symbol lasts 15 minutes after its last request, so one note a minute keeps it.
RENEW_MS = 60_000


class Watch:
    """The watch list, as one process of the API keeps it up."""

    def __init__(self, control: ControlState) -> None:
        self._control = control
        self._minute = -1
        self._renewed: set[str] = set()

    def note(self, served: Collection[str], missing: Collection[str], now_ms: int) -> None:
        """Watch symbols that were asked for.

        The missing ones at once; the served ones once a minute, since their note only lengthens
        what is there.
        """
        if now_ms // RENEW_MS != self._minute:
            self._minute, self._renewed = now_ms // RENEW_MS, set()
        symbols = [*missing, *(symbol for symbol in served if symbol not in self._renewed)]
        if not symbols:
            return
        try:
            self._control.watch(symbols, now_ms)
        except CacheUnavailableError as error:
            fields = {"count": len(symbols), "error": str(error)}
            log.error("watch note lost", extra=fields)  # noqa: TRY400 - the error says it all
        else:
            self._renewed.update(served)
