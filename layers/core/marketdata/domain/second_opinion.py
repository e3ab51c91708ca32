"""Whether the next provider should be asked for a quote that has been fetched already.

The fetch step asks, so that a true jump or a stale source costs no second slot. Which price may be
believed is decided in the step that writes quotes.
"""

from __future__ import annotations

from marketdata.clock import epoch_ms
from marketdata.domain.acceptance import REPEAT_MS, is_ahead, is_jump, rejection_reason
from marketdata.domain.messages import LastPrice
from marketdata.domain.quotes import Quote
from marketdata.domain.staleness import is_old
from marketdata.domain.trading_hours import Trading


def needs_second_opinion(quote: Quote, last: LastPrice | None, trading: Trading) -> bool:
    """Return whether a quote will not be written, or not without another source.

    So is a quote that can never be right, one that is too old for its market, one that jumps, and
    one that is older than the stored one. `last` is the stored quote, None if there is none.
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
    # The stored price with a slightly older time confirms the stored quote.
    return behind_ms > (REPEAT_MS if quote.price == last.price else 0)
