"""Every error that a client can see, as one shape: RFC 9457 problem details.

This file alone chooses HTTP statuses. A problem tells what the client can act on; exceptions,
stack traces and internal names never reach it.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from types import MappingProxyType
from urllib.parse import quote

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from marketdata.api.readers.bad_request import RefusedRequestError
from marketdata.domain.outcomes import Reason
from marketdata.errors import CacheUnavailableError

MEDIA_TYPE = "application/problem+json"
CACHE_RETRY_S = 5  # one slot: as soon as the loop itself tries again

log = logging.getLogger("marketdata.api")


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of problem: its HTTP status and its title, which never vary."""

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
        "not_acceptable": Kind(406, "The answer does not come in a format that you accept"),
        "cursor_expired": Kind(410, "The list that the cursor pages through is gone"),
        "payload_too_large": Kind(413, "The request carries a body; none is needed"),
        "internal_error": Kind(500, "Something went wrong on our side"),
        "cache_unavailable": Kind(503, "The cache that holds all data does not answer"),
        Reason.INVALID_SYMBOL.value: Kind(400, "The symbol fits none of the accepted spellings"),
        Reason.NOT_FOUND.value: Kind(404, "No provider knows the symbol"),
        Reason.PENDING.value: Kind(503, "Asked for, and not there yet"),
        Reason.STALE.value: Kind(503, "The newest quote is older than you allow"),
        Reason.QUARANTINED.value: Kind(503, "The newest price is held back until it is confirmed"),
        Reason.BUDGET_EXHAUSTED.value: Kind(503, "The providers' quotas are spent for now"),
        Reason.PROVIDER_UNAVAILABLE.value: Kind(503, "No provider of this class answers"),
    }
)

# What the framework raises on its own, by status; anything else it raises is a bad request.
_FRAMEWORK_CODES = {404: "no_such_route", 405: "method_not_allowed", 406: "not_acceptable"}


@dataclass(eq=False)
class Problem(Exception):  # noqa: N818 - the word of RFC 9457
    """An answer that is an error. `code` is a key of `KINDS`, `detail` is for people.

    `retry_after_s`: whole seconds until it is worth asking again, sent as `Retry-After`.
    """

    code: str
    detail: str
    retry_after_s: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def response(self, path: str) -> Response:
        """The problem as an HTTP response to a request for `path`."""
        kind = KINDS[self.code]
        members: dict[str, object] = {
            "type": f"/docs#{self.code}",
            "title": kind.title,
            "status": kind.status,
            "detail": self.detail,
            "code": self.code,
            "instance": quote(path, errors="replace"),
        }
        headers = {"Cache-Control": "no-store", **self.headers}
        if self.retry_after_s is not None:
            members["retry_after"] = self.retry_after_s
            headers["Retry-After"] = str(self.retry_after_s)
        body = json.dumps(members).encode()
        return Response(body, kind.status, headers, media_type=MEDIA_TYPE)


def internal_error() -> Problem:
    """The problem that stands for any exception that nobody foresaw."""
    return Problem("internal_error", "The failure has been logged; please try again.")


def problem_of(error: Exception, method: str, path: str) -> Problem | None:
    """What a client is told of an exception, ours or the framework's; None if unforeseen."""
    match error:
        case Problem():
            return error
        case RefusedRequestError():
            return Problem(error.code, str(error), error.retry_after_s)
        case CacheUnavailableError():
            log.error("cache unavailable", extra={"path": path, "error": str(error)})
            return Problem(
                "cache_unavailable",
                "All data is read from a cache, which does not answer at the moment.",
                retry_after_s=CACHE_RETRY_S,
            )
        case HTTPException():
            return _frameworks(error, method, path)
        case RequestValidationError():
            named = ", ".join(str(item["loc"][-1]) for item in error.errors())
            return Problem("invalid_parameter", f"Not allowed: {named}.")
    return None


def _frameworks(error: HTTPException, method: str, path: str) -> Problem:
    code = _FRAMEWORK_CODES.get(error.status_code)
    if code is None:
        log.error("framework refused a request", extra={"status": error.status_code, "path": path})
        code = "internal_error" if error.status_code >= 500 else "bad_request"
    detail = {
        "no_such_route": f"{quote(path, errors='replace')} does not exist; /docs lists what does.",
        "method_not_allowed": f"{method} is not allowed here; use GET or HEAD.",
    }.get(code, HTTPStatus(error.status_code).phrase)
    headers = {"Allow": "GET, HEAD"} if code == "method_not_allowed" else {}
    return Problem(code, detail, headers=headers)
