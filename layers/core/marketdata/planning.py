"""The first step: claim a slot, see what is due, and hand out jobs with permits and budgets.

It decides and does nothing else: no provider is called from here. The number of round trips to
Redis is fixed, whatever the number of symbols: claim and due, ids and last quotes, take, and one
more only where a symbol has neither a quote nor anybody to ask.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from marketdata.cache.assets import AssetStore
from marketdata.cache.control import ControlState
from marketdata.cache.decisions import Grant, OpenSlot, Want
from marketdata.cache.quotes import LastQuote, QuoteStore
from marketdata.chains import CHAINS, batches
from marketdata.drafting import Draft, drafts, ordered, with_riders
from marketdata.outcomes import missing_because
from marketdata.quotes import Source
from marketdata.sessions import trading_at
from marketdata.settings import Settings
from marketdata.symbols import AssetClass, parse_symbol

SLOT_S = 5
# A job must be over well before the next slot, so that its results meet no younger plan.
FETCH_BUDGET_MS = 3_500


@dataclass(frozen=True, slots=True)
class Planner:
    """Plans slots over the stores that it is given. `token` makes a new unlike text each time."""

    settings: Settings
    control: ControlState
    quotes: QuoteStore
    assets: AssetStore
    token: Callable[[], str]

    def plan(self, slot_s: int, now_ms: int) -> dict[str, Any]:
        """Claim a slot (its start, epoch seconds) and plan its jobs, as plain JSON.

        The answer is `{slot, claimed, previous, due, jobs, skipped}`; `previous` is the slot that
        was claimed before, if that is known. A slot that somebody else claimed has no jobs. Raises
        `CacheUnavailableError` when Redis is away.
        """
        opened = self.control.open_slot(
            slot_s, now_ms, [symbol.text for symbol in self.settings.active_symbols]
        )
        if opened is None:
            nothing: dict[str, Any] = {"previous": None, "due": 0, "jobs": [], "skipped": []}
            return {"slot": slot_s, "claimed": False, **nothing}
        due = [(parse_symbol(entry.symbol), entry.use) for entry in ordered(opened.due, slot_s)]
        ids = self.assets.ids([s.base for s, _ in due if s.asset_class is AssetClass.CRYPTO])
        last = self.quotes.last([symbol.text for symbol, _ in due])
        planned = list(drafts(due, ids))
        deadline_ms, token = now_ms + FETCH_BUDGET_MS, self.token()
        granted = self._take(planned, opened.refused, deadline_ms, now_ms, token)
        jobs = [
            {
                "id": f"{slot_s}-{number}-{token}",
                "slot": slot_s,
                "deadline_ms": deadline_ms,
                **_job(draft, grants, opened, last, now_ms),
            }
            for number, (draft, grants) in enumerate(with_riders(planned, granted))
        ]
        self._explain([job for job in jobs if not job["attempts"]], last, now_ms)
        return {
            "slot": slot_s,
            "claimed": True,
            "previous": opened.previous_s,
            "due": len(due),
            "jobs": [job for job in jobs if job["attempts"]],
            "skipped": [
                {"asset_class": job["asset_class"], **skip}
                for job in jobs
                for skip in job["skipped"]
            ],
        }

    def _take(
        self,
        planned: Sequence[Draft],
        refused: frozenset[tuple[Source, str]],
        until_ms: int,
        now_ms: int,
        token: str,
    ) -> list[list[Grant]]:
        """The grants of each draft, in the order of its chain; one round trip for all."""
        wants = [list(self._wants(draft, refused, until_ms)) for draft in planned]
        grants = iter(self.control.take([want for group in wants for want in group], now_ms, token))
        return [[next(grants) for _ in group] for group in wants]

    def _wants(
        self, draft: Draft, refused: frozenset[tuple[Source, str]], until_ms: int
    ) -> Iterator[Want]:
        for source in CHAINS[draft.asset_class]:
            if self.settings.enabled(source):
                asked = [i for i in draft.instruments if (source, i.symbol) not in refused]
                calls = len(batches(source, asked))
                if calls:
                    yield Want(
                        source=source,
                        asset_class=draft.asset_class,
                        calls=calls,
                        least=1,
                        use=draft.use,
                        until_ms=until_ms,
                    )

    def _explain(
        self, idle: Sequence[Mapping[str, Any]], last: Mapping[str, LastQuote], now_ms: int
    ) -> None:
        """Say why symbols without any quote have none, where nobody could be asked for them."""
        missing, retry_s = [], {}
        for job in idle:
            known = [s["available_at_ms"] for s in job["skipped"] if s["available_at_ms"]]
            for step in job["instruments"]:
                if step["symbol"] not in last:
                    missing.append(missing_because(step["symbol"], job["skipped"]))
                    if known:
                        retry_s[step["symbol"]] = max(1.0, (min(known) - now_ms) / 1000)
        if missing:
            self.quotes.explain(missing, retry_s)


def _job(
    draft: Draft,
    grants: Sequence[Grant],
    opened: OpenSlot,
    last: Mapping[str, LastQuote],
    now_ms: int,
) -> dict[str, Any]:
    timetable = opened.timetables.get(draft.asset_class)
    return {
        "asset_class": draft.asset_class.value,
        "use": draft.use.value,
        "session": trading_at(draft.asset_class, timetable, now_ms).to_step(),
        "instruments": [instrument.to_step() for instrument in draft.everyone],
        "riders": [instrument.symbol for instrument in draft.riders],
        "attempts": [
            {
                "provider": grant.source.value,
                "calls": grant.calls,
                "permit": {"generation": grant.generation, "probe": grant.probe},
                "reservation": {"end_ms": grant.end_ms, "use": grant.use.value},
                "not_for": [
                    i.symbol for i in draft.everyone if (grant.source, i.symbol) in opened.refused
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
            instrument.symbol: last[instrument.symbol].to_step()
            for instrument in draft.everyone
            if instrument.symbol in last
        },
    }
