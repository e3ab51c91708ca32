"""Numbers on the command line: one that is not allowed is named, with what is."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TypeVar

_N = TypeVar("_N", int, float)


def whole(low: int, high: int) -> Callable[[str], int]:
    """A reader of whole numbers within two bounds, both included."""
    return lambda text: _within(int, text, low, high, f"a whole number from {low:,} to {high:,}")


def real(low: float, high: float) -> Callable[[str], float]:
    """A reader of numbers within two bounds, both included."""
    return lambda text: _within(float, text, low, high, f"a number from {low:g} to {high:g}")


def _within(kind: Callable[[str], _N], text: str, low: _N, high: _N, allowed: str) -> _N:
    try:
        number = kind(text)
    except ValueError:
        number = None
    if number is None or not low <= number <= high:  # which leaves NaN out, too
        raise argparse.ArgumentTypeError(f"{text!r} is not allowed; allowed: {allowed}")
    return number
