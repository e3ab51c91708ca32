"""How a process is told to end: the first signal interrupts whatever runs, the rest do nothing.

Several may come at once: Linux sends one to a child for each thread of a parent that is killed. So
nothing may be locked here: a handler that sets an event can be interrupted by the next one while
it holds the event's lock, and then waits for itself for ever.
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
