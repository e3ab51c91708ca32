"""One real minute of the loop: the api's answers in each slot."""

from __future__ import annotations

import json
import math
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from marketdata.clock import parse_utc
from marketdata.domain.quotes import Source
from tests.deployment.api import Answer, ask, quotes
from tests.deployment.sam import Deployed
from tests.infrastructure.stack import ROOT
from tests.support.jobs import granted

SLOT_S = 5
SLOTS = 12
CLASSES = 3  # each slot has a job of each class
# The first reading of a slot, and the time between two readings.
FIRST_LOOK_S = 0.7
LOOK_S = 0.2
WARM_S = 100
# The longest time that an execution runs after its last slot.
REST_S = 15

Quotes = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Minute:
    """A minute: its start in epoch seconds, the last reading of each slot, and the executions.

    `health`: the answer of /health right after the last slot.
    """

    start_s: int
    symbols: tuple[str, ...]
    readings: dict[int, Quotes]
    health: Answer
    executions: tuple[dict[str, Any], ...]

    @property
    def slots(self) -> list[int]:
        """The starts of the slots in epoch seconds."""
        return [self.start_s + SLOT_S * number for number in range(SLOTS)]


def next_minute_s() -> int:
    """Return the start of the next minute in epoch seconds."""
    return math.ceil(time.time() / 60) * 60


def scheduled(minute_s: int) -> str:
    """Return a minute in the form that the scheduler passes to the loop."""
    return datetime.fromtimestamp(minute_s, UTC).strftime("%Y-%m-%dT%H:%M:00Z")


def warm(stack: Deployed) -> None:
    """Start every function, and run the loop until one slot has every price.

    Functions start cold here as on AWS, but several at once on one machine, and those with
    yfinance take longer than a slot. So each function that runs at once first gets a job with
    enough time: the sample of `events/`, for a stock. Then the loop runs for the rest of this
    minute, and for the next one if needed.
    """
    pool = ThreadPoolExecutor(CLASSES)
    try:
        for report in pool.map(stack.invoke, ["FetchQuotes"] * CLASSES, [_job()] * CLASSES):
            assert [quote["symbol"] for quote in report["quotes"]] == ["AAPL"], report
    finally:
        pool.shutdown(wait=False)  # after Ctrl-C no answer is waited for
    symbols, end, started = _active(stack), time.monotonic() + WARM_S, 0
    while time.monotonic() < end:
        minute_s = next_minute_s() - 60
        if minute_s != started:
            _start_twice(stack, minute_s - 60)
            started = minute_s
        slot = int(time.time()) // SLOT_S * SLOT_S
        if _is_whole(_read_until_whole(stack, symbols, slot), symbols, slot):
            return
    raise AssertionError(f"no slot had every price within {WARM_S} s")


def run_slot(stack: Deployed) -> None:
    """Work through the present slot by calling the steps one after the other."""
    plan = stack.invoke("PlanQuotes", {"slot": int(time.time()) // SLOT_S * SLOT_S})
    assert plan["jobs"], plan
    for job in plan["jobs"]:
        late = {**job, "deadline_ms": job["deadline_ms"] + REST_S * 1000}  # functions start cold
        stack.invoke("CommitQuotes", stack.invoke("FetchQuotes", late))


def watch(stack: Deployed, tell: Callable[[str, str], None]) -> Minute:
    """Start the loop for the next minute, and read the api in each of its slots.

    The loop is started twice, because the scheduler only promises to start it at least once.
    """
    symbols, start_s = _active(stack), next_minute_s()
    executions = _start_twice(stack, start_s - 60)
    tell("loop", f"started twice, for the minute from {datetime.fromtimestamp(start_s, UTC):%H:%M}")
    readings = {}
    for slot in range(start_s, start_s + 60, SLOT_S):
        readings[slot] = _read_until_whole(stack, symbols, slot)
        late_s = time.time() - slot
        whose = Counter(quote["source"] for quote in _fresh(readings[slot], slot).values())
        counts = ", ".join(f"{source} {count}" for source, count in sorted(whose.items()))
        at = datetime.fromtimestamp(slot, UTC)
        tell(f"{at:%H:%M:%S}", f"  {whose.total()} prices: {counts}, read after {late_s:.1f} s")
    health = ask(stack, "/health")
    ended = tuple(stack.finished(execution, REST_S) for execution in executions)
    return Minute(start_s, symbols, readings, health, ended)


def _start_twice(stack: Deployed, minute_s: int) -> list[str]:
    return [stack.start("PriceLoop", scheduled=scheduled(minute_s)) for _ in range(2)]


def _read_until_whole(stack: Deployed, symbols: tuple[str, ...], slot: int) -> Quotes:
    """Return the reading of a slot in which all prices are new, else its last reading."""
    time.sleep(max(0, slot + FIRST_LOOK_S - time.time()))
    found: Quotes = {}
    while not _is_whole(found, symbols, slot) and time.time() < slot + SLOT_S - LOOK_S:
        time.sleep(LOOK_S if found else 0)
        found = quotes(stack, ",".join(symbols))
    time.sleep(0 if _is_whole(found, symbols, slot) else max(0, slot + SLOT_S - time.time()))
    return found


def _is_whole(found: Quotes, symbols: tuple[str, ...], slot: int) -> bool:
    return _fresh(found, slot).keys() == set(symbols)


def _fresh(found: Quotes, slot: int) -> Quotes:
    """Return the quotes that were fetched in a slot."""
    return {
        symbol: quote
        for symbol, quote in found.items()
        if slot <= parse_utc(quote["fetched_at"]).timestamp() < slot + SLOT_S
    }


def _job() -> dict[str, Any]:
    sample = (ROOT / "events" / "fetch_quotes__crypto.json").read_text(encoding="utf-8")
    job = json.loads(sample)
    attempt = granted(Source.YFINANCE, 1)
    stock = {"symbol": "AAPL", "ids": {}}
    return {**job, "asset_class": "stocks", "instruments": [stock], "attempts": [attempt]}


def _active(stack: Deployed) -> tuple[str, ...]:
    """Return the symbols that the deployed function prices."""
    return tuple(
        stack.function("PlanQuotes")["Environment"]["Variables"]["ACTIVE_SYMBOLS"].split(",")
    )
