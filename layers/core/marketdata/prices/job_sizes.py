"""Makes jobs from groups and grants, and computes how large they can get.

Step Functions limits the input and output of a step. A message above the limit ends the execution
of the whole minute, and no Catch of the state machine handles this error. So the size of a plan is
computed before anything is reserved for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from marketdata.cache.quote_store import LastQuote
from marketdata.clock import CLOCK_SKEW_MS
from marketdata.domain.breaker import Permit
from marketdata.domain.budget import Use
from marketdata.domain.market_state import state_of_class
from marketdata.domain.messages import Attempt, Job, LastPrice, Reservation, SkippedProvider
from marketdata.domain.permits import CallGrant, OpenSlot
from marketdata.domain.quotes import Source
from marketdata.domain.trading_hours import trading_at
from marketdata.prices.grouping import Group

# A report holds its job and up to two quotes for each symbol, and must fit into 256 KB as well.
MOST_JOB_BYTES = 48_000
# The bytes of a plan besides its jobs: some numbers, and an entry for each skipped provider.
FRAME_BYTES = 4_000

# Grants with the greatest length that a grant can have as JSON.
_LONG_NUMBER, _LONG_COUNT = 10**13, 10**6
_PROBE_PLACE = ":99999"


@dataclass(frozen=True, slots=True)
class JobMaker:
    """Makes the jobs of one slot from groups and what was granted for them.

    `last`: the stored quotes. `token` is unique to this plan. `execution` is the id of the state
    machine's execution.
    """

    opened: OpenSlot
    last: Mapping[str, LastQuote]
    now_ms: int
    deadline_ms: int
    token: str
    execution: str = ""

    def job(self, number: int, group: Group, grants: Sequence[CallGrant]) -> Job:
        """Return the job with this number in its plan, without attempts if nothing was granted."""
        timetable = self.opened.timetables.get(group.asset_class)
        symbols = [instrument.symbol.text for instrument in group.everyone]
        return Job(
            id=f"{self.opened.slot_s}-{number}-{self.token}",
            slot=self.opened.slot_s,
            deadline_ms=self.deadline_ms,
            clock_ahead_ms=self._clock_ahead_ms(),
            asset_class=group.asset_class,
            use=group.use,
            trading=trading_at(group.asset_class, timetable, self.opened.now_ms),
            market_state=state_of_class(group.asset_class, timetable, self.opened.now_ms),
            instruments=group.everyone,
            fillers=tuple(instrument.symbol.text for instrument in group.fillers),
            attempts=tuple(
                Attempt(
                    provider=grant.source,
                    calls=grant.calls,
                    permit=Permit(grant.generation, grant.probe),
                    reservation=Reservation(end_ms=grant.end_ms, use=grant.use),
                    excluded=tuple(
                        symbol
                        for symbol in symbols
                        if (grant.source, symbol) in self.opened.excluded
                    ),
                )
                for grant in grants
                if grant.calls
            ),
            skipped=tuple(
                SkippedProvider(
                    provider=grant.source,
                    reason=grant.reason,
                    available_at_ms=grant.available_at_ms,
                )
                for grant in grants
                if grant.reason is not None and not grant.calls
            ),
            last={
                symbol: LastPrice(price=Decimal(stored.price), timestamp_ms=stored.timestamp_ms)
                for symbol in symbols
                if (stored := self.last.get(symbol)) is not None
            },
            execution=self.execution,
        )

    def split(self, group: Group, sources: Sequence[Source]) -> Iterator[tuple[Group, int]]:
        """Yield the group, or its parts if its job could get too large, each with its size.

        The size is the largest that the job can have with any grants of these sources.
        """
        grants = [self._longest(group, source) for source in sources]
        size = self.job(_LONG_COUNT, group, grants).json_bytes()
        count = len(group.instruments)
        if size <= MOST_JOB_BYTES or count == 1:
            yield group, size
            return
        for part in (group.instruments[: count // 2], group.instruments[count // 2 :]):
            yield from self.split(replace(group, instruments=part), sources)

    def _clock_ahead_ms(self) -> int:
        ahead_ms = self.now_ms - self.opened.now_ms
        return ahead_ms if abs(ahead_ms) > CLOCK_SKEW_MS else 0

    def _longest(self, group: Group, source: Source) -> CallGrant:
        return CallGrant(
            source=source,
            asset_class=group.asset_class,
            calls=_LONG_COUNT,
            generation=_LONG_NUMBER,
            probe=self.token + _PROBE_PLACE,
            end_ms=_LONG_NUMBER,
            use=Use.UNLISTED,
        )
