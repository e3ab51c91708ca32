"""Serves the app: behind API Gateway on AWS, and behind uvicorn on one machine."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI
from mangum import Mangum
from mangum.adapter import DEFAULT_TEXT_MIME_TYPES

from marketdata.api.app import create_app
from marketdata.api.problems import MEDIA_TYPE
from marketdata.api.request_log import CountedRequests, LoggedRequests, RequestLog
from marketdata.clock import wall_ms
from marketdata.observability.metrics import Sample

if TYPE_CHECKING:
    from aws_lambda_powertools import Logger

    from marketdata.composition import Process, Stores


def behind_gateway(app: FastAPI) -> Mangum:
    """Return the app as API Gateway calls it; problems travel as text, like all other JSON."""
    return Mangum(app, lifespan="off", text_mime_types=[*DEFAULT_TEXT_MIME_TYPES, MEDIA_TYPE])


def is_request(event: Any) -> bool:
    """Return whether an event is a request that API Gateway has taken, in one of its formats."""
    if not isinstance(event, dict) or not isinstance(event.get("requestContext"), dict):
        return False
    if event.get("version") == "2.0":
        http = event["requestContext"].get("http")
        return isinstance(http, dict) and {"method", "path", "sourceIp"} <= http.keys()
    is_rest = "version" in event or "resource" in event
    return is_rest and all(isinstance(event.get(name), str) for name in ("httpMethod", "path"))


def gateway_adapter(process: Process, stores: Stores) -> Mangum:
    """Return the handler of API Gateway's events in this process."""
    settings = process.settings
    app = create_app(
        settings, stores, now_ms=wall_ms, request_log=_request_log(process), threads=False
    )
    return behind_gateway(app)


def _request_log(process: Process) -> RequestLog:
    settings = process.settings
    if not settings.metrics_service:
        return LoggedRequests(process.logger)
    return CountedRequests(
        settings.metrics_service, process.name, settings.logs_requests, settings.secrets
    )


def on_one_machine(
    logger: Logger | None = None, record: Callable[[Sequence[Sample]], None] | None = None
) -> FastAPI:
    """Return the app as uvicorn serves it, also by `uvicorn --factory`.

    `logger`: where its requests are logged; the log of the process if it is not given. `record`:
    what takes the metrics of its requests; without it there are none.
    """
    from marketdata import composition  # noqa: PLC0415 - the Lambda function composes in its app.py

    process = composition.start_process(os.environ)
    return create_app(
        process.settings,
        composition.connect_stores(process.settings),
        now_ms=wall_ms,
        cors=True,
        request_log=LoggedRequests(logger or process.logger, record),
    )
