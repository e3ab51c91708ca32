"""Stored reasons: why a symbol has no quote, or which held prices wait for a confirmation.

Pure: bytes to values and back. A value that cannot be read is None.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from marketdata.domain.outcomes import MissingQuote, Reason
from marketdata.domain.quotes import Source

# A reason with more bytes is damaged, and so are the held prices of a symbol with more bytes.
MOST_REASON_BYTES = 20_000


def reason_text(missing: MissingQuote) -> str:
    """Return a reason as it is stored."""
    record = {"code": missing.code.value, "message": missing.message}
    wait_s = missing.retry_after_s
    return json.dumps(record if wait_s is None else {**record, "retry_after": wait_s})


def reason_of(symbol: str, text: bytes) -> MissingQuote | None:
    """Return a stored reason; None if it cannot be read."""
    if len(text) > MOST_REASON_BYTES:
        return None
    try:
        stored = json.loads(text)
        wait_s = stored.get("retry_after")
        return MissingQuote(
            symbol,
            Reason(stored["code"]),
            _text(str(stored["message"])),
            None if wait_s is None else max(1, int(wait_s)),
        )
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError):
        return None


def held_reason(symbol: str, text: bytes) -> MissingQuote | None:
    """Return the held prices of a symbol as a reason; None if they cannot be read."""
    if len(text) > MOST_REASON_BYTES:
        return None
    try:
        prices = _text(
            ", ".join(
                f"{Source(source).value} says {_amount(held)}, the stored price is "
                f"{held['stored']} ({held['reason'].replace('_', ' ')})"
                for source, held in sorted(json.loads(text).items())
            )
        )
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
    message = f"a price waits for its confirmation: {prices}"
    return MissingQuote(symbol, Reason.QUARANTINED, message) if prices else None


def _text(text: str) -> str:
    """Return the text. Raise ValueError if it has half of a surrogate pair.

    JSON can contain such a half as an escape, but an answer in UTF-8 cannot.
    """
    text.encode()
    return text


def _amount(held: Mapping[str, Any]) -> str:
    return " ".join(filter(None, (held["price"], held["currency"])))
