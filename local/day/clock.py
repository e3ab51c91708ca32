"""The time of the simulated day, and how it relates to real time.

The wall clock stands still while a step runs and is moved between steps, so a day costs what its
work costs. Only waiting is real: a call has a deadline, and a provider that hangs uses it up. The
steady clock that deadlines are kept by therefore runs, `PACE` times as fast as real time, and a
sender gets the real equivalent of the time that it is given.
"""

from __future__ import annotations

import time

from marketdata.providers.contract import CallAllowance, Request, Response, Sender

# Fast enough that a hanging provider does not hold up the day, and slow enough that a provider
# which answers at once is not taken for a hanging one on a busy machine: a first attempt, which
# has at least 2.1 s of the day, keeps a second of real time.
PACE = 2.0


class DayClock:
    """Epoch milliseconds of the simulated day; it is moved, never back."""

    def __init__(self, now_ms: int) -> None:
        self.now_ms = now_ms

    def __call__(self) -> int:
        """What time it is."""
        return self.now_ms

    def move_to(self, at_ms: int) -> None:
        """Let the day go on to an instant, if that is not past."""
        self.now_ms = max(self.now_ms, at_ms)


def steady_s() -> float:
    """Seconds of the day for waiting, from an arbitrary start."""
    return time.monotonic() * PACE


class PacedSender:
    """A sender whose time limits are of the day."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender

    def warm(self) -> None:
        """Load what the first call would load."""
        self._sender.warm()

    def send(
        self, request: Request, timeout_s: float, allowance: CallAllowance | None = None
    ) -> Response:
        """Return the response; `timeout_s` is in seconds of the day."""
        return self._sender.send(request, timeout_s / PACE, allowance)
