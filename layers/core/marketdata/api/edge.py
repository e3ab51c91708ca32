"""The outermost layer of the app: what every answer gets, whatever produced it.

HEAD as GET without its body, security headers, CORS where nothing in front adds it, no request
bodies, a problem in place of any exception, and a line in the log. Plain ASGI, and the only layer
around the router: each one costs every request a few microseconds.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable

from fastapi import FastAPI
from fastapi.middleware.asyncexitstack import AsyncExitStackMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from marketdata.api.access import AccessLog, add_facts, with_facts
from marketdata.api.problems import Problem, internal_error, problem_of

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

    `cors`: whether to allow reading from any origin; `now_ms`: the clock of the log, epoch
    milliseconds; `clock` measures how long answers take, in seconds.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        cors: bool,
        access_log: AccessLog,
        now_ms: Callable[[], int],
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._app = app
        self._access_log, self._now_ms = access_log, now_ms
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
        except Exception as error:
            if status:  # its beginning is on its way, so the server must cut the connection
                log.exception("request failed", extra={"method": method, "path": scope["path"]})
                raise
            problem = problem_of(error, method, scope["path"])
            if problem is None:
                log.exception("request failed", extra={"method": method, "path": scope["path"]})
                problem = internal_error()
            add_facts(inner, code=problem.code)
            await problem.response(scope["path"])(inner, receive, finish)
        finally:
            self._access_log.write(
                inner,
                method=method,
                status=status,
                duration_s=self._clock() - began,
                now_ms=self._now_ms(),
            )

    def _early_answer(self, scope: Scope) -> Response | None:
        headers = dict(scope["headers"])
        length = headers.get(b"content-length", b"0")
        if not length.isdigit() or len(length) > 9 or int(length) > MAX_BODY_BYTES:
            detail = f"At most {MAX_BODY_BYTES} bytes are accepted, and none are read."
            raise Problem("payload_too_large", detail)
        if scope["method"] == "OPTIONS" and b"access-control-request-method" in headers:
            # A gateway in front that lets a preflight through adds its own headers to the answer.
            return Response(status_code=204, headers=_PREFLIGHT if self._cors else None)
        return None

    def _completed(self, headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        completed = [*headers, *self._headers]
        if not any(name == b"content-security-policy" for name, _ in completed):
            completed.append(_CONTENT_POLICY)
        return completed


class EdgedApp(FastAPI):
    """FastAPI with one layer, made by `edge`, around its router.

    Its own layers would do again what the edge does: turn exceptions into answers, limit bodies.
    """

    def __init__(self, edge: Callable[[ASGIApp], ASGIApp]) -> None:
        super().__init__(
            openapi_url=None,
            docs_url=None,
            redoc_url=None,
            redirect_slashes=False,
            telemetry={"tracing": False, "metrics": False, "logs": False},
        )
        self._edge = edge

    def build_middleware_stack(self) -> ASGIApp:
        """The edge, and within it the exit stack that FastAPI's routes expect around them."""
        return self._edge(AsyncExitStackMiddleware(self.router))
