"""Budgets: how often a provider may be called, as rolling windows, and the notation for them.

The ledger is in Redis (`cache.control`). This module defines limits, the lengths of their windows,
and the uses of calls.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from marketdata.clock import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS

# A month is 31 days, so that no calendar month has more calls than its limit.
WINDOWS_MS = {
    "second": SECOND_MS,
    "minute": MINUTE_MS,
    "hour": HOUR_MS,
    "day": DAY_MS,
    "month": 31 * DAY_MS,
}

# How long a provider is not called after a rate limit without a Retry-After.
DEFAULT_HOLD_S = 60.0

_LIMIT = re.compile(r"([1-9][0-9]{0,9})/(second|minute|hour|day|month)")


class Use(StrEnum):
    """What a call is for; it decides how much of a budget the call may spend.

    `active`: a symbol of ACTIVE_SYMBOLS. `watched`: a later price of a symbol that a client asked
    for. `new`: the first price of such a symbol. `unlisted`: the first price of such a symbol that
    no asset list knows. `probe`: the one call that tests a half-open breaker. `assets`: the daily
    lists. Half of each short window is kept for `active` symbols; `unlisted` symbols may have a
    tenth of the other half. The last four uses may spend the reserve of the long windows. `new` and
    `unlisted` may spend at most half of it, because clients decide how many new symbols there are.
    """

    ACTIVE = "active"
    WATCHED = "watched"
    NEW = "new"
    UNLISTED = "unlisted"
    PROBE = "probe"
    ASSETS = "assets"


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `calls` in any rolling window of `window_ms` milliseconds."""

    calls: int
    window: str

    @property
    def window_ms(self) -> int:
        """The window's length in milliseconds."""
        return WINDOWS_MS[self.window]

    @property
    def is_long(self) -> bool:
        """Whether it is a day or a month. Such windows are spent evenly and keep a reserve."""
        return self.window_ms >= DAY_MS

    def __str__(self) -> str:
        return f"{self.calls}/{self.window}"


@cache  # cached, because for each written quote the limits are compared with those of the free tier
def parse_limits(text: str) -> tuple[Limit, ...]:
    """Return the limits of a text such as `60/minute,30/second`, in its order.

    Raise ValueError with what is allowed, and the part that is wrong if the text has several.
    """
    limits: list[Limit] = []
    for part in map(str.strip, text.split(",")):
        match = _LIMIT.fullmatch(part.lower())
        if not match:
            wrong = f"; {part!r} is none" if "," in text else ""
            raise ValueError(
                "COUNT/WINDOW, comma-separated, each COUNT at least 1 and each WINDOW one of "
                f"{', '.join(WINDOWS_MS)}, for example 60/minute,30/second{wrong}"
            )
        if any(limit.window == match[2] for limit in limits):
            raise ValueError(f"each window once; {match[2]} is named twice")
        limits.append(Limit(int(match[1]), match[2]))
    return tuple(limits)
