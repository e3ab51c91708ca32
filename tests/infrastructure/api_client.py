"""Requests to the api's handler, as events of a gateway, while the machines run."""

from __future__ import annotations

import importlib
import json
from typing import Any

from tests.benchmarks.stage import event
from tests.support.lambda_context import LambdaContext


def get(target: str) -> Any:
    """The body of the answer to a GET."""
    api = importlib.import_module("functions.api.app")
    return json.loads(api.handler(event(target), LambdaContext("api"))["body"])


def sources(symbols: str) -> dict[str, str]:
    """Return the source of each fresh price, else the code of the error, or `stale`."""
    payload = get(f"/v1/quotes?symbols={symbols}")
    return {
        **{
            quote["symbol"]: "stale" if quote["stale"] else quote["source"]
            for quote in payload["quotes"]
        },
        **{error["symbol"]: error["code"] for error in payload["errors"]},
    }


def breaker(name: str, asset_class: str) -> str:
    """The state of a provider's breaker for a class."""
    classes = {entry["asset_class"]: entry for entry in _provider(name)["classes"]}
    return str(classes[asset_class]["state"])


def used(name: str) -> int:
    """Return the number of calls in the ledger of a provider."""
    return int(_provider(name)["budget"][0]["used"])


def lists() -> dict[str, str | None]:
    """Return the time of each asset list that is served; None for a missing list."""
    return {entry["asset_class"]: entry["updated_at"] for entry in get("/health")["assets"]}


def _provider(name: str) -> dict[str, Any]:
    (entry,) = (entry for entry in get("/v1/providers")["providers"] if entry["provider"] == name)
    return dict(entry)
