"""One day: start what it needs, run it, judge it, print its table."""

from __future__ import annotations

import contextlib
import logging
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from local.day import report
from local.day.clock import DayClock
from local.day.driver import Driver
from local.day.figures import Course, figures
from local.day.judge import Judge
from local.day.parts import Service, day_settings, empty_redis, memory_of, running_service
from local.day.progress import Progress
from local.day.script import Planned, Script, write_script
from local.simulator import MOVES, Market, MarketServers
from marketdata.clock import HOUR_MS
from marketdata.observability.logs import ROOT

WORKERS = 8


def run_day(seed: int, hours: float, results: Path) -> int:
    """Run a day and print its table; return 1 if a figure missed its target, else 0.

    The figures are written to the file `results` as JSON. Raise ValueError for hours that no script
    is made for, `RedisMissingError` or `CannotStartError` if there is no Redis.
    """
    script, began_s = write_script(seed, hours), time.monotonic()
    clock, rng = DayClock(script.start_ms), random.Random(f"driver {seed}")
    with contextlib.ExitStack() as at_end:
        defects = at_end.enter_context(_counted_defects())
        folder = Path(at_end.enter_context(tempfile.TemporaryDirectory(prefix="market-day-")))
        port = at_end.enter_context(empty_redis())
        market = at_end.enter_context(MarketServers(clock=clock, seed=seed, always_open=False))
        for planned in script.planned:
            plant(market, planned, script.start_ms)
        judge = Judge(market, script)
        settings = day_settings(market, port, folder, hours)
        service = at_end.enter_context(running_service(settings, clock, WORKERS, judge.store))
        judge.reader = service.reader
        pool = at_end.enter_context(ThreadPoolExecutor(WORKERS, thread_name_prefix="worker"))
        memory = _drive(Driver(service, clock, judge, script, rng, pool), service, script)
        course = Course(seed, hours, time.monotonic() - began_s, memory, defects.errors)
    found = figures(judge, market, script, course)
    results.parent.mkdir(parents=True, exist_ok=True)
    results.write_text(report.as_json(found, judge, market, script, course) + "\n")
    print(report.table(found, judge, market, script, course))
    print(f"\nThe same figures as JSON, and more: {results}", flush=True)
    return 0 if all(figure.met for figure in found) else 1


def plant(market: Market, planned: Planned, now_ms: int) -> None:
    """Plant a planned fault or move in the market."""
    options = dict(planned.options)
    if planned.symbol is not None:
        options["symbol"] = planned.symbol
    if planned.kind in MOVES:
        market.control(planned.kind, at_ms=planned.from_ms, **options)
        return
    if planned.source is not None:
        options["provider"] = planned.source.value
    market.control(
        planned.kind,
        start_in_s=(planned.from_ms - now_ms) / 1000,
        duration_s=(planned.until_ms - planned.from_ms) / 1000,
        **options,
    )


def _drive(driver: Driver, service: Service, script: Script) -> list[tuple[int, int]]:
    """Run the day; return the keys and bytes of Redis at the end of each hour."""
    memory: list[tuple[int, int]] = []
    progress = Progress(script.start_ms, script.end_ms, sys.stdout)

    def tell(slot_ms: int) -> None:
        if (slot_ms - script.start_ms) // HOUR_MS > len(memory):
            memory.append(memory_of(service.cache))
        progress.at(slot_ms)

    driver.run(tell)
    progress.end()
    return [*memory, memory_of(service.cache)]


class _Defects(logging.Handler):
    """Counts our log records with a traceback; failures of providers have none."""

    def __init__(self) -> None:
        super().__init__()
        self.errors = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Count a record."""
        if record.exc_info:
            self.errors += 1


@contextlib.contextmanager
def _counted_defects() -> Iterator[_Defects]:
    """Count the defects in our logs, which are not shown."""
    handler, logger = _Defects(), logging.getLogger(ROOT)
    logger.addHandler(handler)
    try:
        yield handler
    finally:
        logger.removeHandler(handler)
