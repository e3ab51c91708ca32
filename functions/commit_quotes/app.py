"""Lambda `commit_quotes`: store the quotes of one job and record its results."""

from __future__ import annotations

import os

from marketdata import composition
from marketdata.clock import wall_ms
from marketdata.domain.messages import EventJson, Report
from marketdata.observability.logs import lambda_handler, log_commit, read_event, step_fields

process = composition.start_process(os.environ)
stores = composition.connect_stores(process.settings)
committer = composition.make_committer(process, stores)
meter = composition.make_meter(process, stores)
if process.on_lambda:
    composition.warm_stores(stores)


def commit_quotes(event: EventJson, _context: object) -> EventJson:
    """Commit a `Report`; return a `Summary`."""
    report = read_event(Report, event)
    job = report.job
    fields = {"slot": job.slot, "job": job.id, "execution": job.execution}
    with step_fields(process.logger, on_lambda=process.on_lambda, **fields) as known:
        summary = committer.commit(report, wall_ms())
        log_commit(summary)
        meter.record_commit(summary, known)
        return summary.to_event()


handler = lambda_handler(process.logger, commit_quotes, on_lambda=process.on_lambda)
