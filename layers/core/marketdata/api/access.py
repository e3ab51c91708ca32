"""One line in the log for each request: which route, what came of it, how long it took.

It names routes, never paths, queries or headers: what a client wrote may hold anything, and so
nothing in it needs masking. Where metrics are kept, the same line carries them: a line of their own
would double the bill for logs, and the library that writes them elsewhere would slow cold starts.
The line looks like those of `telemetry`, but is written without the logging library, whose part in
it would cost a reader more than the look at the cache does.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TextIO

from starlette.types import Scope

from marketdata.observability import metrics

_FACTS = "marketdata.facts"
_ENCODER = json.JSONEncoder(separators=(",", ":"))


def with_facts(scope: Scope, method: str) -> dict[str, Any]:
    """A copy of a request's scope, with this method, that facts can be added to."""
    return {**scope, "method": method, _FACTS: {}}


def add_facts(scope: Scope, **facts: object) -> None:
    """Add facts to the line of a request; names as in the log."""
    scope[_FACTS].update(facts)


@dataclass(frozen=True, slots=True)
class AccessLog:
    """Writes the lines to `out`. `function`: the name of the part that logs.

    `service`: whose metrics they carry; if empty, nobody's. A `quiet` log has metrics only, so that
    a higher level of the log does not blind the dashboard.
    """

    out: TextIO
    function: str
    service: str = ""
    quiet: bool = False

    def write(
        self, scope: Scope, *, method: str, status: int, duration_s: float, now_ms: int
    ) -> None:
        """Write the line of a request that was answered at `now_ms`, epoch milliseconds.

        `scope` is one of `with_facts`. `route` is null where no route matched.
        """
        facts = scope[_FACTS]
        told: dict[str, Any] = {}
        if not self.quiet:
            # Pages are plain routes of Starlette and do not name themselves; their path is fixed.
            page = scope["path"] if "endpoint" in scope else None
            told = {
                "level": "INFO",
                "message": "request",
                "timestamp": _utc(now_ms),
                "function": self.function,
                "method": method,
                "route": getattr(scope.get("route"), "path", page),
                "status": status,
                "duration_ms": round(duration_s * 1000, 2),
                **facts,
            }
        if self.service:
            told |= metrics.request_fields(
                duration_s,
                hits=facts.get("hits"),
                misses=facts.get("misses"),
                service=self.service,
                now_ms=now_ms,
            )
        if told:
            self.out.write(_ENCODER.encode(told) + "\n")
            self.out.flush()


def _utc(now_ms: int) -> str:
    return datetime.fromtimestamp(now_ms / 1000, UTC).isoformat(timespec="milliseconds")
