"""The notices that Alpha Vantage sends instead of data, all of them with status 200.

The order of the checks matters: the notice about calls that came too fast also mentions the daily
quota and premium endpoints. One notice contains the key, so no notice is ever shown.
"""

from __future__ import annotations

from datetime import datetime

from marketdata.clock import DAY_S
from marketdata.domain.budget import DEFAULT_HOLD_S
from marketdata.domain.quotes import Source
from marketdata.errors import (
    BadPayloadError,
    NotEntitledError,
    ProviderError,
    UnauthorizedError,
)
from marketdata.providers.answers import JsonObject
from marketdata.providers.contract import Response
from marketdata.providers.holds import http_date, rate_limited, until_midnight_s

BURST_HOLD_S = 2.0
_MOST_CHARS = 2000  # characters of a notice that are read: its meaning is in its first sentences
_NAME = Source.ALPHA_VANTAGE.value


def is_unknown(body: JsonObject) -> bool:
    """Return whether an answer calls the parameters invalid, which means the symbol."""
    return "invalid api call" in _text(body, "Error Message")


def notice(body: JsonObject, response: Response, now: datetime | None) -> ProviderError | None:
    """Return the error that an answer's notice means; None for an answer without one.

    `now` counts to the end of a spent day; without it the answer's own date does.
    """
    error: ProviderError | None = None
    if text := _text(body, "Information"):
        error = _information(text, response, now)
    elif _text(body, "Note"):  # the notice of earlier years, a limit by the minute
        error = rate_limited(Source.ALPHA_VANTAGE, response, now, DEFAULT_HOLD_S)
    elif text := _text(body, "Error Message"):
        error = BadPayloadError(f"{_NAME}: an error message instead of data")
        if "apikey" in text:
            error = UnauthorizedError(f"{_NAME}: the key is not accepted")
    elif text := _text(body, "message"):  # an answer with this notice has invented sample data
        error = BadPayloadError(f"{_NAME}: a message instead of data")
        if "premium" in text:
            error = NotEntitledError(f"{_NAME}: a premium endpoint")
    return error


def spelled_notice(row: list[str], response: Response) -> ProviderError | None:
    """Return the error of a row that spells a notice, one letter a column; None otherwise."""
    word = "".join(row)
    if len(row) < 2 or any(len(cell) != 1 for cell in row):
        return None
    if any(title.startswith(word) for title in ("Information", "Note")):
        return rate_limited(Source.ALPHA_VANTAGE, response, None, DEFAULT_HOLD_S)
    if "Error Message".startswith(word):
        return BadPayloadError(f"{_NAME}: an error message instead of data")
    return None


def _information(text: str, response: Response, now: datetime | None) -> ProviderError:
    if "request per second" in text or "sparingly" in text:
        return rate_limited(Source.ALPHA_VANTAGE, response, now, BURST_HOLD_S)
    if "per day" in text:
        at = now or http_date(response.headers.get("date", ""))
        hold_s = until_midnight_s(at) if at else DAY_S
        return rate_limited(Source.ALPHA_VANTAGE, response, now, hold_s)
    if "premium endpoint" in text:
        return NotEntitledError(f"{_NAME}: a premium endpoint")
    if "demo purposes" in text:
        return NotEntitledError(f"{_NAME}: the demo key is for its fixed examples only")
    return rate_limited(Source.ALPHA_VANTAGE, response, now, DEFAULT_HOLD_S)


def _text(body: JsonObject, name: str) -> str:
    text = body.get(name)
    return text[:_MOST_CHARS].strip().lower() if isinstance(text, str) else ""
