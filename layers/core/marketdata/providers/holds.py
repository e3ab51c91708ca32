"""Holds: how long a provider is not called after a rate limit. Pure.

A hold lasts at least one second, and at most as long as the longest budget window.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from marketdata.clock import DAY_S
from marketdata.domain.budget import DEFAULT_HOLD_S
from marketdata.domain.quotes import Source
from marketdata.errors import RateLimitedError
from marketdata.providers.contract import Response

# No header may stop the calls to a provider for longer than its longest budget window.
LONGEST_HOLD_S = 31.0 * DAY_S
# Longer than every date of RFC 9110 and every number of seconds.
_LONGEST_HEADER = 64
_SECONDS = re.compile(r"\d{1,12}(\.\d{1,6})?", re.ASCII)


def rate_limited(
    source: Source,
    response: Response,
    now: datetime | None = None,
    default_s: float = DEFAULT_HOLD_S,
) -> RateLimitedError:
    """Return the error of an answer that says "too often"; `default_s` without a Retry-After."""
    hold_s = retry_after_s(response, now)
    hold_s = clamped_hold_s(default_s) if hold_s is None else hold_s
    return RateLimitedError(f"{source.value}: too many calls, next in {hold_s:.0f} s", hold_s)


def retry_after_s(response: Response, now: datetime | None = None) -> float | None:
    """Return the seconds that a Retry-After header asks for; None where there is no valid one.

    A date counts from the answer's own date, so that a difference of clocks does not matter.
    """
    text = response.headers.get("retry-after", "")[:_LONGEST_HEADER].strip()
    if _SECONDS.fullmatch(text):
        return clamped_hold_s(float(text))
    until, start = http_date(text), http_date(response.headers.get("date", "")) or now
    if until is None or start is None:
        return None
    return clamped_hold_s((until - start).total_seconds())


def clamped_hold_s(seconds: float) -> float:
    """Return seconds of a hold, at least one and at most `LONGEST_HOLD_S`."""
    return min(max(seconds, 1.0), LONGEST_HOLD_S)


def until_midnight_s(now: datetime) -> float:
    """Return the seconds from `now` to the next midnight UTC, when daily quotas start anew."""
    day = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return (day + timedelta(days=1) - now).total_seconds()


def until_next_month_s(now: datetime) -> float:
    """Return the seconds from `now` to the first midnight UTC of the next month."""
    first = now.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return ((first + timedelta(days=32)).replace(day=1) - now).total_seconds()


def http_date(text: str) -> datetime | None:
    """Return the time that a date in an HTTP header names, aware UTC; None for anything else."""
    if len(text) > _LONGEST_HEADER:
        return None
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return None
    return date.replace(tzinfo=UTC) if date.tzinfo is None else date.astimezone(UTC)
