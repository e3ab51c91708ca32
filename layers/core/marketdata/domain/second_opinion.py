"""Whether the next provider should be asked about a symbol that has a quote already.

The fetch step asks the next provider in the same slot, so that a true jump or a stale source does
not cost another slot. The commit step decides which price is accepted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from marketdata.clock import epoch_ms
from marketdata.domain.acceptance import REPEAT_MS, is_ahead, is_jump, rejection_reason
from marketdata.domain.quotes import Quote
from marketdata.domain.staleness import is_old
from marketdata.domain.trading_hours import Trading

if TYPE_CHECKING:
    from marketdata.domain.messages import LastPrice


def needs_second_opinion(quote: Quote, last: LastPrice | None, trading: Trading) -> bool:
    """Return whether a quote cannot be written, or only if another source confirms it.

    That is a quote that can never be right, one that is too old for its market, one that jumps, or
    one that is older than the stored quote. `last` is the stored quote, None if there is none.
    """
    if rejection_reason(quote) is not None or is_ahead(quote) or is_old(quote, trading):
        return True
    if last is None:
        return False
    if is_jump(quote.price, last.price, quote.asset_class):
        return True
    if quote.timestamp is None or last.timestamp_ms is None:
        return False
    behind_ms = last.timestamp_ms - epoch_ms(quote.timestamp)
    # The same price with a slightly older time confirms the stored quote.
    return behind_ms > (REPEAT_MS if quote.price == last.price else 0)
