"""The first step: claim a slot, see what is due, and hand out jobs with permits and budgets.

It decides and does nothing else: no provider is called from here. The number of round trips to
Redis is fixed, whatever the number of symbols: claim and due, ids and last quotes, take, and one
more only where a symbol has neither a quote nor anybody to ask.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from marketdata.cache.asset_store import AssetStore
from marketdata.cache.control import ControlState
from marketdata.cache.quote_store import LastQuote, QuoteStore
from marketdata.domain.catalogue import CHAINS, FACTS, batches
from marketdata.domain.outcomes import missing_because
from marketdata.domain.permits import Grant, Refusal, Want
from marketdata.domain.quotes import Source
from marketdata.domain.symbols import AssetClass, parse_symbol
from marketdata.prices.grouping import Draft, drafts, ordered, with_riders
from marketdata.prices.job_sizes import FRAME_BYTES, MOST_JOB_BYTES, JobMaker, bytes_of
from marketdata.settings import Settings

# A job must be over well before the next slot, so that its results meet no younger plan.
FETCH_BUDGET_MS = 3_500


@dataclass(frozen=True, slots=True)
class Planner:
    """Plans slots over the stores that it is given. `token` makes a new unlike text each time.

    `most_bytes`: how large a plan may get as JSON, None for any size. What does not fit waits for
    the next slot, still due, so that it is among the first then.
    """

    settings: Settings
    control: ControlState
    quotes: QuoteStore
    assets: AssetStore
    token: Callable[[], str]
    most_bytes: int | None = None

    def plan(self, slot_s: int, now_ms: int) -> dict[str, Any]:
        """Claim a slot (its start, epoch seconds) and plan its jobs, as plain JSON.

        The answer is `{slot, claimed, previous, due, deferred, jobs, skipped}`; `previous` is the
        slot that was claimed before, if that is known, `deferred` counts what is due and did not
        fit. A slot that somebody else claimed has no jobs. Raises `CacheUnavailableError` when
        Redis is away.
        """
        opened = self.control.open_slot(
            slot_s, now_ms, [symbol.text for symbol in self.settings.active_symbols]
        )
        if opened is None:
            nothing: dict[str, Any] = {"due": 0, "deferred": 0, "jobs": [], "skipped": []}
            return {"slot": slot_s, "claimed": False, "previous": None, **nothing}
        due = [(parse_symbol(entry.symbol), entry.use) for entry in ordered(opened.due, slot_s)]
        ids = self.assets.ids([s.base for s, _ in due if s.asset_class is AssetClass.CRYPTO])
        last = self.quotes.last([symbol.text for symbol, _ in due])
        make = JobMaker(opened, last, now_ms, now_ms + FETCH_BUDGET_MS, self.token())
        planned = [part for draft in drafts(due, ids) for part in self._parts(draft, make)]
        granted = self._take(planned, make)
        kept = [
            (draft, grants)
            for (draft, _), grants in zip(planned, granted, strict=True)
            if not any(grant.reason is Refusal.NO_ROOM for grant in grants)
        ]
        jobs = self._jobs(kept, make)
        self._explain([job for job in jobs if not job["attempts"]], last, now_ms)
        return {
            "slot": slot_s,
            "claimed": True,
            "previous": opened.previous_s,
            "due": len(due),
            "deferred": len(due) - sum(len(draft.instruments) for draft, _ in kept),
            "jobs": [job for job in jobs if job["attempts"]],
            "skipped": _skipped(jobs),
        }

    def _parts(self, draft: Draft, make: JobMaker) -> Iterable[tuple[Draft, int]]:
        """The jobs that a draft becomes, with their sizes, which count only in a bounded plan."""
        if self.most_bytes is None:
            return [(draft, 0)]
        return make.parted(draft, self._sources(draft))

    def _take(self, planned: Sequence[tuple[Draft, int]], make: JobMaker) -> list[list[Grant]]:
        """The grants of each job, in the order of its chain; one round trip for all."""
        wants = [
            list(self._wants(draft, number, size, make))
            for number, (draft, size) in enumerate(planned, start=1)
        ]
        room = None if self.most_bytes is None else self.most_bytes - FRAME_BYTES
        flat = [want for group in wants for want in group]
        grants = iter(self.control.take(flat, make.now_ms, make.token, room=room))
        return [[next(grants) for _ in group] for group in wants]

    def _wants(self, draft: Draft, number: int, size: int, make: JobMaker) -> Iterator[Want]:
        refused = make.opened.refused
        for source in self._sources(draft):
            asked = [i for i in draft.instruments if (source, i.symbol.text) not in refused]
            calls = len(batches(source, asked))
            if calls:
                yield Want(
                    source=source,
                    asset_class=draft.asset_class,
                    calls=calls,
                    extra=FACTS[source].extra_calls,
                    use=draft.use,
                    until_ms=make.deadline_ms,
                    job=number,
                    size=size,
                )

    def _sources(self, draft: Draft) -> list[Source]:
        return [s for s in CHAINS[draft.asset_class] if self.settings.enabled(s)]

    def _jobs(
        self, kept: Sequence[tuple[Draft, Sequence[Grant]]], make: JobMaker
    ) -> list[dict[str, Any]]:
        """The jobs, with riders unless these make them too large; nothing is reserved for those."""
        riding = with_riders([draft for draft, _ in kept], [grants for _, grants in kept])
        jobs = [make.job(number, *one) for number, one in enumerate(riding)]
        if self.most_bytes is not None and any(job["riders"] for job in jobs):
            sizes = [bytes_of(job) for job in jobs if job["attempts"]]
            if sum(sizes) > self.most_bytes - FRAME_BYTES or max(sizes) > MOST_JOB_BYTES:
                return [make.job(number, *one) for number, one in enumerate(kept)]
        return jobs

    def _explain(
        self, idle: Sequence[Mapping[str, Any]], last: Mapping[str, LastQuote], now_ms: int
    ) -> None:
        """Say why symbols without any quote have none, where nobody could be asked for them."""
        missing = []
        for job in idle:
            known = [s["available_at_ms"] for s in job["skipped"] if s["available_at_ms"]]
            wait_s = max(1, math.ceil((min(known) - now_ms) / 1000)) if known else None
            for step in job["instruments"]:
                if step["symbol"] not in last:
                    reason = missing_because(step["symbol"], job["skipped"])
                    missing.append(replace(reason, retry_after_s=wait_s))
        if missing:
            self.quotes.explain(missing)


def _skipped(jobs: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Who was not asked, a line for each class and reason, with the earliest time of all jobs."""
    told: dict[tuple[str, ...], dict[str, Any]] = {}
    for job in jobs:
        for skip in job["skipped"]:
            line = {"asset_class": job["asset_class"], **skip}
            known = told.setdefault((job["asset_class"], skip["provider"], skip["reason"]), line)
            times = (known["available_at_ms"], skip["available_at_ms"])
            known["available_at_ms"] = min((at for at in times if at is not None), default=None)
    return list(told.values())
