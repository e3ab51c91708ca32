"""Lambda `plan_quotes`: claim a slot and plan its jobs."""

from __future__ import annotations

import os

from marketdata import composition
from marketdata.clock import wall_ms
from marketdata.domain.messages import EventJson, SlotEvent
from marketdata.observability.logs import lambda_handler, log_plan, read_event, step_fields

process = composition.start_process(os.environ)
stores = composition.connect_stores(process.settings, on_lambda=process.on_lambda)
planner = composition.make_planner(process, stores)
meter = composition.make_meter(process, stores)
if process.on_lambda:
    composition.warm_stores(stores)


def plan_quotes(event: EventJson, _context: object) -> EventJson:
    """Plan the slot of a `SlotEvent`; return a `Plan`."""
    asked = read_event(SlotEvent, event)
    fields = {"slot": asked.slot, "execution": asked.execution}
    with step_fields(process.logger, on_lambda=process.on_lambda, **fields) as known:
        now_ms = wall_ms()
        plan = planner.plan(asked.slot, now_ms, asked.execution)
        log_plan(plan)
        meter.record_plan(plan, now_ms, known)
        return plan.to_event()


handler = lambda_handler(process.logger, plan_quotes, on_lambda=process.on_lambda)
