"""Signals that end a process. The first one interrupts the main thread; later ones do nothing.

Several signals may arrive at once: Linux sends one to a child for each thread of a killed parent.
So a handler must not take a lock. For example, a handler that sets an event can be interrupted by
the next signal while it has the lock of the event. Then it waits for itself for ever.
"""

from __future__ import annotations

import signal
from collections.abc import Callable


def interrupted_by(*numbers: signal.Signals) -> Callable[[], None]:
    """Have the first of these signals raise `KeyboardInterrupt` in the main thread.

    Call the returned function when no signal may interrupt any more.
    """
    over: list[bool] = []

    def end(*_: object) -> None:
        if not over:
            over.append(True)
            raise KeyboardInterrupt

    for number in numbers:
        signal.signal(number, end)
    return lambda: over.append(True)
