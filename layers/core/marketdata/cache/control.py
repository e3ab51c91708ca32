"""The shared control state: slots, due times, breakers, budgets, exclusions, watches, timetables.

Every decision is one Lua script, so it is atomic for all workers, and the clock of Redis decides.
No key here has a TTL, so no eviction removes a key. The size of each key is bounded. Lost state is
rebuilt: breakers start closed, all symbols are due, and ledgers start with the copies that workers
have. A value that cannot be read is removed or rebuilt, and the log names it.
"""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Callable, Iterable, Mapping, Sequence

from marketdata.cache import control_codec as codec
from marketdata.cache.client import Cache, Command, ScriptCall
from marketdata.cache.ledger_memory import LedgerMemory, SteadyTime
from marketdata.cache.listed_symbols import ListedSymbols
from marketdata.cache.memory import MemoryState, read_memory
from marketdata.cache.slots import DUE_AHEAD_MS, Slots, log_repaired
from marketdata.clock import HOUR_MS, MINUTE_MS, SLOT_MS
from marketdata.domain.breaker import BreakerPolicy, Transition
from marketdata.domain.budget import Limit
from marketdata.domain.permits import (
    AttemptResult,
    CallGrant,
    CallRequest,
    ControlView,
    OpenSlot,
)
from marketdata.domain.quotes import Source
from marketdata.domain.symbols import AssetClass
from marketdata.domain.trading_hours import Timetable
from marketdata.domain.watch_rules import ANSWERED_MS, UNLISTED_MOST, WATCHED_MOST
from marketdata.errors import CacheUnavailableError

EXCLUDED_MS = 24 * HOUR_MS
EXCLUSIONS_MOST = 5_000
REPORT_MEMORY_MS = 10 * MINUTE_MS
# For how long a worker with a wrong clock is reported.
CLOCKS_MS = MINUTE_MS


