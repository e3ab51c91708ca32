"""Whether a quote should be confirmed by the next provider while it can be asked anyway.

This is a courtesy of the fetching step, so that a true jump or a stale source costs no second
slot; what may be believed is decided where quotes are written.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from marketdata.clock import epoch_ms
from marketdata.domain.acceptance import REPEAT_MS, is_jump
from marketdata.domain.quotes import Quote
from marketdata.domain.staleness import is_old
from marketdata.domain.trading_hours import Trading


def needs_second_look(quote: Quote, last: Mapping[str, Any] | None, trading: Trading) -> bool:
    """Whether a quote is too old for its open market, or jumps against the last one, or is older.

    `last` is `{price, timestamp_ms}` of the stored quote, None where there is none.
    """
    if is_old(quote, trading):
        return True
    if last is None:
        return False
    before = Decimal(last["price"])
    if is_jump(quote.price, before, quote.asset_class):
        return True
    if quote.timestamp is None or last["timestamp_ms"] is None:
        return False
    behind_ms = int(last["timestamp_ms"]) - epoch_ms(quote.timestamp)
    # The stored price with a slightly older time confirms the stored quote.
    return behind_ms > (REPEAT_MS if quote.price == before else 0)
