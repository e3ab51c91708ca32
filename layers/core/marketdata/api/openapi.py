"""The OpenAPI document, from the very tables that the routes read their parameters by."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from fastapi import APIRouter
from fastapi.openapi.utils import get_openapi

from marketdata.api.problems import KINDS, MEDIA_TYPE
from marketdata.api.routes import ROUTES, Route

TITLE = "Market Data Aggregator"
VERSION = "1.0.0"
SUMMARY = "Quotes of stocks, crypto and forex from five providers, told honestly."
_DESCRIPTION = (
    "Prices carry their source, that source's own time, and `stale` once they are old. What is "
    "missing is named, with a reason. Answers are cacheable to the end of their 5-second slot: "
    "send `If-None-Match` and poll no more often than `Cache-Control` says."
)
# Real answers, by operation and status; a test gets them anew and compares.
EXAMPLES = Path(__file__).with_name("examples.json")
_HEADERS = {
    "ETag": "Tag of these very bytes; send it back as `If-None-Match`.",
    "Cache-Control": "How long the answer holds: to the next slot.",
}
_NOT_KEPT = {"Cache-Control": "`no-store`: the answer is of this very moment."}
_RETRY = {"Retry-After": "Seconds after which it is worth asking again, where anybody knows."}


def ref(name: str) -> dict[str, Any]:
    """A reference to one of `schemas.SCHEMAS`."""
    return {"$ref": f"#/components/schemas/{name}"}


def operation(route: Route) -> dict[str, Any]:
    """What the documentation says of a route, as `FastAPI.add_api_route` takes it."""
    responses: dict[int | str, dict[str, Any]] = {
        200: {
            "description": route.answer_meaning,
            "headers": _string_headers(_HEADERS if route.is_kept else _NOT_KEPT),
            "content": {"application/json": {"schema": ref(route.answer)}},
        },
    }
    if route.is_kept:
        responses[304] = {
            "description": "Nothing has changed since the answer that `If-None-Match` names."
        }
    for code in route.problems:
        status = KINDS[code].status
        told = responses.setdefault(status, {"description": "", "content": _problem()})
        told["description"] = " ".join(filter(None, (told["description"], f"`{code}`")))
        if status == 503:
            told["headers"] = _string_headers(_RETRY)
    for status, (meaning, schema) in route.other_answers.items():
        responses[status] = {
            "description": meaning,
            "content": {"application/json": {"schema": ref(schema)}},
        }
    return {
        "summary": route.summary,
        "description": route.meaning,
        "operation_id": route.name,
        "responses": responses,
        "openapi_extra": {
            "parameters": [
                *route.path_parameters,
                *(parameter.document() for parameter in route.parameters),
            ]
        },
    }


def document() -> dict[str, Any]:
    """The whole OpenAPI 3.1 document of the public routes."""
    from marketdata.api.schemas import SCHEMAS  # noqa: PLC0415 - no request for data pays for it

    documented = APIRouter()
    for route in ROUTES:
        documented.add_api_route(route.path, _answer, methods=["GET"], **operation(route))
    found: dict[str, Any] = get_openapi(
        title=TITLE,
        version=VERSION,
        summary=SUMMARY,
        description=_DESCRIPTION,
        routes=documented.routes,
    )
    found.setdefault("components", {})["schemas"] = SCHEMAS
    _add_examples(found)
    return found


async def _answer() -> None:
    """Stands for a route's function: what that takes and answers is told by the tables alone."""


def _add_examples(document: dict[str, Any]) -> None:
    """Done last: FastAPI would drop each null in them."""
    examples = json.loads(EXAMPLES.read_text(encoding="utf-8"))
    for operations in document["paths"].values():
        told = operations["get"]
        for status, body in examples[told["operationId"]].items():
            (content,) = told["responses"][status]["content"].values()
            content["example"] = body


def _problem() -> dict[str, Any]:
    return {MEDIA_TYPE: {"schema": ref("Problem")}}


def _string_headers(meanings: dict[str, str]) -> dict[str, Any]:
    return {
        name: {"description": meaning, "schema": {"type": "string"}}
        for name, meaning in meanings.items()
    }
