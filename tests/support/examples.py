"""How many examples hypothesis makes.

A usual run makes few, so that the tests stay quick. TEST_EXAMPLES=10 makes ten times as many.
"""

from __future__ import annotations

import os

from hypothesis import settings

TIMES = int(os.environ.get("TEST_EXAMPLES", "1"))


def examples(count: int) -> int:
    """The number of examples of a test of which a usual run makes `count`."""
    return count * TIMES


def use_few() -> None:
    """Set the number of examples of tests that have no number. No example has a time limit."""
    settings.register_profile("usual", max_examples=examples(50), deadline=None)
    settings.load_profile("usual")
