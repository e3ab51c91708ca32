"""One line in the log and one set of metrics for each request: route, result, duration.

The line has the route, never the path, the query or headers, because the text of a client may
contain secrets. On AWS Powertools writes both, which costs a request about 0.2 ms of a processor.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from http import HTTPStatus

from aws_lambda_powertools import Logger
from starlette.types import Scope

from marketdata.domain.outcomes import Reason
from marketdata.observability import metrics
from marketdata.observability.metrics import Sample

REASONS = frozenset(reason.value for reason in Reason)


@dataclass(slots=True)
class RequestRecord:
    """What the log says of one request. None: it does not apply.

    `symbols`: how many were asked for. `hits` and `misses`: how many of them had a quote, and had
    none. `code`: the kind of problem that was the answer.
    """

    method: str
    route: str | None = None
    status: int = 0
    gateway_request_id: str | None = None
    symbols: int | None = None
    hits: int | None = None
    misses: int | None = None
    code: str | None = None

    def fields(self) -> dict[str, str | int]:
        """Return what applies, by name."""
        every = {name: getattr(self, name) for name in self.__slots__}
        return {name: value for name, value in every.items() if value is not None}


def record_of(scope: Scope) -> RequestRecord | None:
    """Return the record of a request, where `RequestLogMiddleware` has begun one."""
    record: RequestRecord | None = scope.get("state", {}).get("record")
    return record


@dataclass(frozen=True, slots=True)
class RequestLog:
    """Writes the lines through `logger`, and gives the samples of each request to `record`.

    Without `record` nothing is measured.
    """

    logger: Logger
    record: Callable[[Iterable[Sample]], None] | None = None

    def write(self, request: RequestRecord, *, duration_s: float) -> None:
        """Write the line of one request; `hits` and `misses` are counted if they are given."""
        duration_ms = round(duration_s * 1000, 3)
        self.logger.info("request", extra={**request.fields(), "duration_ms": duration_ms})
        if self.record is not None:
            self.record(
                metrics.of_request(
                    duration_ms,
                    hits=request.hits,
                    misses=request.misses,
                    failed=_is_failure(request),
                )
            )


def _is_failure(request: RequestRecord) -> bool:
    """Return whether the api failed. A 503 that says why there is no price or list is an answer."""
    return request.status >= HTTPStatus.INTERNAL_SERVER_ERROR and request.code not in REASONS
