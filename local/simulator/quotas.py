"""Quotas as the providers count: exact rolling windows by the market's clock."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from marketdata.domain.budget import Limit


class _Window:
    """One limit with the arrivals of its window."""

    def __init__(self, limit: Limit) -> None:
        self.limit = limit
        self.peak = 0
        self._served: deque[int] = deque()
        self._arrived: deque[int] = deque()

    def used(self, now_ms: int) -> int:
        self._forget(self._served, now_ms)
        return len(self._served)

    def arrive(self, now_ms: int) -> None:
        self._arrived.append(now_ms)
        self._forget(self._arrived, now_ms)
        self.peak = max(self.peak, len(self._arrived))

    def serve(self, now_ms: int) -> None:
        self._served.append(now_ms)

    def frees_in_ms(self, now_ms: int) -> int:
        if self.used(now_ms) < self.limit.calls:
            return 0
        return self._served[0] + self.limit.window_ms - now_ms

    def _forget(self, times: deque[int], now_ms: int) -> None:
        horizon = now_ms - self.limit.window_ms
        while times and times[0] <= horizon:
            times.popleft()


class Quota:
    """One provider's quota. `violations` counts the calls that came beyond it.

    A call beyond the quota uses nothing of the quota, but counts in the peaks. So a peak above its
    limit shows that a client called too often.
    """

    def __init__(self, limits: Sequence[Limit]) -> None:
        self.limits = tuple(limits)
        self.violations = 0
        self._windows = {limit.window: _Window(limit) for limit in limits}

    def admit(self, now_ms: int) -> Limit | None:
        """Count one arrival; return the longest limit that it exceeds, or None."""
        for window in self._windows.values():
            window.arrive(now_ms)
        full = [
            window.limit
            for window in self._windows.values()
            if window.used(now_ms) >= window.limit.calls
        ]
        if full:
            self.violations += 1
            return max(full, key=lambda limit: limit.window_ms)
        for window in self._windows.values():
            window.serve(now_ms)
        return None

    def used(self, window: str, now_ms: int) -> int:
        """Return the number of calls served in the window that ends now."""
        return self._windows[window].used(now_ms)

    def frees_in_ms(self, window: str, now_ms: int) -> int:
        """Return the milliseconds until the window admits a call; 0 if it admits one now."""
        return self._windows[window].frees_in_ms(now_ms)

    def peaks(self) -> dict[str, int]:
        """Return the highest number of arrivals in each window."""
        return {name: window.peak for name, window in self._windows.items()}
