"""The reason of a missing quote as clients get it."""

from __future__ import annotations

from typing import Any

from marketdata.domain.outcomes import MissingQuote


def as_json(error: MissingQuote) -> dict[str, Any]:
    """Return an entry of `errors`."""
    shown: dict[str, Any] = {
        "symbol": error.symbol,
        "code": error.code.value,
        "message": error.message,
    }
    if error.retry_after_s is not None:
        shown["retry_after"] = error.retry_after_s
    if error.suggestions:
        shown["suggestions"] = list(error.suggestions)
    return shown
