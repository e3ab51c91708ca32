"""How full Redis is, so that /health can say so before clients notice missing prices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from marketdata.cache.client import Cache
from marketdata.errors import CacheUnavailableError

# Redis frees memory as soon as it passes its limit, so a full one is just below or above it.
FULL_SHARE = 0.98


@dataclass(frozen=True, slots=True)
class MemoryState:
    """The memory of Redis: used and allowed (0: no limit) bytes, and keys evicted so far.

    `policy` is Redis's `maxmemory-policy`.
    """

    used_bytes: int
    most_bytes: int
    policy: str
    evicted_keys: int

    @property
    def is_full(self) -> bool:
        """Whether there is no room for more."""
        return self.most_bytes > 0 and self.used_bytes >= FULL_SHARE * self.most_bytes

    @property
    def rejects_writes(self) -> bool:
        """Whether it is full and removes nothing to make room."""
        return self.is_full and self.policy == "noeviction"

    @property
    def evicts(self) -> bool:
        """Whether it is full and removes keys to make room."""
        return self.is_full and self.policy != "noeviction" and self.evicted_keys > 0


def read_memory(cache: Cache) -> MemoryState | None:
    """Return the state of Redis's memory, in a cluster that of one node; None if it is unknown.

    It is unknown to a user without the right to INFO, and where INFO leaves out its figures.
    """
    try:
        # As redis-py reads it: numbers where a value looks like one, else text.
        info: dict[str, Any] = cache.command("INFO")
    except CacheUnavailableError:
        return None
    try:
        return MemoryState(
            used_bytes=int(info["used_memory"]),
            most_bytes=int(info["maxmemory"]),
            policy=str(info["maxmemory_policy"]),
            evicted_keys=int(info["evicted_keys"]),
        )
    except (KeyError, ValueError):
        return None
