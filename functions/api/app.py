"""Lambda `api`: answer one request of API Gateway from the cache."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from marketdata import composition
from marketdata.api.serving import gateway_adapter, is_request
from marketdata.observability.logs import lambda_handler

if TYPE_CHECKING:
    from marketdata.domain.messages import EventJson

process = composition.start_process(os.environ)
stores = composition.connect_stores(process.settings)
adapter = gateway_adapter(process, stores)
if process.on_lambda:
    composition.warm_stores(stores)


def api(event: EventJson, context: Any) -> EventJson:
    """Answer one event of an HTTP API (payload 1.0 or 2.0) or of a REST API.

    Any other event, such as a ping that keeps the function warm, gets an empty answer.
    """
    return adapter(event, context) if is_request(event) else {}


handler = lambda_handler(process.logger, api, on_lambda=process.on_lambda)