class ControlState:
    """The decisions that workers share, each one atomic round trip to Redis.

    Every method raises `CacheUnavailableError` when Redis is away; then nothing is decided, and no
    provider may be called. `now_ms` is always the caller's own clock: durations count from it, and
    it is compared with the clock of Redis. It replaces the clock of Redis only if the cache was
    made for `caller_time`. Times in answers are those of the clock that decided. `steady_clocks`
    return seconds and are never set. `worker` names this process if its clock is wrong.
    """

    def __init__(
        self,
        cache: Cache,
        *,
        limits: Mapping[Source, tuple[Limit, ...]],
        policy: BreakerPolicy,
        steady_clocks: Sequence[Callable[[], float]] = (time.monotonic,),
        worker: str = "",
    ) -> None:
        self._cache = cache
        self._limits = limits
        self._policy = codec.policy_as_json(policy)
        self._memory = LedgerMemory()
        self._listed = ListedSymbols(cache)
        self._steady = SteadyTime(steady_clocks)
        self._slots = Slots(cache, worker or f"{socket.gethostname()}/{os.getpid()}")

    def open_slot(self, slot_s: int, now_ms: int, active: Sequence[str]) -> OpenSlot | None:
        """Claim a slot (epoch seconds) and return what is due in it; None if another has it.

        A slot is given to one caller only, and only if it is later than every slot claimed so far.
        A slot that is far from the clock of Redis is replaced by the slot of that clock.
        """
        opened = self._slots.open(slot_s, now_ms, active)
        if opened is not None:
            self._steady.note(opened.now_ms)
        return opened

    def take(
        self, requests: Sequence[CallRequest], now_ms: int, token: str, *, room: int | None = None
    ) -> tuple[CallGrant, ...]:
        """Return a grant for each request, in order: permit and reserved calls, or neither.

        `token` must differ from that of any other call; the names of probes are made of it. `room`:
        the largest sum of the sizes of all jobs that are granted calls.
        """
        if not requests:
            return ()
        for _ in range(3):
            grants = self._take(requests, now_ms, token, room)
            if grants is not None:
                return grants
            sources = {request.source for request in requests}
            keys = {
                source: self._cache.key(codec.TAG, "budget", source.value) for source in sources
            }
            self._memory.give_back(self._cache, keys, now_ms, self._expected_ms)
        raise CacheUnavailableError(f"Redis at {self._cache.address}: it loses budgets")

    def _take(
        self, requests: Sequence[CallRequest], now_ms: int, token: str, room: int | None
    ) -> tuple[CallGrant, ...] | None:
        """Try `take` once; return None if Redis has lost what this process knows of a ledger."""
        keys = codec.KeyPlaces(self._cache)
        sources = list(dict.fromkeys(request.source for request in requests))
        time_argument = self._cache.time_argument(now_ms)
        asked: codec.ScriptJson = {
            "policy": self._policy,
            "requests": [
                codec.request_as_json(request, keys, self._limits[request.source], now_ms)
                for request in requests
            ],
            "ledgers": [
                {
                    "place": keys.ledger(source),
                    "limits": codec.limits_as_json(self._limits[source]),
                    **self._clocks_of(source, now_ms),
                    **self._memory.as_json(source),
                }
                for source in sources
            ],
        }
        if room is not None:
            asked["room"] = room
        text, *ledgers = self._cache.script(
            "attempts_take", keys.keys, (time_argument, token, json.dumps(asked))
        )
        answer = codec.json_of(text)
        log_repaired(answer["repaired"])
        if "lost" in answer:
            return None
        self._steady.note_taken(sources, answer["now"])
        for source, ledger in zip(sources, ledgers, strict=True):
            self._memory.remember(source, ledger)
        return tuple(map(codec.grant_of, requests, answer["grants"]))

    def record(
        self,
        results: Sequence[AttemptResult],
        due: Mapping[str, int],
        excluded: Iterable[tuple[Source, str]],
        now_ms: int,
        *,
        ahead: Mapping[Source, int] | None = None,
        report: str = "",
    ) -> tuple[Transition, ...]:
        """Record the results of grants in breakers and ledgers; return the changes of state.

        `due`: when each symbol is to be priced next (ms); it is only ever moved later. `ahead`: by
        how many milliseconds the times of sources are ahead of our clock, 0 if they are not. A
        report with a name counts once, however often it is delivered. A report without a name is
        not sent again after a broken connection, because it would give back the same calls twice.
        """
        keys = codec.KeyPlaces(self._cache, "due", "excluded", "recorded", "clocks")
        content = {
            "policy": self._policy,
            "results": [
                codec.result_as_json(result, keys, self._limits[result.source], now_ms)
                for result in results
            ],
            "due": [part for symbol, at in due.items() for part in (at, symbol)],
            "due_ahead_ms": DUE_AHEAD_MS,
            "excluded": [codec.exclusion_name(*pair) for pair in excluded],
            "excluded_ms": EXCLUDED_MS,
            "exclusions_kept": EXCLUSIONS_MOST,
            "reports_ms": REPORT_MEMORY_MS,
            "ahead": [
                part
                for source, ahead_ms in (ahead or {}).items()
                for part in (codec.clock_name(source), ahead_ms)
            ],
        }
        answer = self._cache.script(
            "attempts_record",
            keys.keys,
            (self._cache.time_argument(now_ms), report, json.dumps(content)),
            repeat=bool(report),
        )
        return tuple(codec.transition_of(results, change) for change in json.loads(answer))

    def claim_refresh(self, now_ms: int, interval_ms: int, *, missing: bool) -> bool:
        """Return whether a refresh of the asset lists is due and this caller gets it.

        A refresh is due every `interval_ms`; while a list is `missing`, it is due sooner, after
        times that grow.
        """
        arguments = (self._cache.time_argument(now_ms), interval_ms, int(missing))
        return bool(self._cache.script("refresh_claim", self._keys("refreshed"), arguments))

    def keep_timetable(self, asset_class: AssetClass, timetable: Timetable) -> None:
        """Store the timetable of a class; `open_slot` returns it with each slot."""
        self._slots.keep_timetable(asset_class, timetable)

    def watch(self, symbols: Sequence[str], now_ms: int) -> frozenset[str]:
        """Note that clients ask for these symbols; return those that there is no place for.

        The most recently requested symbols are kept. Symbols that no asset list knows have a tenth
        of the places; they go to those that were requested first.
        """
        if not symbols:
            return frozenset()
        return self.without_place(self._cache.many([self.watch_command(symbols, now_ms)])[0])

    def watch_command(self, symbols: Sequence[str], now_ms: int) -> Command:
        """Return `watch` as a command for `Cache.many`, to share a round trip with others.

        `without_place` reads its answer.
        One round trip finds out which symbols are listed, unless that is known already.
        """
        listed = self._listed.of(symbols)
        asked = {
            "most": WATCHED_MOST,
            "most_unlisted": UNLISTED_MOST,
            "answered_ms": ANSWERED_MS,
            "listed": [symbol for symbol in symbols if symbol in listed],
            "unlisted": [symbol for symbol in symbols if symbol not in listed],
        }
        arguments = (self._cache.time_argument(now_ms), json.dumps(asked))
        return ScriptCall("watch_note", self._keys("watched", "unlisted", "due"), arguments)

    @staticmethod
    def without_place(answer: Sequence[bytes]) -> frozenset[str]:
        """Return the symbols that `watch_command` found no place for."""
        return frozenset(symbol.decode() for symbol in answer)

    def read_providers(self, now_ms: int, *, at_slot_start: bool = False) -> ControlView:
        """Return the state of every breaker and ledger, and the last claimed slot.

        `at_slot_start`: as of the start of the present slot, so that answers within it are equal.
        """
        command = self.providers_command(now_ms, at_slot_start=at_slot_start)
        return self.providers_view(self._cache.many([command])[0])

    def providers_command(self, now_ms: int, *, at_slot_start: bool = False) -> Command:
        """Return `read_providers` as a command for `Cache.many`; see `providers_view`."""
        keys = codec.KeyPlaces(self._cache, "slot", "clocks")
        asked: codec.ScriptJson = {
            "policy": self._policy,
            "clocks_ms": CLOCKS_MS,
            "ledgers": [
                {"place": keys.ledger(source), "limits": codec.limits_as_json(limits)}
                for source, limits in self._limits.items()
            ],
            "breakers": [
                keys.breaker(source, asset_class)
                for source in self._limits
                for asset_class in codec.breakers_of(source)
            ],
        }
        if at_slot_start:
            asked["grid_ms"] = SLOT_MS
        time_argument = self._cache.time_argument(now_ms)
        return ScriptCall("control_read", keys.keys, (time_argument, json.dumps(asked)))

    def providers_view(self, answer: bytes) -> ControlView:
        """Return what the answer to `providers_command` says."""
        return codec.view_of(codec.json_of(answer), self._limits)

    def read_memory(self) -> MemoryState | None:
        """Return how full Redis is; None if that is unknown."""
        return read_memory(self._cache)

    def _expected_ms(self, source: Source) -> int | None:
        """Return what the clock of Redis should show; None if unknown or if it does not decide."""
        return None if self._cache.caller_time else self._steady.expected_ms(source)

    def _clocks_of(self, source: Source, now_ms: int) -> dict[str, int]:
        """Return the times that show a step of the clock of Redis; empty if it does not decide."""
        if self._cache.caller_time:
            return {}
        expected = self._expected_ms(source)
        known = {} if expected is None else {"expected": expected}
        # The wall clock is passed once, which is enough to find a step that happened before this
        # process took anything. If it were passed each time, a wall clock that is always some
        # seconds behind would keep calls in their windows for ever.
        return known if self._steady.has_taken(source) else {"wall": now_ms, **known}

    def _keys(self, *names: str) -> list[str]:
        return [self._cache.key(codec.TAG, name) for name in names]
