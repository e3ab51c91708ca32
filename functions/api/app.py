"""Lambda `api`: answer one request that API Gateway has taken, from the cache."""

from __future__ import annotations

from typing import Any

from marketdata.api.serving import gateway_adapter


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer one event of an HTTP API (payload 1.0 or 2.0) or of a REST API."""
    return gateway_adapter()(event, context)
