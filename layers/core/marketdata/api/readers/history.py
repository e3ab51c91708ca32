"""The recorded prices of symbols as clients get them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from marketdata.api.readers.bad_request import one_of
from marketdata.api.readers.missing import errors_json
from marketdata.api.readers.symbol_lists import aliases_json
from marketdata.clock import SECOND_MS, slot_start_ms
from marketdata.domain.history import RANGES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from marketdata.api.readers.quotes import QuoteReader
    from marketdata.api.readers.symbol_lists import Requested
    from marketdata.cache.history_store import HistoryStore, Recorded
    from marketdata.domain.outcomes import MissingQuote

DEFAULT_RANGE = "24h"


@dataclass(frozen=True, slots=True)
class HistoryReading:
    """The result of a request: `count` series as JSON objects with commas between them, and errors.

    Both are in request order.
    """

    series: bytes
    count: int
    errors: Sequence[MissingQuote]
    aliases: Mapping[str, str]

    def body(self, market: str, range_name: str) -> bytes:
        """Return the answer as one JSON object. `market` is `live` or `simulated`."""
        return b'{"market":"%b","range":"%b","history":[%b],"errors":%b,"aliases":%b}' % (
            market.encode(),
            range_name.encode(),
            self.series,
            errors_json(self.errors),
            aliases_json(self.aliases),
        )


@dataclass(frozen=True, slots=True)
class HistoryReader:
    """Reads the history of symbols. `quotes` gives the reasons of symbols without one."""

    history: HistoryStore
    quotes: QuoteReader

    def read(self, wanted: Requested, range_name: str, now_ms: int) -> HistoryReading:
        """Return the points of each symbol within a range, one of `RANGES`, that ends now.

        A symbol without any point is an error. Raises `CacheUnavailableError`.
        """
        found = self.history.read(wanted.symbols, range_name, slot_start_ms(now_ms))
        interval_s = RANGES[range_name].step_ms // SECOND_MS
        series = [
            _series(symbol, interval_s, recorded).encode()
            for symbol, recorded in found.items()
            if recorded.points
        ]
        missing = [symbol for symbol in wanted.symbols if not found[symbol].points]
        errors = self.quotes.errors(wanted, missing, now_ms)
        return HistoryReading(b",".join(series), len(series), errors, wanted.aliases)


# The model `History` only documents a series. Pydantic writes an exact decimal as a JSON string,
# but the answer has JSON numbers. A day of 100 symbols takes 90 ms here, and 121 ms with models
# (measured).
def _series(symbol: str, interval_s: int, recorded: Recorded) -> str:
    pairs = ",".join(f"[{point.at_ms // SECOND_MS},{point.price}]" for point in recorded.points)
    currency = "null" if recorded.currency is None else f'"{recorded.currency}"'
    return (
        f'{{"symbol":"{symbol}","currency":{currency},"interval_s":{interval_s},'
        f'"points":[{pairs}]}}'
    )


def range_name(text: str) -> str:
    """Return the name of a range. Raise BadValueError for any other text."""
    return one_of(text, RANGES)
