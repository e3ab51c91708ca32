"""The first step: claim a slot, read what is due, and hand out jobs with permits and budgets.

No provider is called from here. The number of round trips to Redis does not depend on the number of
symbols. There is one for the claim and the due symbols, one each for last quotes and coin ids, and
one for permits and reservations; and one more if a symbol has neither a quote nor a provider that
can be asked.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from marketdata.cache.asset_store import AssetStore
from marketdata.cache.control import ControlState
from marketdata.cache.quote_store import LastQuote, QuoteStore
from marketdata.domain.budget import Use
from marketdata.domain.catalogue import CHAINS, FACTS, batches
from marketdata.domain.messages import Job, Plan, SkippedInPlan
from marketdata.domain.outcomes import DenyReason, missing_because
from marketdata.domain.permits import CallGrant, CallRequest, DueSymbol
from marketdata.domain.quotes import Source
from marketdata.domain.symbols import AssetClass, parse_symbol
from marketdata.prices.grouping import Group, fill_free_places, grouped, ordered
from marketdata.prices.job_sizes import FRAME_BYTES, MOST_JOB_BYTES, JobMaker
from marketdata.settings import Settings

# A job must end well before the next slot, so that its results are committed before the next plan.
FETCH_BUDGET_MS = 3_500


@dataclass(frozen=True, slots=True)
class Planner:
    """Plans slots over the stores that it is given. `token` returns a unique string.

    `most_bytes`: how large a plan may get as JSON, None for any size. Symbols that do not fit stay
    due, so they come among the first in the next slot.
    """

    settings: Settings
    control: ControlState
    quotes: QuoteStore
    assets: AssetStore
    token: Callable[[], str]
    most_bytes: int | None = None

    def plan(self, slot_s: int, now_ms: int, execution: str = "") -> Plan:
        """Claim a slot (its start, epoch seconds) and plan its jobs.

        Raises `CacheUnavailableError` if Redis is away.
        """
        opened = self.control.open_slot(
            slot_s, now_ms, [symbol.text for symbol in self.settings.active_symbols]
        )
        if opened is None:
            return Plan(slot=slot_s, claimed=False, jobs=(), execution=execution)
        entries = ordered(opened.due, slot_s)
        last = self.quotes.last([entry.symbol for entry in entries])
        due = [(parse_symbol(entry.symbol), _use_of(entry, last)) for entry in entries]
        ids = self.assets.ids([s.base for s, _ in due if s.asset_class is AssetClass.CRYPTO])
        make = JobMaker(opened, last, now_ms, now_ms + FETCH_BUDGET_MS, self.token(), execution)
        planned = [part for group in grouped(due, ids) for part in self._parts(group, make)]
        granted = self._take(planned, make)
        kept = [
            (group, grants)
            for (group, _), grants in zip(planned, granted, strict=True)
            if not any(grant.reason is DenyReason.NO_ROOM for grant in grants)
        ]
        jobs = self._jobs(kept, make)
        self._explain([job for job in jobs if not job.attempts], last, opened.now_ms)
        return Plan(
            slot=opened.slot_s,
            claimed=True,
            previous=opened.previous_s,
            due=len(due),
            deferred=len(due) - sum(len(group.instruments) for group, _ in kept),
            jobs=tuple(job for job in jobs if job.attempts),
            skipped=_skipped(jobs),
            execution=execution,
        )

    def _parts(self, group: Group, make: JobMaker) -> Iterable[tuple[Group, int]]:
        """Return the jobs of a group with their sizes, which matter only in a bounded plan."""
        if self.most_bytes is None:
            return [(group, 0)]
        return make.split(group, self._sources(group))

    def _take(self, planned: Sequence[tuple[Group, int]], make: JobMaker) -> list[list[CallGrant]]:
        """Return the grants of each job, in the order of its chain; one round trip for all."""
        requests = [
            list(self._requests(group, number, size, make))
            for number, (group, size) in enumerate(planned, start=1)
        ]
        room = None if self.most_bytes is None else self.most_bytes - FRAME_BYTES
        flat = [request for of_group in requests for request in of_group]
        grants = iter(self.control.take(flat, make.now_ms, make.token, room=room))
        return [[next(grants) for _ in of_group] for of_group in requests]

    def _requests(
        self, group: Group, number: int, size: int, make: JobMaker
    ) -> Iterator[CallRequest]:
        excluded = make.opened.excluded
        for source in self._sources(group):
            asked = [i for i in group.instruments if (source, i.symbol.text) not in excluded]
            calls = len(batches(source, asked))
            if calls:
                yield CallRequest(
                    source=source,
                    asset_class=group.asset_class,
                    calls=calls,
                    extra=FACTS[source].extra_calls,
                    use=group.use,
                    until_ms=make.deadline_ms,
                    job=number,
                    size=size,
                )

    def _sources(self, group: Group) -> list[Source]:
        return [s for s in CHAINS[group.asset_class] if self.settings.enabled(s)]

    def _jobs(self, kept: Sequence[tuple[Group, Sequence[CallGrant]]], make: JobMaker) -> list[Job]:
        """Return the jobs, with fillers unless the fillers make a job or the plan too large."""
        filled = fill_free_places([group for group, _ in kept], [grants for _, grants in kept])
        jobs = [make.job(number, *one) for number, one in enumerate(filled)]
        if self.most_bytes is not None and any(job.fillers for job in jobs):
            sizes = [job.json_bytes() for job in jobs if job.attempts]
            if sum(sizes) > self.most_bytes - FRAME_BYTES or max(sizes) > MOST_JOB_BYTES:
                return [make.job(number, *one) for number, one in enumerate(kept)]
        return jobs

    def _explain(self, idle: Sequence[Job], last: Mapping[str, LastQuote], now_ms: int) -> None:
        """Store the reason of symbols without a quote for which no provider can be asked."""
        missing = []
        for job in idle:
            skips = [
                (skip.provider, skip.reason, _wait_s(skip.available_at_ms, now_ms))
                for skip in job.skipped
            ]
            shortest_s = min((wait for _, _, wait in skips if wait is not None), default=None)
            for instrument in job.instruments:
                symbol = instrument.symbol.text
                if symbol not in last:
                    reason = missing_because(symbol, skips)
                    missing.append(replace(reason, retry_after_s=shortest_s))
        if missing:
            self.quotes.explain(missing)


def _use_of(entry: DueSymbol, last: Mapping[str, LastQuote]) -> Use:
    """The use of a symbol. One that has a price is watched, whether a list knows it or not."""
    is_found = entry.use is Use.UNLISTED and entry.symbol in last
    return Use.WATCHED if is_found else entry.use


def _wait_s(at_ms: int | None, now_ms: int) -> int | None:
    return None if at_ms is None else max(1, math.ceil((at_ms - now_ms) / 1000))


def _skipped(jobs: Sequence[Job]) -> tuple[SkippedInPlan, ...]:
    """Return the skipped providers: one entry per class and reason, with the earliest time."""
    found: dict[tuple[AssetClass, Source, DenyReason], list[int]] = {}
    for job in jobs:
        for skip in job.skipped:
            times = found.setdefault((job.asset_class, skip.provider, skip.reason), [])
            times += [] if skip.available_at_ms is None else [skip.available_at_ms]
    return tuple(
        SkippedInPlan(
            asset_class=asset_class,
            provider=provider,
            reason=reason,
            available_at_ms=min(times, default=None),
        )
        for (asset_class, provider, reason), times in found.items()
    )
