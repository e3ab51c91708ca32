"""`python -m local day`: a day, with what can be wrong with the machine told in one line."""

from __future__ import annotations

import contextlib
import signal
import sys
from collections.abc import Iterator

from local.day.run import run_day
from local.service.redis_server import RedisMissingError
from local.service.terminal import CannotStartError


def day(seed: int, hours: float) -> int:
    """Simulate a day; 0 if every figure met its target, 1 if one missed it, 2 if it did not run."""
    try:
        with _ended_like_ctrl_c():
            return run_day(seed, hours)
    except KeyboardInterrupt:
        print("stopped")
    except (CannotStartError, RedisMissingError) as error:
        print(f"error: {error}", file=sys.stderr)
    return 2


@contextlib.contextmanager
def _ended_like_ctrl_c() -> Iterator[None]:
    """What `kill` sends, and a terminal that is closed, end the day with all that it started."""
    before = {
        number: signal.signal(number, signal.default_int_handler)
        for number in (signal.SIGTERM, signal.SIGHUP)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
