"""Signals that end a process: the first one interrupts the main thread, the others do nothing.

Several signals may arrive at once: Linux sends one to a child for each thread of a killed parent.
So a handler must not take a lock. For example, a handler that sets an event can be interrupted by
the next signal while it has the lock of the event, and then waits for itself for ever.
"""

from __future__ import annotations

import signal
from collections.abc import Callable


def interrupted_by(*numbers: signal.Signals) -> Callable[[], None]:
    """Have the first of these signals raise `KeyboardInterrupt` in the main thread.

    The answer is to be called where not even a first one may interrupt any more.
    """
    over: list[bool] = []

    def end(*_: object) -> None:
        if not over:
            over.append(True)
            raise KeyboardInterrupt

    for number in numbers:
        signal.signal(number, end)
    return lambda: over.append(True)
