"""The outermost layer of the app: what every answer gets, whatever produced it.

HEAD as GET without its body, security headers, CORS where nothing in front adds it, no request
bodies, a problem in place of any exception, and a line in the log. Plain ASGI, so that it costs
microseconds.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from marketdata.web.access import log_request, with_facts
from marketdata.web.problems import Problem, internal_error

log = logging.getLogger("marketdata.api")

MAX_BODY_BYTES = 16_384  # nothing here reads a body, so a larger one is a mistake or an attack

_SECURITY = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Strict-Transport-Security": "max-age=31536000",  # browsers ignore it over plain http
}
# Pages bring their own.
_CONTENT_POLICY = (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'")
_CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "ETag, Retry-After",
}
_PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, HEAD",
    "Access-Control-Allow-Headers": "Accept, Content-Type, If-None-Match",
    "Access-Control-Max-Age": "86400",
}


class Edge:
    """ASGI middleware around the whole app.

    `cors`: whether to allow reading from any origin; `service` and `now_ms`: whose metrics the log
    carries, and the clock for them; `clock` measures how long answers take, in seconds.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        cors: bool,
        service: str,
        now_ms: Callable[[], int],
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._app = app
        self._service, self._now_ms = service, now_ms
        self._clock = clock
        added = {**_SECURITY, **_CORS} if cors else _SECURITY
        self._headers = [(name.lower().encode(), value.encode()) for name, value in added.items()]
        self._cors = cors

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request; anything but HTTP passes through."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, method, status = self._clock(), scope["method"], 0
        inner = with_facts(scope, "GET" if method == "HEAD" else method)

        async def finish(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message = {**message, "headers": self._completed(message["headers"])}
            elif method == "HEAD":
                message = {**message, "body": b""}
            await send(message)

        try:
            await (self._early_answer(scope) or self._app)(inner, receive, finish)
        except Exception:
            log.exception("request failed", extra={"method": method, "path": scope["path"]})
            if status:
                raise
            await internal_error().response(scope["path"])(inner, receive, finish)
        finally:
            log_request(
                inner,
                method=method,
                status=status,
                duration_s=self._clock() - began,
                service=self._service,
                now_ms=self._now_ms(),
            )

    def _early_answer(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        length = headers.get("content-length", "0")
        if not length.isdecimal() or len(length) > 9 or int(length) > MAX_BODY_BYTES:
            detail = f"At most {MAX_BODY_BYTES} bytes are accepted, and none are read."
            return Problem("payload_too_large", detail).response(scope["path"])
        if scope["method"] == "OPTIONS" and "access-control-request-method" in headers:
            # A gateway in front that lets a preflight through adds its own headers to the answer.
            return Response(status_code=204, headers=_PREFLIGHT if self._cors else None)
        return None

    def _completed(self, headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        completed = [*headers, *self._headers]
        if not any(name == b"content-security-policy" for name, _ in completed):
            completed.append(_CONTENT_POLICY)
        return completed
