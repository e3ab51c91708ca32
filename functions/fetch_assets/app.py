"""Lambda `fetch_assets`: fetch the lists of one class, merge them, and archive the result."""

from __future__ import annotations

import os

from marketdata import composition
from marketdata.domain.list_messages import AssetJob
from marketdata.domain.messages import EventJson
from marketdata.observability.logs import lambda_handler, read_event, step_fields

process = composition.start_process(os.environ)
providers = composition.make_providers(process.settings)
fetcher = composition.make_asset_fetcher(process, providers)
if process.on_lambda:
    composition.warm_providers(process.settings, providers)
    composition.warm_archive(fetcher.archive)


def fetch_assets(event: EventJson, _context: object) -> EventJson:
    """Do an `AssetJob`; return an `AssetReport`."""
    job = read_event(AssetJob, event)
    fields = {"job": job.id, "execution": job.execution}
    with step_fields(process.logger, on_lambda=process.on_lambda, **fields):
        return fetcher.fetch(job).to_event()


handler = lambda_handler(process.logger, fetch_assets, on_lambda=process.on_lambda)
