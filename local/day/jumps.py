"""How soon a true jump of the market is believed, counted in ticks of its symbol."""

from __future__ import annotations

from dataclasses import dataclass, field

from local.simulator import Market, Move
from marketdata.clock import epoch_ms
from marketdata.domain.quotes import Quote


@dataclass(slots=True)
class Seen:
    """The ticks that brought a jumped price, by when they were fetched; the first ends it."""

    ticks: set[int] = field(default_factory=set)
    visible: bool = False


class JumpWatch:
    """Counts, for each jump of a market, the ticks until its price was written."""

    def __init__(self, market: Market) -> None:
        self._market = market
        self._seen: dict[Move, Seen] = {}

    def note(self, quote: Quote, *, written: bool) -> None:
        """A true price was committed, and was written or held back."""
        for jump in self._market.moves:
            if jump.symbol != quote.symbol or quote.timestamp is None:
                continue
            if epoch_ms(quote.timestamp) < jump.at_ms:
                continue
            seen = self._seen.setdefault(jump, Seen())
            if not seen.visible:
                seen.ticks.add(epoch_ms(quote.fetched_at))
                seen.visible = written

    def ticks(self) -> list[int | None]:
        """For each jump the ticks until it was visible, itself included; None: it never was."""
        found = [self._seen.get(jump, Seen()) for jump in self._market.moves]
        return [len(seen.ticks) if seen.visible else None for seen in found]
