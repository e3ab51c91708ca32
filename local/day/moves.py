"""How fast the service follows prices, counted in looks at a symbol.

A look is one fetch whose true price was committed. A move is a jump, a crash or a pump.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from local.simulator import Market, Move
from marketdata.clock import epoch_ms
from marketdata.domain.acceptance import Result
from marketdata.domain.quotes import Quote


@dataclass(slots=True)
class _Looks:
    """The looks at one moving price. `held` are those since the last written one."""

    held: set[int] = field(default_factory=set)
    written_ms: int = 0
    most: int = 0

    def note(self, fetched_ms: int, result: Result) -> None:
        if fetched_ms <= self.written_ms:
            return  # a report that arrives late does not show the latest price
        if result is Result.QUARANTINED:
            self.held.add(fetched_ms)
        elif result is Result.WRITTEN:
            self.most = max(self.most, len(self.held | {fetched_ms}))
            self.held, self.written_ms = set(), fetched_ms


class LookWatch:
    """Compares each served price, in a move or not, with the latest looks at its symbol.

    `most_behind`: the most looks that were newer than the served price; -1 before the first price.
    """

    def __init__(self) -> None:
        self.most_behind = -1
        self._looks: dict[str, set[int]] = {}

    def note(self, quote: Quote, result: Result) -> None:
        """Note the verdict of a true price.

        A price that is older than the stored one is not a look.
        """
        if result in (Result.WRITTEN, Result.QUARANTINED):
            self._looks.setdefault(quote.symbol, set()).add(epoch_ms(quote.fetched_at))

    def served(self, symbol: str, fetched_ms: int) -> None:
        """Note when the price that a client gets now was fetched (epoch ms)."""
        newer = {look_ms for look_ms in self._looks.get(symbol, ()) if look_ms > fetched_ms}
        self._looks[symbol] = newer
        self.most_behind = max(self.most_behind, len(newer))


class MoveWatch:
    """Counts, for each move of a market, the looks until its price was written."""

    def __init__(self, market: Market) -> None:
        self._market = market
        self._looks: dict[Move, _Looks] = {}

    def note(self, quote: Quote, result: Result) -> None:
        """Note the verdict of a true price."""
        for move in self._market.moves:
            if move.symbol != quote.symbol or quote.timestamp is None:
                continue
            if epoch_ms(quote.timestamp) >= move.at_ms:
                looks = self._looks.setdefault(move, _Looks())
                looks.note(epoch_ms(quote.fetched_at), result)

    def looks(self) -> list[int | None]:
        """Return, for each move, the most looks until a price of it was written; None for never.

        The look that was written counts. Prices that are still held count as if the next look was
        written.
        """
        found = [self._looks.get(move, _Looks()) for move in self._market.moves]
        return [
            max(looks.most, len(looks.held) + 1 if looks.held else 0) if looks.written_ms else None
            for looks in found
        ]
