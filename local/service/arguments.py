"""Readers of numbers on the command line. Their errors name the value and what is allowed."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TypeVar

from marketdata import setting_types

_T = TypeVar("_T")


def int_between(low: int, high: int) -> Callable[[str], int]:
    """Return a reader of whole numbers from `low` to `high`."""
    return _argument(setting_types.int_between(low, high))


def float_between(low: float, high: float, also: float | None = None) -> Callable[[str], float]:
    """Return a reader of numbers from `low` to `high`, and of the number `also`."""

    def read(text: str) -> float:
        allowed = f"a number from {low:g} to {high:g}"
        if also is not None:
            allowed += f", or {also:g}"
        try:
            number = float(text)
        except ValueError:
            raise ValueError(allowed) from None
        if number != also and not low <= number <= high:  # true for NaN, too
            raise ValueError(allowed)
        return number

    return _argument(read)


def _argument(read: Callable[[str], _T]) -> Callable[[str], _T]:
    """Return a reader whose error text argparse shows."""

    def read_argument(text: str) -> _T:
        try:
            return read(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(f"{text!r} is not allowed; allowed: {error}") from None

    return read_argument
