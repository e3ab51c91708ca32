"""Lambda `plan_quotes`: claim a slot and plan its jobs."""

from __future__ import annotations

from typing import Any

from marketdata.clock import wall_ms
from marketdata.composition import meter, planner
from marketdata.observability.logs import log_plan


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Plan the slot `{"slot": epoch seconds}`; see `marketdata.prices.planning.Planner.plan`."""
    now_ms = wall_ms()
    plan = planner().plan(int(event["slot"]), now_ms)
    log_plan(plan)
    meter().record_plan(plan, now_ms)
    return plan
