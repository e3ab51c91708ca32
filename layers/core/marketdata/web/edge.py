"""The outermost layer of the app: what every answer gets, whatever produced it.

HEAD as GET without its body, security headers, CORS where nothing in front adds it, no request
bodies, and a problem in place of any exception. Plain ASGI, so that it costs microseconds.
"""

from __future__ import annotations

import logging

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

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
_CONTENT_POLICY = "default-src 'none'; frame-ancestors 'none'"  # pages bring their own
_CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "ETag, Retry-After",
}
_PREFLIGHT = {
    **_CORS,
    "Access-Control-Allow-Methods": "GET, HEAD",
    "Access-Control-Allow-Headers": "Accept, Content-Type, If-None-Match",
    "Access-Control-Max-Age": "86400",
}


class Edge:
    """ASGI middleware around the whole app. `cors`: whether to allow reading from any origin."""

    def __init__(self, app: ASGIApp, *, cors: bool) -> None:
        self._app = app
        self._headers = {**_SECURITY, **_CORS} if cors else _SECURITY
        self._cors = cors

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request; anything but HTTP passes through."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        method, started = scope["method"], False

        async def finish(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                self._complete(MutableHeaders(scope=message))
            elif method == "HEAD":
                message = {**message, "body": b""}
            await send(message)

        try:
            app = self._early_answer(scope) or self._app
            inner = {**scope, "method": "GET"} if method == "HEAD" else scope
            await app(inner, receive, finish)
        except Exception:
            log.exception("request failed", extra={"method": method, "path": scope["path"]})
            if started:
                raise
            await internal_error().response(scope["path"])(scope, receive, finish)

    def _early_answer(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > MAX_BODY_BYTES:
            detail = f"At most {MAX_BODY_BYTES} bytes are accepted, and none are read."
            return Problem("payload_too_large", detail).response(scope["path"])
        if (
            self._cors
            and scope["method"] == "OPTIONS"
            and "access-control-request-method" in headers
        ):
            return Response(status_code=204, headers=_PREFLIGHT)
        return None

    def _complete(self, headers: MutableHeaders) -> None:
        for name, value in self._headers.items():
            headers[name] = value
        headers.setdefault("Content-Security-Policy", _CONTENT_POLICY)
