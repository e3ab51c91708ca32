"""Every error that a client can see, in one shape: RFC 9457 problem details.

Only this module chooses HTTP statuses. A problem has what the client can act on. Exceptions, stack
traces and internal names never reach the client.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from types import MappingProxyType
from typing import Any
from urllib.parse import quote

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from marketdata.api import schemas
from marketdata.api.readers.bad_request import BadRequestError, BadValueError, nearest
from marketdata.api.request_log import record_of
from marketdata.domain.outcomes import Reason
from marketdata.domain.symbols import AssetClass
from marketdata.errors import CacheUnavailableError

MEDIA_TYPE = "application/problem+json"
LIST_PENDING_STATUS = 503
CACHE_RETRY_S = 5  # one slot: the loop tries again then
_EXAMPLES = {"symbols": "AAPL,BTC-USD,EUR/USD", "q": "tesla"}
_MOST_SHOWN = 40  # characters of a client's text that a detail may repeat

log = logging.getLogger("marketdata.api")


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of problem: its HTTP status and its title, which are always the same."""

    status: int
    title: str


KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "invalid_parameter": Kind(400, "A parameter has a value that is not allowed"),
        "unknown_parameter": Kind(400, "A parameter does not exist"),
        "too_many_symbols": Kind(400, "More symbols than one request may name"),
        "invalid_cursor": Kind(400, "The cursor does not look like one of ours"),
        "bad_request": Kind(400, "The request cannot be understood"),
        "no_such_route": Kind(404, "There is nothing at this path"),
        "unknown_cursor": Kind(404, "The cursor is not one of ours, or belongs to another list"),
        "method_not_allowed": Kind(405, "This path is only read: use GET or HEAD"),
        "cursor_expired": Kind(410, "The list that the cursor pages through is gone"),
        "payload_too_large": Kind(413, "The request has a body; none is needed"),
        "internal_error": Kind(500, "Something went wrong on our side"),
        "cache_unavailable": Kind(503, "The cache that holds all data does not answer"),
        Reason.INVALID_SYMBOL.value: Kind(400, "The symbol fits none of the accepted spellings"),
        Reason.NOT_FOUND.value: Kind(404, "No provider knows the symbol"),
        Reason.PENDING.value: Kind(404, "Asked for, and not there yet"),
        Reason.STALE.value: Kind(503, "The newest quote is older than you allow"),
        Reason.QUARANTINED.value: Kind(503, "The newest price is held back until it is confirmed"),
        Reason.BUDGET_EXHAUSTED.value: Kind(503, "The providers' quotas are spent for now"),
        Reason.PROVIDER_UNAVAILABLE.value: Kind(503, "No provider of this class answers"),
    }
)

# The exceptions of the framework, by status; any other one is a bad request.
_FRAMEWORK_CODES = {404: "no_such_route", 405: "method_not_allowed"}


@dataclass(eq=False)
class Problem(Exception):  # noqa: N818 - the word of RFC 9457
    """An answer that is an error. `code` is a key of `KINDS`, `detail` is for people.

    `retry_after_s`: whole seconds after which another request may succeed, sent as `Retry-After`.
    `suggestions`: what the client may have meant in place of the symbol, value, parameter or path
    that is wrong. `status`: the status if it is not that of the kind.
    """

    code: str
    detail: str
    retry_after_s: int | None = None
    suggestions: tuple[str, ...] = ()
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def response(self, path: str) -> Response:
        """Return the problem as the response to a request for `path`."""
        kind = KINDS[self.code]
        status = self.status or kind.status
        shown = schemas.Problem(
            type=f"/docs#{self.code}",
            title=kind.title,
            status=status,
            detail=self.detail,
            code=self.code,
            instance=quote(path, errors="replace"),
            retry_after=self.retry_after_s,
            suggestions=list(self.suggestions),
        )
        headers = {"Cache-Control": "no-store", **self.headers}
        if self.retry_after_s is not None:
            headers["Retry-After"] = str(self.retry_after_s)
        body = shown.model_dump_json(exclude_defaults=True)
        return Response(body, status, headers, media_type=MEDIA_TYPE)


def internal_error() -> Problem:
    """Return the problem for an exception that no handler knows."""
    return Problem("internal_error", "The failure has been logged; please try again.")


def respond(scope: Scope, problem: Problem) -> Response:
    """Return a problem as a response, and note its code for the log of the request."""
    record = record_of(scope)
    if record is not None:
        record.code = problem.code
    return problem.response(scope["path"])


def add_exception_handlers(app: FastAPI) -> None:
    """Let the app answer its own exceptions and the framework's with problems."""
    for kind, handler in (
        (Problem, _problem),
        (BadRequestError, _bad_request),
        (CacheUnavailableError, _cache_unavailable),
        (RequestValidationError, _invalid_parameter),
        (HTTPException, _framework),
    ):
        app.add_exception_handler(kind, handler)


