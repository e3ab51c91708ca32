"""What this process has seen of the ledgers, for the case that Redis loses them or its clock jumps.

A ledger that came back empty would let a provider be called twice as often as it allows, within
one minute. So every worker keeps a copy of each ledger as it was when the worker last took from it,
and gives it back where it is missing. What other workers took since then is not in the copy; a
process that has just started remembers nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from marketdata.cache.client import Cache, ScriptCall
from marketdata.clock import SECOND_MS
from marketdata.domain.quotes import Source


@dataclass(frozen=True, slots=True)
class SeenLedger:
    """One ledger as it was seen: when it was begun (epoch ms), how often it had granted, fields."""

    born_ms: int
    turns: int
    flat: tuple[bytes, ...]


class SteadyTime:
    """The time of Redis, carried forward by clocks that nobody sets.

    `clocks` return seconds. Of several the one that has advanced most counts, since a clock may
    stop while its process is frozen.
    """

    def __init__(self, clocks: Sequence[Callable[[], float]]) -> None:
        self._clocks = clocks
        self._known: tuple[int, list[float]] | None = None

    def expected_ms(self) -> int | None:
        """Return what the clock of Redis should show now; None before the first `set`."""
        if self._known is None:
            return None
        at_ms, before = self._known
        elapsed = (clock() - then for clock, then in zip(self._clocks, before, strict=True))
        return at_ms + round(max(elapsed) * SECOND_MS)

    def set(self, at_ms: int) -> None:
        """Note what the clock of Redis shows now."""
        self._known = at_ms, [clock() for clock in self._clocks]


class LedgerMemory:
    """The ledgers as this process has last seen them; threads may share it."""

    def __init__(self) -> None:
        self._seen: dict[Source, SeenLedger] = {}

    def as_json(self, source: Source) -> dict[str, int]:
        """Return what a ledger must at least be, for attempts_take; empty if nothing is known."""
        seen = self._seen.get(source)
        return {} if seen is None else {"born": seen.born_ms, "turns": seen.turns}

    def remember(self, source: Source, flat: Sequence[bytes]) -> None:
        """Remember a ledger, unless a later state of the same one is known already."""
        fields = dict(zip(flat[::2], flat[1::2], strict=True))
        if b"born" not in fields:  # it never granted anything
            return
        new = SeenLedger(int(fields[b"born"]), int(fields[b"turns"]), tuple(flat))
        old = self._seen.get(source)
        if old is None or old.born_ms != new.born_ms or old.turns <= new.turns:
            self._seen[source] = new

    def give_back(
        self, cache: Cache, keys: dict[Source, str], now_ms: int, expected_ms: int | None
    ) -> None:
        """Write to Redis what it has lost of these ledgers. Raise `CacheUnavailableError`."""
        head = (cache.time_argument(now_ms), "" if expected_ms is None else expected_ms)
        known = {source: self._seen[source] for source in keys if source in self._seen}
        answers = cache.many(
            [
                ScriptCall("budget_recall", [keys[source]], (*head, *_arguments(seen)))
                for source, seen in known.items()
            ]
        )
        for (source, seen), (born, turns) in zip(known.items(), answers, strict=True):
            if born is not None and turns is not None:
                self._seen[source] = replace(seen, born_ms=int(born), turns=int(turns))


def _arguments(seen: SeenLedger) -> tuple[Any, ...]:
    return seen.born_ms, seen.turns, json.dumps([part.decode() for part in seen.flat])
