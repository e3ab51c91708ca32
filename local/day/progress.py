"""Shows the progress of the day: a moving bar in a terminal, a few lines elsewhere."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TextIO

WIDTH = 32
BAR_EVERY_S = 0.25
LINES = 12  # in all, where the bar cannot move


class Progress:
    """Shows how much of a span (epoch ms) is done, on a stream."""

    def __init__(self, start_ms: int, end_ms: int, stream: TextIO) -> None:
        self._start_ms, self._span_ms = start_ms, end_ms - start_ms
        self._stream = stream
        self._moves = stream.isatty()
        self._began_s = time.monotonic()
        self._shown_s = 0.0
        self._lines = 0

    def at(self, now_ms: int) -> None:
        """Show the progress, if enough has changed."""
        done, now_s = (now_ms - self._start_ms) / self._span_ms, time.monotonic()
        if self._moves and now_s - self._shown_s >= BAR_EVERY_S:
            self._shown_s = now_s
            self._stream.write(f"\r{self._line(now_ms, done, now_s)}")
            self._stream.flush()
        elif not self._moves and done * LINES >= self._lines:
            self._lines += 1
            self._stream.write(f"{self._line(now_ms, done, now_s)}\n")
            self._stream.flush()

    def end(self) -> None:
        """Remove the bar."""
        if self._moves:
            self._stream.write("\r\033[K")
            self._stream.flush()

    def _line(self, now_ms: int, done: float, now_s: float) -> str:
        bar = ("#" * round(WIDTH * done)).ljust(WIDTH, ".")
        spent_s = now_s - self._began_s
        left = f", {spent_s / done - spent_s:.0f} s left" if done > 0.01 else ""
        time_of_day = datetime.fromtimestamp(now_ms / 1000, UTC)
        return f"{time_of_day:%H:%M}  [{bar}] {100 * done:3.0f} %  {spent_s:.0f} s{left}   "
