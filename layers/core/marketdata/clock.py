"""Time: units, the grid of slots, and how times are written.

Times are whole milliseconds since 1970 (`_ms`), or aware UTC `datetime`s. Only `wall_ms` reads a
clock; everything else takes the time as an argument.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime

SECOND_MS = 1_000
MINUTE_MS = 60_000
HOUR_MS = 3_600_000
DAY_MS = 86_400_000
DAY_S = DAY_MS // SECOND_MS

# The price loop works in slots of this length, on a grid that begins with 1970.
SLOT_S = 5
SLOT_MS = SLOT_S * SECOND_MS

# If two clocks differ by more than this, one of the two is wrong.
CLOCK_SKEW_MS = 2_000

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def wall_ms() -> int:
    """Return this machine's wall clock, epoch milliseconds."""
    return time.time_ns() // 1_000_000


def epoch_ms(at: datetime) -> int:
    """Return an aware time as whole epoch milliseconds, without the rounding of floats."""
    since = at - _EPOCH
    return since.days * DAY_MS + since.seconds * SECOND_MS + since.microseconds // 1000


def from_epoch_ms(at_ms: int) -> datetime:
    """Return epoch milliseconds as an aware UTC time."""
    return datetime.fromtimestamp(at_ms / 1000, UTC)


def utc_text(at: datetime) -> str:
    """Return an aware time as RFC 3339 in UTC, with milliseconds only where it has any."""
    spec = "milliseconds" if at.microsecond >= 1000 else "seconds"
    return at.astimezone(UTC).isoformat(timespec=spec).removesuffix("+00:00") + "Z"


def parse_utc(text: str) -> datetime:
    """Return the time of an RFC 3339 text, aware UTC; a text without a zone counts as UTC."""
    at = datetime.fromisoformat(text)
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def slot_start_ms(now_ms: int) -> int:
    """Return the start of the slot that an instant lies in, epoch milliseconds."""
    return now_ms - now_ms % SLOT_MS


def seconds_left_in_slot(now_ms: int) -> int:
    """Return the whole seconds to the next slot, rounded up: 1 to `SLOT_S`."""
    return -(-(SLOT_MS - now_ms % SLOT_MS) // SECOND_MS)
