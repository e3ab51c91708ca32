"""Whether a quote should be confirmed by the next provider while it can be asked anyway.

This is a courtesy of the fetching step, so that a true jump or a lagging source costs no second
slot; what may be believed is decided where quotes are written.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from marketdata.acceptance import JUMP_LIMITS, epoch_ms
from marketdata.quotes import Quote


def needs_second_look(quote: Quote, last: Mapping[str, Any] | None) -> bool:
    """Whether a quote jumps against the last one, or is older than it.

    `last` is `{price, timestamp_ms}` of the stored quote, None where there is none.
    """
    if last is None:
        return False
    before = Decimal(last["price"])
    if abs(quote.price - before) > Decimal(str(JUMP_LIMITS[quote.asset_class])) * before:
        return True
    if quote.timestamp is None or last["timestamp_ms"] is None:
        return False
    return epoch_ms(quote.timestamp) < int(last["timestamp_ms"])
