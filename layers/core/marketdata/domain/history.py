"""The history of a symbol: the recorded prices as points in time.

One price a minute is kept for a day, and one an hour for thirty days. There is a gap where the
service had no price. The texts that hold the points are written by `cache/lua/history_rules.lua`.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType

from marketdata.clock import DAY_MS, HOUR_MS, MINUTE_MS, epoch_ms
from marketdata.domain.acceptance import may_be_negative
from marketdata.domain.changes import rounded_percent
from marketdata.domain.plausible import is_near
from marketdata.domain.quotes import ChangeBasis, Quote
from marketdata.domain.units import EXACT

# The minutes of a day, and some more, because a change over 24 hours looks a little further back.
MINUTES_KEPT = 24 * 60 + 10
HOURS_KEPT = 30 * 24
# A recorded price serves as that of 24 hours ago if its time differs by at most this.
DAY_AGO_TOLERANCE_MS = 5 * MINUTE_MS

_HEADER = re.compile(rb"[0-9]{16}")
_RECORD = re.compile(rb"(?:([0-9]{1,8}):)?(-?[0-9]{1,32}(?:\.[0-9]{1,32})?)")
# The service writes no text that is longer, so a longer one is damaged.
_MOST_BYTES = 128 * 1024


@dataclass(frozen=True, slots=True)
class Point:
    """One recorded price: the start of its minute or hour (epoch ms), and its exact text."""

    at_ms: int
    price: str


def read_points(text: bytes | None, step_ms: int) -> tuple[Point, ...]:
    """Return the points of a stored text, oldest first; no points if the text is not a history.

    `step_ms` is the length of a step: `MINUTE_MS` or `HOUR_MS`.
    """
    if text is None or len(text) > _MOST_BYTES or not _HEADER.match(text):
        return ()
    step, points = int(text[:8]), []
    for place, record in enumerate(text[16:].removeprefix(b";").split(b";")):
        match = _RECORD.fullmatch(record)
        if match is None:
            return ()
        if place:
            step += int(match[1] or 1)
        points.append(Point(step * step_ms, match[2].decode()))
    return tuple(points)


def price_near(points: Sequence[Point], at_ms: int, tolerance_ms: int) -> Decimal | None:
    """Return the recorded price that is nearest to an instant, None if none is near enough."""
    place = bisect_left(points, at_ms, key=lambda point: point.at_ms)
    near = [
        p for p in points[max(0, place - 1) : place + 1] if abs(p.at_ms - at_ms) <= tolerance_ms
    ]
    if not near:
        return None
    return Decimal(min(near, key=lambda point: abs(point.at_ms - at_ms)).price)


def needs_day_change(quote: Quote) -> bool:
    """Return whether the source of a quote gave neither a change nor a percentage."""
    return quote.change is None and quote.percent_change is None


def with_day_change(quote: Quote, minutes: Sequence[Point]) -> Quote:
    """Return the quote with its change against our recorded price of 24 hours before.

    The quote is returned as it is if no price was recorded within five minutes of that time, and
    if the recorded price is not plausible beside the price.
    """
    at_ms = epoch_ms(quote.fetched_at) - DAY_MS
    before = price_near(minutes, at_ms, DAY_AGO_TOLERANCE_MS)
    signed = may_be_negative(quote.symbol)
    if before is None or before <= 0 or not is_near(quote.price, before, signed=signed):
        return quote
    change = EXACT.subtract(quote.price, before)
    percent = rounded_percent(EXACT.divide(EXACT.multiply(change, Decimal(100)), before))
    # A percentage of 0 would contradict a change that is not 0.
    shown = None if percent == 0 and change != 0 else percent
    return replace(quote, change=change, percent_change=shown, change_basis=ChangeBasis.ROLLING_24H)


@dataclass(frozen=True, slots=True)
class Range:
    """One range of the history: its length and the time between two points, milliseconds."""

    length_ms: int
    step_ms: int


class HistoryRange(StrEnum):
    """How far back a history goes.

    Ranges up to a day have a point a minute, longer ones one an hour.
    """

    HOUR = "1h"
    SIX_HOURS = "6h"
    DAY = "24h"
    WEEK = "7d"
    MONTH = "30d"


RANGES: Mapping[str, Range] = MappingProxyType(
    {
        HistoryRange.HOUR: Range(HOUR_MS, MINUTE_MS),
        HistoryRange.SIX_HOURS: Range(6 * HOUR_MS, MINUTE_MS),
        HistoryRange.DAY: Range(DAY_MS, MINUTE_MS),
        HistoryRange.WEEK: Range(7 * DAY_MS, HOUR_MS),
        HistoryRange.MONTH: Range(30 * DAY_MS, HOUR_MS),
    }
)
