"""The app in its two places: behind API Gateway, and behind a server on one machine."""

from __future__ import annotations

import os
import sys
from collections.abc import MutableMapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, TextIO

from fastapi import FastAPI
from mangum import Mangum
from mangum.adapter import DEFAULT_TEXT_MIME_TYPES
from mangum.handlers import HTTPGateway

from marketdata.api.access import AccessLog
from marketdata.api.app import create_app
from marketdata.api.problems import MEDIA_TYPE
from marketdata.clock import wall_ms

if TYPE_CHECKING:
    from marketdata.composition import Process, Stores


class _HttpApi(HTTPGateway):
    """Mangum's reading of an HTTP API's event, done once; Mangum itself does it again to answer."""

    @cached_property
    def scope(self) -> MutableMapping[str, Any]:
        """The request as ASGI has it."""
        return super().scope


def behind_gateway(app: FastAPI) -> Mangum:
    """The app as API Gateway calls it; problems travel as text, like all other JSON."""
    return Mangum(
        app,
        lifespan="off",
        custom_handlers=[_HttpApi],
        text_mime_types=[*DEFAULT_TEXT_MIME_TYPES, MEDIA_TYPE],
    )


def on_one_machine(log: TextIO | None = None) -> FastAPI:
    """The app as uvicorn serves it, `uvicorn --factory marketdata.api.serving:on_one_machine`.

    `log`: where its requests are logged; standard output if it is not given.
    """
    from marketdata import composition  # noqa: PLC0415 - it loads the logger

    process = composition.start_process(os.environ)
    return create_app(
        process.settings,
        composition.connect_stores(process.settings),
        now_ms=wall_ms,
        cors=True,
        access_log=AccessLog(log or sys.stdout, "api", quiet=not process.settings.logs_requests),
    )


def gateway_adapter(process: Process, stores: Stores) -> Mangum:
    """Return what answers the events of API Gateway in this process."""
    settings = process.settings
    app = create_app(
        settings,
        stores,
        now_ms=wall_ms,
        threads=False,
        access_log=AccessLog(
            sys.stdout,
            process.name,
            settings.metrics_service,
            quiet=not settings.logs_requests,
        ),
    )
    return behind_gateway(app)
