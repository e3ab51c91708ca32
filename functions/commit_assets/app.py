"""Lambda `commit_assets`: store a merged list, or keep the old list if that is better."""

from __future__ import annotations

import os

from marketdata import composition
from marketdata.clock import wall_ms
from marketdata.domain.list_messages import AssetReport
from marketdata.domain.messages import EventJson
from marketdata.observability.logs import lambda_handler, read_event, step_fields

process = composition.start_process(os.environ)
stores = composition.connect_stores(process.settings)
committer = composition.make_asset_committer(process, stores)
if process.on_lambda:
    composition.warm_stores(stores)
    composition.warm_archive(committer.archive)


def commit_assets(event: EventJson, _context: object) -> EventJson:
    """Commit an `AssetReport`; return an `AssetSummary`."""
    report = read_event(AssetReport, event)
    fields = {"list": report.of_class.value, "execution": report.execution}
    with step_fields(process.logger, on_lambda=process.on_lambda, **fields):
        return committer.commit(report, wall_ms()).to_event()


handler = lambda_handler(process.logger, commit_assets, on_lambda=process.on_lambda)
