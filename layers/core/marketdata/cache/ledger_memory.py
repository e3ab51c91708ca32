"""What this process has seen of the ledgers, for the day that Redis loses them.

A ledger that came back empty would let a provider be asked twice as often as it allows, within
the very minute. So every worker keeps a copy of each ledger as it last took from it, and gives it
back where it is missing. What other workers took since then is not in it; a worker that has just
begun remembers nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from marketdata.cache.client import Cache, ScriptCall
from marketdata.domain.quotes import Source


@dataclass(frozen=True, slots=True)
class Seen:
    """One ledger as it was seen: when it was begun (epoch ms), how often it had granted, all."""

    born_ms: int
    turns: int
    flat: tuple[bytes, ...]


class Recollection:
    """The ledgers as this process has seen them last; threads may share it."""

    def __init__(self) -> None:
        self._seen: dict[Source, Seen] = {}

    def told(self, source: Source) -> dict[str, int]:
        """What a ledger must at least be, for attempts_take; empty where nothing is known."""
        seen = self._seen.get(source)
        return {} if seen is None else {"born": seen.born_ms, "turns": seen.turns}

    def see(self, source: Source, flat: Sequence[bytes]) -> None:
        """Remember a ledger, unless a later state of the same one is known already."""
        fields = dict(zip(flat[::2], flat[1::2], strict=True))
        if b"born" not in fields:  # it never granted anything
            return
        new = Seen(int(fields[b"born"]), int(fields[b"turns"]), tuple(flat))
        old = self._seen.get(source)
        if old is None or old.born_ms != new.born_ms or old.turns <= new.turns:
            self._seen[source] = new

    def give_back(self, cache: Cache, keys: dict[Source, str], now_ms: int) -> None:
        """Tell Redis of these ledgers what it has lost. Raises `CacheUnavailableError`."""
        known = {source: self._seen[source] for source in keys if source in self._seen}
        answers = cache.many(
            [
                ScriptCall("budget_recall", [keys[source]], _arguments(seen, now_ms))
                for source, seen in known.items()
            ]
        )
        for (source, seen), (born, turns) in zip(known.items(), answers, strict=True):
            if born is not None:
                self._seen[source] = replace(seen, born_ms=int(born), turns=int(turns))


def _arguments(seen: Seen, now_ms: int) -> tuple[Any, ...]:
    return (now_ms, seen.born_ms, seen.turns, *seen.flat)
