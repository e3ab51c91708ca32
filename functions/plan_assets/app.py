"""Lambda `plan_assets`: reserve the calls of a refresh of the asset lists."""

from __future__ import annotations

import os

from marketdata import composition
from marketdata.clock import wall_ms
from marketdata.domain.list_messages import RefreshEvent
from marketdata.domain.messages import EventJson
from marketdata.observability.logs import lambda_handler, read_event, step_fields

process = composition.start_process(os.environ)
stores = composition.connect_stores(process.settings, on_lambda=process.on_lambda)
planner = composition.make_asset_planner(process, stores)
if process.on_lambda:
    composition.warm_stores(stores)


def plan_assets(event: EventJson, _context: object) -> EventJson:
    """Plan a refresh for a `RefreshEvent`; return an `AssetPlan`."""
    asked = read_event(RefreshEvent, event)
    with step_fields(process.logger, on_lambda=process.on_lambda, execution=asked.execution):
        return planner.plan(wall_ms(), asked.execution).to_event()


handler = lambda_handler(process.logger, plan_assets, on_lambda=process.on_lambda)
