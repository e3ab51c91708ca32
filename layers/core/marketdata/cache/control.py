"""The shared control state: slots, what is due, breakers, budgets, refusals, watches, sessions.

Every decision is one Lua script, so it is atomic for all workers; time and randomness are given.
No key here has a TTL, so no eviction drops one, and none grows without bound. Lost state rebuilds
itself: breakers begin closed, symbols due, and ledgers with what workers remember of them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from marketdata.cache import control_codec as wire
from marketdata.cache.client import Cache, Command, ScriptCall
from marketdata.cache.ledger_memory import Recollection
from marketdata.clock import HOUR_MS, MINUTE_MS
from marketdata.domain.breaker import BreakerPolicy, Transition
from marketdata.domain.budget import Limit, Use
from marketdata.domain.permits import (
    AttemptResult,
    CallGrant,
    CallRequest,
    ControlView,
    DueSymbol,
    OpenSlot,
)
from marketdata.domain.quotes import Source
from marketdata.domain.symbols import AssetClass
from marketdata.domain.trading_hours import Timetable
from marketdata.errors import CacheUnavailableError

WATCHED_MS = 15 * MINUTE_MS
WATCHED_MOST = 500
REFUSED_MS = 24 * HOUR_MS
REFUSED_MOST = 5_000
# A stored slot further ahead than this was claimed by a clock that ran ahead.
SLOT_AHEAD_S = 120
DUE_MEMORY_MS = HOUR_MS
DUE_SPARE = 5_000  # due times kept beside those of the active symbols
REPORT_MEMORY_MS = 10 * MINUTE_MS


class ControlState:
    """The decisions that workers share, each one atomic round trip to Redis.

    Every method raises `CacheUnavailableError` when Redis is away; then nothing is decided, and
    nothing may be called.
    """

    def __init__(
        self, cache: Cache, *, limits: Mapping[Source, tuple[Limit, ...]], policy: BreakerPolicy
    ) -> None:
        self._cache = cache
        self._limits = limits
        self._policy = wire.policy_told(policy)
        self._recollection = Recollection()

    def open_slot(self, slot_s: int, now_ms: int, active: Sequence[str]) -> OpenSlot | None:
        """Claim a slot (epoch seconds) and tell what is due in it; None if it is not ours.

        A slot is one caller's alone, and only if it is later than every slot claimed so far.
        """
        answer = self._cache.script(
            "slot_open",
            self._keys("slot", "due", "watched", "refused", "sessions"),
            (slot_s, now_ms, SLOT_AHEAD_S, WATCHED_MS, DUE_MEMORY_MS, DUE_SPARE, "\n".join(active)),
        )
        if answer is None:
            return None
        due_active, new, due_watched, excluded, timetables, previous = answer
        return OpenSlot(
            slot_s=slot_s,
            due=(
                *wire.due_of(due_active, Use.ACTIVE),
                *(DueSymbol(symbol, Use.NEW, 0) for symbol in wire.lines_of(new)),
                *wire.due_of(due_watched, Use.WATCHED),
            ),
            excluded=frozenset(map(wire.excluded_of, excluded)),
            timetables=wire.timetables_of(timetables),
            previous_s=None if previous is None else int(previous),
        )

    def take(
        self, wants: Sequence[CallRequest], now_ms: int, token: str, *, room: int | None = None
    ) -> tuple[CallGrant, ...]:
        """A grant for each want, in order: permit and reserved calls, or neither.

        `token` must be unlike that of any other call; the names of probes are made of it. `room`:
        what the sizes of all jobs that are granted anything may sum up to.
        """
        if not wants:
            return ()
        for _ in range(3):
            grants = self._take(wants, now_ms, token, room)
            if grants is not None:
                return grants
            sources = {want.source for want in wants}
            keys = {source: self._cache.key(wire.TAG, "budget", source.value) for source in sources}
            self._recollection.give_back(self._cache, keys, now_ms)
        raise CacheUnavailableError(f"Redis at {self._cache.address}: it loses budgets")

    def _take(
        self, wants: Sequence[CallRequest], now_ms: int, token: str, room: int | None
    ) -> tuple[CallGrant, ...] | None:
        """One try of `take`; None where Redis has lost what we know of a ledger."""
        keys = wire.KeyList(self._cache)
        sources = list(dict.fromkeys(want.source for want in wants))
        asked: dict[str, Any] = {
            "policy": self._policy,
            "wants": [wire.want_told(want, keys, self._limits[want.source]) for want in wants],
            "ledgers": [
                {"place": keys.ledger(source), **self._recollection.told(source)}
                for source in sources
            ],
        }
        if room is not None:
            asked["room"] = room
        answer = self._cache.script("attempts_take", keys.keys, (now_ms, token, json.dumps(asked)))
        if answer is None:
            return None
        grants, *ledgers = answer
        for source, ledger in zip(sources, ledgers, strict=True):
            self._recollection.see(source, ledger)
        return tuple(map(wire.grant_of, wants, json.loads(grants)))

    def record(
        self,
        results: Sequence[AttemptResult],
        due: Mapping[str, int],
        excluded: Iterable[tuple[Source, str]],
        now_ms: int,
        *,
        report: str = "",
    ) -> tuple[Transition, ...]:
        """Tell breakers and ledgers what came of grants; the changes of state are returned.

        `due`: when each symbol is to be priced next (ms); it is only ever moved later. A named
        `report` counts once, however often it is delivered. Without a name it is not sent again
        after a broken connection, since calls given back twice would be overspent.
        """
        keys = wire.KeyList(self._cache, "due", "refused", "recorded")
        until = str(now_ms + REFUSED_MS)
        told = {
            "policy": self._policy,
            "results": [
                wire.result_told(result, keys, self._limits[result.source], now_ms)
                for result in results
            ],
            "due": [part for symbol, at in due.items() for part in (str(at), symbol)],
            "refused": [part for pair in excluded for part in (until, wire.excluded_name(*pair))],
            "refusals_kept": REFUSED_MOST,
            "reports_ms": REPORT_MEMORY_MS,
        }
        answer = self._cache.script(
            "attempts_record", keys.keys, (now_ms, report, json.dumps(told)), repeat=bool(report)
        )
        return tuple(wire.transition_of(results, change) for change in json.loads(answer))

    def claim_refresh(self, now_ms: int, interval_ms: int, *, missing: bool) -> bool:
        """Whether a refresh of the asset lists is due and the caller's.

        It is due every `interval_ms`; while a list is `missing`, sooner, at growing distances.
        """
        arguments = (now_ms, interval_ms, int(missing))
        return bool(self._cache.script("refresh_claim", self._keys("refreshed"), arguments))

    def keep_timetable(self, asset_class: AssetClass, timetable: Timetable) -> None:
        """Keep when a class trades, in place of what was known; slots are opened with it."""
        (key,) = self._keys("sessions")
        self._cache.command("HSET", key, asset_class.value, wire.timetable_text(timetable))

    def watch(self, symbols: Sequence[str], now_ms: int) -> None:
        """Note that clients ask for these symbols; the most recently asked for are kept."""
        if symbols:
            self._cache.many([self.watch_command(symbols, now_ms)])

    def watch_command(self, symbols: Sequence[str], now_ms: int) -> Command:
        """`watch` as a command for `Cache.many`, to share a round trip with others."""
        return ScriptCall("watch_note", self._keys("watched"), (now_ms, WATCHED_MOST, *symbols))

    def read_providers(self, now_ms: int) -> ControlView:
        """How every breaker and ledger stands, and the last claimed slot."""
        (answer,) = self._cache.many([self.providers_command(now_ms)])
        return self.providers_told(answer)

    def providers_command(self, now_ms: int) -> Command:
        """`read_providers` as a command for `Cache.many`; `providers_told` reads its answer."""
        keys = wire.KeyList(self._cache, "slot")
        asked = {
            "policy": self._policy,
            "ledgers": [
                {"place": keys.ledger(source), "limits": wire.limits_told(limits)}
                for source, limits in self._limits.items()
            ],
            "breakers": [
                keys.breaker(source, asset_class)
                for source in self._limits
                for asset_class in wire.breakers_of(source)
            ],
        }
        return ScriptCall("control_read", keys.keys, (now_ms, json.dumps(asked)))

    def providers_told(self, answer: bytes) -> ControlView:
        """What `providers_command` was answered."""
        return wire.view_of(json.loads(answer), self._limits)

    def _keys(self, *names: str) -> list[str]:
        return [self._cache.key(wire.TAG, name) for name in names]
