"""Lambda `fetch_quotes`: call the providers of one job."""

from __future__ import annotations

import os

from marketdata import composition
from marketdata.domain.messages import EventJson, Job
from marketdata.observability.logs import lambda_handler, log_report, read_event, step_fields

process = composition.start_process(os.environ)
providers = composition.make_providers(process.settings)
fetcher = composition.make_fetcher(providers)
if process.on_lambda:
    composition.warm_providers(process.settings, providers)


def fetch_quotes(event: EventJson, _context: object) -> EventJson:
    """Do a `Job`; return a `Report`."""
    job = read_event(Job, event)
    fields = {"slot": job.slot, "job": job.id, "execution": job.execution}
    with step_fields(process.logger, on_lambda=process.on_lambda, **fields):
        report = fetcher.fetch(job)
        log_report(report)
        return report.to_event()


handler = lambda_handler(process.logger, fetch_quotes, on_lambda=process.on_lambda)