# FastAPI chooses a handler by the class of the exception, so each handler gets its own class.


async def _problem(request: Request, error: Any) -> Response:
    return respond(request.scope, error)


async def _bad_request(request: Request, error: Any) -> Response:
    # A missing list is a failure of the service; a pending symbol is not.
    status = LIST_PENDING_STATUS if error.code == Reason.PENDING else None
    problem = Problem(error.code, str(error), error.retry_after_s, error.suggestions, status)
    return respond(request.scope, problem)


async def _cache_unavailable(request: Request, error: Any) -> Response:
    log.error("cache unavailable", extra={"error": str(error)})
    detail = "All data is read from a cache, which does not answer at the moment."
    return respond(request.scope, Problem("cache_unavailable", detail, CACHE_RETRY_S))


async def _framework(request: Request, error: Any) -> Response:
    code = _FRAMEWORK_CODES.get(error.status_code)
    if code is None:
        log.error("framework error", extra={"status": error.status_code})
        code = "internal_error" if error.status_code >= 500 else "bad_request"
    if code == "no_such_route":
        return respond(request.scope, _no_such_route(request))
    if code == "method_not_allowed":
        detail = f"{request.method} is not allowed here; use GET or HEAD."
        return respond(request.scope, Problem(code, detail, headers={"Allow": "GET, HEAD"}))
    return respond(request.scope, Problem(code, HTTPStatus(error.status_code).phrase))


def _no_such_route(request: Request) -> Problem:
    """Name the path that the client may have meant."""
    asked = request.scope["path"]
    meant = nearest(asked.rstrip("/").lower(), request.app.state.paths, cutoff=0.7)
    hint = f"did you mean {meant[0]}?" if meant else "/docs lists what does."
    detail = f"{quote(asked, errors='replace')} does not exist; {hint}"
    return Problem("no_such_route", detail, suggestions=meant)


async def _invalid_parameter(request: Request, error: Any) -> Response:
    found = error.errors()
    # A misspelt name explains why another parameter is missing.
    unknown = [one for one in found if one.get("type") == "extra_forbidden"]
    return respond(request.scope, _parameter_problem(request, (unknown or found)[0]))


def _parameter_problem(request: Request, found: Mapping[str, Any]) -> Problem:
    """Say what is wrong with one parameter, and what is allowed."""
    place, *rest = found["loc"]
    name = str(rest[0]) if rest else ""
    if place == "path" and name == "asset_type":
        classes = ", ".join(AssetClass)
        detail = f"There is no such class of assets; there are {classes}."
        meant = nearest(str(found.get("input", "")).lower(), AssetClass, cutoff=0.6)
        paths = tuple(f"/v1/assets/{asset_class}" for asset_class in meant)
        return Problem("no_such_route", detail, suggestions=paths)
    kind = found.get("type")
    if kind == "extra_forbidden":
        return _unknown_parameter(request, name)
    if kind == "missing":
        return Problem(
            "invalid_parameter",
            f"The parameter {name} is missing; for example ?{name}={_EXAMPLES.get(name, '...')}",
        )
    value = found.get("input")
    value = value[0] if isinstance(value, list) and value else value
    allowed = (found.get("ctx") or {}).get("error")
    if allowed is None:
        return Problem("invalid_parameter", f"Not allowed: {name}.")
    detail = f"{name}={shown(str(value))} is not allowed; allowed: {allowed}."
    meant = allowed.suggestions if isinstance(allowed, BadValueError) else ()
    return Problem("invalid_parameter", detail, suggestions=meant)


def _unknown_parameter(request: Request, name: str) -> Problem:
    known = query_parameters(request.scope["route"])
    if not known:
        return Problem("unknown_parameter", f"{shown(name)} is unknown; this route takes none.")
    meant = nearest(name.lower(), known, cutoff=0.5)
    hint = f"did you mean {meant[0]}?" if meant else f"known: {', '.join(known)}."
    detail = f"The parameter {shown(name)} is unknown; {hint}"
    return Problem("unknown_parameter", detail, suggestions=meant)


def query_parameters(route: Any) -> list[str]:
    """Return the names of the query parameters of a route of FastAPI."""
    models = [param.field_info.annotation for param in route.dependant.query_params]
    return [name for model in models for name in getattr(model, "model_fields", {})]


def shown(text: str) -> str:
    """Return a client's own text, quoted, and cut to a length that a person reads."""
    return repr(text if len(text) <= _MOST_SHOWN else text[: _MOST_SHOWN - 3] + "...")
