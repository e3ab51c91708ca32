"""Lambda `plan_quotes`: claim a slot and plan its jobs."""

from __future__ import annotations

from typing import Any

from marketdata.bootstrap import planner, wall_ms


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Plan the slot `{"slot": epoch seconds}`; see `marketdata.planning.Planner.plan`."""
    return planner().plan(int(event["slot"]), wall_ms())
