"""The OpenAPI document of FastAPI, with three additions.

FastAPI has no parameter for the style of a list in a query, it drops each null of an example, and
it does not say the names of an enum's values. Generated clients would call a range `VALUE_0`.
"""

from __future__ import annotations

import json
from pathlib import Path

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from marketdata.api import schemas
from marketdata.api.schemas.fields import OpenApiPart
from marketdata.domain.history import HistoryRange

# Real answers, by operation and status; a test gets them anew and compares.
EXAMPLES = Path(__file__).with_name("examples.json")


def document(app: FastAPI) -> OpenApiPart:
    """Return the document of an app, made once."""
    if app.openapi_schema is None:
        app.openapi_schema = _made(app)
    return app.openapi_schema


def _made(app: FastAPI) -> OpenApiPart:
    made: OpenApiPart = get_openapi(
        title=app.title,
        version=app.version,
        summary=app.summary,
        description=app.description,
        routes=app.routes,
        tags=app.openapi_tags,
        servers=app.servers,
        license_info=app.license_info,
    )
    components = made["components"]["schemas"]
    components["Problem"] = schemas.Problem.model_json_schema()
    for unused in ("HTTPValidationError", "ValidationError"):
        components.pop(unused, None)
    components["HistoryRange"]["x-enum-varnames"] = [each.name for each in HistoryRange]
    examples = json.loads(EXAMPLES.read_text(encoding="utf-8"))
    for operations in made["paths"].values():
        operation = operations["get"]
        operation["responses"].pop("422", None)
        for parameter in operation.get("parameters", ()):
            if parameter["schema"].get("type") == "array":
                parameter |= {"style": "form", "explode": False}
        for status, body in examples[operation["operationId"]].items():
            for content in operation["responses"][status]["content"].values():
                content["example"] = body
    return made
