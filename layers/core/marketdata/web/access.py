"""One line in the log for each request: which route, what came of it, how long it took.

It names routes, never paths, queries or headers: what a client wrote may hold anything. Where
metrics are kept, the same line carries them: a line of their own would double the bill for logs,
and the library that writes them elsewhere would slow cold starts.
"""

from __future__ import annotations

import json
import logging
import sys
from typing import Any

from starlette.requests import Request
from starlette.types import Scope

from marketdata import metrics

log = logging.getLogger("marketdata.api")

_FACTS = "marketdata.facts"


def with_facts(scope: Scope, method: str) -> dict[str, Any]:
    """A copy of a request's scope, with this method, that `note` can add facts to."""
    return {**scope, "method": method, _FACTS: {}}


def note(request: Request, **facts: object) -> None:
    """Add facts to the line of a request; names as in the log."""
    request.scope.get(_FACTS, {}).update(facts)


def log_request(
    scope: Scope, *, method: str, status: int, duration_s: float, service: str, now_ms: int
) -> None:
    """Write the line of a request that has been answered. `route` is null where none matched.

    `service`: whose metrics it carries, as of `now_ms`; if empty, nobody's. Metrics are written
    even where the level of the log leaves the rest out.
    """
    facts = scope[_FACTS]
    measured: dict[str, Any] = {}
    if service:
        samples = metrics.of_request(duration_s, hits=facts.get("hits"), misses=facts.get("misses"))
        measured = metrics.fields(samples, service, now_ms)
    if log.isEnabledFor(logging.INFO):
        # Pages are plain routes of Starlette, which do not name themselves; their path is fixed.
        page = scope["path"] if "endpoint" in scope else None
        fields = {
            "method": method,
            "route": getattr(scope.get("route"), "path", page),
            "status": status,
            "duration_ms": round(duration_s * 1000, 2),
        }
        log.info("request", extra=fields | facts | measured)
    elif measured:
        sys.stdout.write(json.dumps(measured, separators=(",", ":")) + "\n")
