"""Which stored quotes are stale, and which are recent enough for a request, without parsing them.

A stored quote begins with two times (see `cache/stored_quotes.py`), so comparing bytes compares
times.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from marketdata.cache.stored_quotes import class_name, time_key
from marketdata.domain.staleness import EXPLAINED_AGE_MS

# If a quote was fetched later than this after the start of the slot, its clock or ours is wrong.
AHEAD_MS = 10_000
_NO_TIME = time_key(0)


@dataclass(frozen=True, slots=True)
class Freshness:
    """The limits of one moment, each as a `time_key`.

    `fetched_from`: a quote that was fetched before this time is stale. `ahead_from`: a time of
    fetching at or after this time is in the future, so it does not show the age of the quote.
    `wanted_from`: a quote that was fetched before this time is too old for the request.
    `made_from`: for each asset class, a price with a provider's time before this is older than its
    market explains.
    """

    fetched_from: bytes
    ahead_from: bytes
    wanted_from: bytes | None
    made_from: Mapping[bytes, bytes]

    def is_stale(self, value: bytes) -> bool:
        """Return whether clients get the quote as stale."""
        return not self.fetched_from <= value < self.ahead_from or self.has_old_price(value)

    def has_old_price(self, value: bytes) -> bool:
        """Return whether the price itself is older than its market explains."""
        made = value[13:26]
        return made != _NO_TIME and made < self.made_from.get(class_name(value), _NO_TIME)

    def is_wanted(self, value: bytes) -> bool:
        """Return whether the quote is recent enough for the request's `max_age`, if it has one."""
        if self.wanted_from is None:
            return True
        return self.wanted_from <= value < self.ahead_from and not self.has_old_price(value)

    def stale_places(self, values: Sequence[bytes]) -> list[int]:
        """Return the places of the stale quotes."""
        if not values:
            return []
        if not (min(values) >= self.fetched_from and max(values) < self.ahead_from):
            return [place for place, value in enumerate(values) if self.is_stale(value)]
        # Usually all quotes were fetched lately, and few prices are older than the strictest limit.
        strictest = max(self.made_from.values())
        return [
            place
            for place, value in enumerate(values)
            if value[13:26] < strictest and self.has_old_price(value)
        ]


def freshness(at_ms: int, ttl_ms: int, max_age_s: int | None = None) -> Freshness:
    """Return the limits at an instant.

    The limits at the start of a slot are used for all of the slot.
    """
    return Freshness(
        fetched_from=time_key(at_ms - ttl_ms),
        ahead_from=time_key(at_ms + AHEAD_MS),
        wanted_from=None if max_age_s is None else time_key(at_ms - max_age_s * 1000),
        made_from={
            asset_class.value.encode(): time_key(at_ms - age_ms)
            for asset_class, age_ms in EXPLAINED_AGE_MS.items()
        },
    )
