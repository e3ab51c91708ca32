"""The time of the simulated day, and its relation to real time.

The wall clock stands still while a step runs and is moved between steps, so a day takes as long as
its work. Only waiting is real: a call has a deadline, and a hanging provider uses all of that time.
The monotonic clock of the deadlines runs `PACE` times as fast as real time, and a sender waits for
the real equivalent of its timeout.
"""

from __future__ import annotations

import time

from marketdata.providers.contract import CallAllowance, Request, Response, Sender

# Fast enough that a hanging provider does not make the day much longer. Slow enough that a provider
# which answers at once does not seem to hang on a busy machine: a first attempt has at least 2.1 s
# of the day, which is a second of real time.
PACE = 2.0


class DayClock:
    """Epoch milliseconds of the simulated day; it is moved, never back."""

    def __init__(self, now_ms: int) -> None:
        self.now_ms = now_ms

    def __call__(self) -> int:
        """Return the time."""
        return self.now_ms

    def move_to(self, at_ms: int) -> None:
        """Move the clock to an instant, if that is later."""
        self.now_ms = max(self.now_ms, at_ms)


def steady_s() -> float:
    """Return seconds of the day for deadlines, from an arbitrary start."""
    return time.monotonic() * PACE


class PacedSender:
    """A sender whose timeouts are in seconds of the day."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender

    def warm(self) -> None:
        """Load what the first call needs."""
        self._sender.warm()

    def send(
        self, request: Request, timeout_s: float, allowance: CallAllowance | None = None
    ) -> Response:
        """Return the response; `timeout_s` is in seconds of the day."""
        return self._sender.send(request, timeout_s / PACE, allowance)
