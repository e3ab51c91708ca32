"""The time of the simulated day, and its relation to real time.

The wall clock of the day does not move while a step runs; it is set forward between steps. So a day
takes only the time of its work. A call has a deadline, and for a provider that does not answer the
step waits in real time. The monotonic clock of the deadlines runs `PACE` times as fast as real
time, and the timeout of a sender is divided by `PACE`.
"""

from __future__ import annotations

import time

from marketdata.providers.contract import CallAllowance, Request, Response, Sender

# Fast enough that a provider that does not answer makes the day only a little longer. Slow enough
# that a provider that answers at once does not seem to hang on a busy machine: a first attempt has
# at least 2.1 s of the day, which is a second of real time.
PACE = 2.0


class DayClock:
    """The clock of the simulated day, epoch milliseconds. It is only set forward."""

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
