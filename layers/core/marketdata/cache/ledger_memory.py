"""This process's copy of the ledgers, for the case that Redis loses them or its clock jumps.

If a ledger were lost and began empty, a provider could be called twice as often as it allows. So
every worker keeps a copy of each ledger as it was when the worker last took calls, and writes the
copy back if Redis has lost the ledger. Calls that other workers took since then are not in the
copy. A process that has just started has no copy.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
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
    """What the clock of Redis should show, computed with clocks that are never set.

    For each ledger, the time is kept at which this process took from it last. A step of the clock
    of Redis after that time matters for that ledger, even if other calls saw the new time in
    between. `clocks` return seconds. If there are several, the one that has advanced most counts,
    because a clock may stop while the process is frozen.
    """

    def __init__(self, clocks: Sequence[Callable[[], float]]) -> None:
        self._clocks = clocks
        self._first: tuple[int, list[float]] | None = None
        self._taken: dict[Source, tuple[int, list[float]]] = {}

    def expected_ms(self, source: Source) -> int | None:
        """Return what the clock of Redis should show now; None if nothing is known of it."""
        known = self._taken.get(source, self._first)
        if known is None:
            return None
        at_ms, before = known
        elapsed = (clock() - then for clock, then in zip(self._clocks, before, strict=True))
        return at_ms + round(max(elapsed) * SECOND_MS)

    def has_taken(self, source: Source) -> bool:
        """Return whether this process has taken from a ledger before."""
        return source in self._taken

    def note(self, at_ms: int) -> None:
        """Note what the clock of Redis shows now, unless an earlier time is known."""
        if self._first is None:
            self._first = at_ms, [clock() for clock in self._clocks]

    def note_taken(self, sources: Iterable[Source], at_ms: int) -> None:
        """Note what the clock of Redis shows now, when these ledgers were taken from."""
        self.note(at_ms)
        now = at_ms, [clock() for clock in self._clocks]
        self._taken.update(dict.fromkeys(sources, now))


class LedgerMemory:
    """The ledgers as this process has last seen them; threads may share it."""

    def __init__(self) -> None:
        self._seen: dict[Source, SeenLedger] = {}

    def as_json(self, source: Source) -> dict[str, int]:
        """Return what this process has seen of a ledger, for attempts_take; empty if nothing."""
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
        self,
        cache: Cache,
        keys: Mapping[Source, str],
        now_ms: int,
        expected_ms: Callable[[Source], int | None],
    ) -> None:
        """Write back the calls of these ledgers that Redis has lost.

        Raise `CacheUnavailableError`.
        """
        known = {source: self._seen[source] for source in keys if source in self._seen}
        answers = cache.many(
            [
                ScriptCall(
                    "budget_recall",
                    [keys[source]],
                    (
                        cache.time_argument(now_ms),
                        "" if (expected := expected_ms(source)) is None else expected,
                        *_arguments(seen),
                    ),
                )
                for source, seen in known.items()
            ]
        )
        for (source, seen), (born, turns) in zip(known.items(), answers, strict=True):
            if born is not None and turns is not None:
                self._seen[source] = replace(seen, born_ms=int(born), turns=int(turns))


def _arguments(seen: SeenLedger) -> tuple[Any, ...]:
    return seen.born_ms, seen.turns, json.dumps([part.decode() for part in seen.flat])
