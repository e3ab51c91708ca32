"""Jobs as the plain JSON that goes from plan to fetch and on to commit, and how large they get.

On AWS a step's input and output is bounded, and one that is larger ends the whole minute: no Catch
gets to see it. So a plan's size is known before anything is reserved for it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from marketdata.cache.quote_store import LastQuote
from marketdata.domain.budget import Use
from marketdata.domain.permits import Grant, OpenSlot
from marketdata.domain.quotes import Source
from marketdata.domain.trading_hours import trading_at
from marketdata.prices.grouping import Draft

# A report holds its job and up to two quotes for each symbol, and must fit into 256 KB as well.
MOST_JOB_BYTES = 80_000
# What a plan holds besides its jobs: a few numbers, and who was skipped, a line for each reason.
FRAME_BYTES = 4_000

# No grant is written longer than these are.
_LONG_NUMBER, _LONG_COUNT = 10**13, 10**6
_PROBE_PLACE = ":99999"


@dataclass(frozen=True, slots=True)
class JobMaker:
    """Makes the jobs of one slot from drafts and what was granted for them.

    `last`: the stored quotes. `token` is unlike that of any other plan.
    """

    opened: OpenSlot
    last: Mapping[str, LastQuote]
    now_ms: int
    deadline_ms: int
    token: str

    def job(self, number: int, draft: Draft, grants: Sequence[Grant]) -> dict[str, Any]:
        """The job with that number in its plan; without an attempt where nothing was granted."""
        timetable = self.opened.timetables.get(draft.asset_class)
        symbols = [instrument.symbol.text for instrument in draft.everyone]
        return {
            "id": f"{self.opened.slot_s}-{number}-{self.token}",
            "slot": self.opened.slot_s,
            "deadline_ms": self.deadline_ms,
            "asset_class": draft.asset_class.value,
            "use": draft.use.value,
            "session": trading_at(draft.asset_class, timetable, self.now_ms).to_step(),
            "instruments": [instrument.to_step() for instrument in draft.everyone],
            "riders": [instrument.symbol.text for instrument in draft.riders],
            "attempts": [
                {
                    "provider": grant.source.value,
                    "calls": grant.calls,
                    "permit": {"generation": grant.generation, "probe": grant.probe},
                    "reservation": {"end_ms": grant.end_ms, "use": grant.use.value},
                    "not_for": [
                        symbol
                        for symbol in symbols
                        if (grant.source, symbol) in self.opened.refused
                    ],
                }
                for grant in grants
                if grant.calls
            ],
            "skipped": [
                {
                    "provider": grant.source.value,
                    "reason": grant.reason,
                    "available_at_ms": grant.available_at_ms,
                }
                for grant in grants
                if not grant.calls
            ],
            "last": {
                symbol: self.last[symbol].to_step() for symbol in symbols if symbol in self.last
            },
        }

    def parted(self, draft: Draft, sources: Sequence[Source]) -> Iterator[tuple[Draft, int]]:
        """The draft, or its parts where its job could get too large, each with its size.

        It is the largest one that its job can have, whatever these sources grant.
        """
        grants = [self._longest(draft, source) for source in sources]
        size, count = bytes_of(self.job(_LONG_COUNT, draft, grants)), len(draft.instruments)
        if size <= MOST_JOB_BYTES or count == 1:
            yield draft, size
            return
        for part in (draft.instruments[: count // 2], draft.instruments[count // 2 :]):
            yield from self.parted(replace(draft, instruments=part), sources)

    def _longest(self, draft: Draft, source: Source) -> Grant:
        return Grant(
            source=source,
            asset_class=draft.asset_class,
            calls=_LONG_COUNT,
            generation=_LONG_NUMBER,
            probe=self.token + _PROBE_PLACE,
            end_ms=_LONG_NUMBER,
            use=Use.WATCHED,
        )


def bytes_of(part: Any) -> int:
    """How many bytes something is as JSON in a list, written as Lambda writes an answer."""
    return len(json.dumps(part)) + len(", ")
