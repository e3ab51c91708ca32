"""The names of the keys of a symbol in Redis. All keys of quotes are on one node."""

from __future__ import annotations

from collections.abc import Iterable

from marketdata.cache.client import Cache


class QuoteKeys:
    """The key of each thing that is stored of a symbol."""

    def __init__(self, cache: Cache) -> None:
        self._prefix = cache.key("quotes", "")

    def quote(self, symbol: str) -> str:
        """Return the key of the quote; see `stored_quotes`."""
        return f"{self._prefix}q:{symbol}"

    def quotes(self, symbols: Iterable[str]) -> list[str]:
        """Return the keys of many quotes, without a call for each: every request needs them."""
        start = self.quote("")
        return [start + symbol for symbol in symbols]

    def held(self, symbol: str) -> str:
        """Return the key of the prices that wait for a confirmation."""
        return f"{self._prefix}held:{symbol}"

    def reason(self, symbol: str) -> str:
        """Return the key of the reason why there is no newer quote."""
        return f"{self._prefix}why:{symbol}"

    def minutes(self, symbol: str) -> str:
        """Return the key of the history with a price for each minute."""
        return f"{self._prefix}minutes:{symbol}"

    def hours(self, symbol: str) -> str:
        """Return the key of the history with a price for each hour."""
        return f"{self._prefix}hours:{symbol}"

    def all_of(self, symbol: str) -> tuple[str, ...]:
        """Return the keys of everything that is stored of a symbol, in the order of a put."""
        return (
            self.quote(symbol),
            self.held(symbol),
            self.reason(symbol),
            self.minutes(symbol),
            self.hours(symbol),
        )

    def coin(self, base: str) -> str:
        """Return the key of the ids of the coin that a ticker names."""
        return f"{self._prefix}coin:{base}"
