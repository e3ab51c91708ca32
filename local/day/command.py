"""`python -m local day`: simulate a day. An error of the machine or its setup is one line."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

from local.day.run import run_day
from local.service.environment import home
from local.service.redis_server import RedisMissingError
from local.service.terminal import CannotStartError


def day(seed: int, hours: float) -> int:
    """Simulate a day; return 0 if all figures met their targets, 1 if not, 2 if it did not run."""
    try:
        with _ended_like_ctrl_c():
            return run_day(seed, hours, results_file(seed, hours))
    except KeyboardInterrupt:
        print("stopped")
    except (CannotStartError, RedisMissingError) as error:
        print(f"error: {error}", file=sys.stderr)
    return 2


def results_file(seed: int, hours: float) -> Path:
    """Return the file for the figures of a day."""
    return home(os.environ) / ".local" / "day" / f"seed-{seed}-{hours:g}h.json"


@contextlib.contextmanager
def _ended_like_ctrl_c() -> Iterator[None]:
    """Let SIGTERM and SIGHUP end the day as Ctrl-C does, with all processes that it started."""
    before = {
        number: signal.signal(number, signal.default_int_handler)
        for number in (signal.SIGTERM, signal.SIGHUP)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
