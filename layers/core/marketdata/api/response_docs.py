"""The documented responses of the path operations: their headers, and each of their problems."""

from __future__ import annotations

from collections.abc import Iterable

from marketdata.api.dependencies import MARKET_HEADER
from marketdata.api.problems import KINDS, MEDIA_TYPE
from marketdata.api.schemas.fields import OpenApiPart

_ALWAYS = ("unknown_parameter", "method_not_allowed", "payload_too_large")
_FROM_CACHE = ("cache_unavailable", "internal_error")
_PROBLEM = {"$ref": "#/components/schemas/Problem"}
_RETRY = {
    "Retry-After": {
        "description": "Seconds after which another request may succeed, if that is known.",
        "schema": {"type": "string"},
    }
}


def responses(
    description: str, problems: Iterable[str], *, kept: bool = True, **statuses: int
) -> dict[int | str, OpenApiPart]:
    """Return the responses of an operation: its answer, 304, and each of its problems.

    `kept`: whether the answer may be cached. `statuses`: problems that have another status here
    than that of their kind.
    """
    found: dict[int | str, OpenApiPart] = {
        200: {"description": description, "headers": _headers(kept=kept)}
    }
    if kept:
        found[304] = {"description": "Nothing has changed since `If-None-Match`."}
    for code in (*_ALWAYS, *problems, *_FROM_CACHE):
        status = statuses.get(code, KINDS[code].status)
        entry = found.setdefault(
            status, {"description": "", "content": {MEDIA_TYPE: {"schema": _PROBLEM}}}
        )
        entry["description"] = f"{entry['description']} `{code}`".strip()
        if status in (404, 503):
            entry["headers"] = _RETRY
    return found


def _headers(*, kept: bool) -> OpenApiPart:
    meanings = {MARKET_HEADER: "Whether the prices are `live` or `simulated`."}
    if kept:
        meanings["ETag"] = "Tag of this content; send it back as `If-None-Match`."
        meanings["Cache-Control"] = "How long the answer holds: to the next slot."
    else:
        meanings["Cache-Control"] = "`no-store`: the answer is of this moment."
    return {
        name: {"description": meaning, "schema": {"type": "string"}}
        for name, meaning in meanings.items()
    }
