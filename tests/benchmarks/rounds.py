"""Measures functions side by side: one after the other in each round, on the same machine.

A machine that is busy for a while slows all functions of a round alike. The ratio within a round
is therefore steadier than a time, and the median of the ratios is reported.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median, quantiles
from typing import Any


@dataclass(frozen=True)
class Spread:
    """The median of many measurements, and the bounds of the middle four fifths."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Return the spread of at least one value."""
        if len(values) == 1:
            return cls(values[0], values[0], values[0])
        tenths = quantiles(values, n=10, method="inclusive")
        return cls(median(values), tenths[0], tenths[-1])

    def to_json(self) -> dict[str, float]:
        """Return plain JSON."""
        return {"median": self.median, "p10": self.low, "p90": self.high}


@dataclass(frozen=True)
class Race:
    """The result of a race: seconds of each function in each round, in the same order."""

    seconds: Mapping[str, Sequence[float]]

    def spread(self, name: str) -> Spread:
        """Return how long a function took."""
        return Spread.of(self.seconds[name])

    def ratio(self, name: str, yardstick: str) -> Spread:
        """Return how many times as long as `yardstick` a function took, round by round."""
        pairs = zip(self.seconds[name], self.seconds[yardstick], strict=True)
        return Spread.of([one / other for one, other in pairs])


def race(
    contenders: Mapping[str, Callable[[], Any]], rounds: int, *, calls: int = 1, warm_up: int = 1
) -> Race:
    """Run each function `calls` times in every round; a time is of one call.

    The order changes with each round, so that no function always follows the same one.
    """
    names = list(contenders)
    seconds: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(warm_up):
        for run in contenders.values():
            run()
    gc.collect()
    for number in range(rounds):
        shift = number % len(names)
        for name in names[shift:] + names[:shift]:
            seconds[name].append(_timed(contenders[name], calls))
    return Race(seconds)


def _timed(run: Callable[[], Any], calls: int) -> float:
    began = time.perf_counter()
    for _ in range(calls):
        run()
    return (time.perf_counter() - began) / calls
