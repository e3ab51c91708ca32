"""The grid of slots as a reader sees it: within one slot an answer depends on no clock.

Ages are measured at the slot's start, so that two equal requests within a slot get equal bytes.
The grid is that of planning, which is not imported: it would load all that plans.
"""

from __future__ import annotations

SLOT_S = 5
SLOT_MS = SLOT_S * 1000


def slot_start_ms(now_ms: int) -> int:
    """The start of the slot that `now_ms` lies in, epoch milliseconds."""
    return now_ms - now_ms % SLOT_MS


def seconds_left(now_ms: int) -> int:
    """Whole seconds to the next slot, rounded up: 1 to `SLOT_S`."""
    return -(-(SLOT_MS - now_ms % SLOT_MS) // 1000)
