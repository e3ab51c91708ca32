"""How many symbols clients may have watched, and for how long."""

from __future__ import annotations

from marketdata.clock import MINUTE_MS, SLOT_S

WATCHED_MS = 15 * MINUTE_MS
WATCHED_MOST = 500
# At most `UNLISTED_MOST` watched symbols are in no asset list. In a slot at least `LEAST_UNLISTED`
# of them may be priced for the first time.
UNLISTED_MOST, LEAST_UNLISTED = WATCHED_MOST // 10, 5
# After this time every unlisted symbol that waits now has been looked for, so others have a place.
UNLISTED_WAIT_S = UNLISTED_MOST // LEAST_UNLISTED * SLOT_S
# A symbol that no provider knows is not due for longer than this.
ANSWERED_MS = 10 * MINUTE_MS
