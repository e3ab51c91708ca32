"""Times as the API writes them."""

from __future__ import annotations

from datetime import UTC, datetime

from marketdata.clock import parse_utc, utc_text


def epoch_ms(text: str) -> int:
    """A time as the API writes it, in milliseconds since 1970."""
    return round(parse_utc(text).timestamp() * 1000)


def shown(at_ms: int) -> str:
    """A time as the API writes it."""
    return utc_text(datetime.fromtimestamp(at_ms / 1000, UTC))
