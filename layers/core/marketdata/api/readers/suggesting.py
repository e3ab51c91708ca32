"""Suggestions for the errors of symbols that are unknown, invalid or pending."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from marketdata.domain.outcomes import MissingQuote, Reason
from marketdata.domain.suggestions import MOST, suggestions
from marketdata.errors import CacheUnavailableError

if TYPE_CHECKING:
    from marketdata.api.readers.search import SearchReader

log = logging.getLogger("marketdata.api")

# The lists are searched for at most this many symbols of one request.
MOST_SEARCHED = 5
_UNKNOWN = (Reason.INVALID_SYMBOL, Reason.NOT_FOUND)


@dataclass(frozen=True, slots=True)
class Suggester:
    """Adds suggestions to errors: by their spelling, else near tickers of the asset lists."""

    search: SearchReader

    def with_suggestions(self, errors: Sequence[MissingQuote]) -> list[MissingQuote]:
        """Return the errors, with suggestions for symbols that are unknown, invalid or pending.

        The lists are asked only about unknown and invalid symbols. If they cannot be read, the
        errors have no suggestions from them.
        """
        return list(self._added(errors))

    def _added(self, errors: Sequence[MissingQuote]) -> Iterator[MissingQuote]:
        searched = 0
        for error in errors:
            found: tuple[str, ...] = ()
            if error.code in _UNKNOWN or error.code is Reason.PENDING:
                found = error.suggestions or suggestions(error.symbol)
            if not found and error.code in _UNKNOWN and searched < MOST_SEARCHED:
                searched += 1
                found = self._near(error.symbol)
            yield replace(error, suggestions=found) if found else error

    def _near(self, text: str) -> tuple[str, ...]:
        try:
            return tuple(self.search.near(text, MOST))
        except CacheUnavailableError as error:
            log.warning("no suggestions", extra={"error": str(error)})
            return ()
