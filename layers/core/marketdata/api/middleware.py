"""The middleware of the app, each one ASGI class with one task.

Starlette's own CORS and gzip middleware stand between these in `app.create_app`.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from marketdata.api.problems import Problem, internal_error, respond
from marketdata.api.request_log import RequestLog, RequestRecord

log = logging.getLogger("marketdata.api")

MAX_BODY_BYTES = 16_384  # no route reads a body, so a larger one is a mistake or an attack

SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Strict-Transport-Security": "max-age=31536000",  # browsers ignore it over plain http
}
# Pages have a policy of their own.
DEFAULT_CONTENT_POLICY = "default-src 'none'; frame-ancestors 'none'"
# The same as ASGI has headers; no route sets one of them.
_SECURITY_HEADERS = tuple(
    (name.lower().encode(), value.encode()) for name, value in SECURITY_HEADERS.items()
)
_POLICY = (b"content-security-policy", DEFAULT_CONTENT_POLICY.encode())


class RequestLogMiddleware:
    """Logs and measures each request. Routes add to its record through `record_of`."""

    def __init__(
        self,
        app: ASGIApp,
        request_log: RequestLog,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._app, self._log, self._clock = app, request_log, clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request; anything but HTTP passes through."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = self._clock()
        record = RequestRecord(
            scope["method"],
            gateway_request_id=_gateway_request_id(scope),
            function_request_id=getattr(scope.get("aws.context"), "aws_request_id", None),
        )
        scope.setdefault("state", {})["record"] = record

        async def note_status(message: Message) -> None:
            if message["type"] == "http.response.start":
                record.status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, note_status)
        finally:
            record.route = _route_of(scope)
            self._log.write(record, duration_s=self._clock() - began)


class SecurityHeadersMiddleware:
    """Adds the security headers to each response, and a content policy where it has none."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request; anything but HTTP passes through."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def add_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = message.get("headers", ())
                has_policy = any(name == _POLICY[0] for name, _ in headers)
                added = _SECURITY_HEADERS if has_policy else (*_SECURITY_HEADERS, _POLICY)
                message["headers"] = [*headers, *added]
            await send(message)

        await self._app(scope, receive, add_headers)


class UnexpectedErrorMiddleware:
    """Answers an exception that no handler knows with a problem, and logs it.

    Starlette's own middleware for this would raise the exception again after its response.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request; anything but HTTP passes through."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        has_begun = False

        async def note_begin(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        try:
            await self._app(scope, receive, note_begin)
        except Exception:
            fields = {"method": scope["method"], "route": _route_of(scope)}
            log.exception("request failed", extra=fields)
            if has_begun:  # the server closes the connection, which shows the error
                raise
            await respond(scope, internal_error())(scope, receive, send)


class ReadOnlyMiddleware:
    """Answers HEAD as GET without the body, and answers any request with a body with a problem.

    A preflight that a gateway lets through gets an empty answer: the gateway adds its own headers.
    """

    def __init__(self, app: ASGIApp, *, answers_preflights: bool) -> None:
        self._app, self._answers_preflights = app, answers_preflights

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request; anything but HTTP passes through."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        length = headers.get("content-length", "0")
        if not length.isdigit() or len(length) > 9 or int(length) > MAX_BODY_BYTES:
            detail = f"At most {MAX_BODY_BYTES} bytes are accepted, and none are read."
            problem = Problem("payload_too_large", detail)
            await respond(scope, problem)(scope, receive, send)
        elif self._is_preflight(scope, headers):
            await Response(status_code=204)(scope, receive, send)
        elif scope["method"] == "HEAD":
            as_get = {**scope, "method": "GET"}
            try:
                await self._app(as_get, receive, _without_body(send))
            finally:  # the log reads the route from the outer scope
                scope.update({k: v for k, v in as_get.items() if k in ("route", "endpoint")})
        else:
            await self._app(scope, receive, send)

    def _is_preflight(self, scope: Scope, headers: Headers) -> bool:
        asks = scope["method"] == "OPTIONS" and "access-control-request-method" in headers
        return asks and self._answers_preflights


class AcceptEncodingMiddleware:
    """Removes an `Accept-Encoding` that rules gzip out: Starlette looks for the word alone."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request; anything but HTTP passes through."""
        if scope["type"] == "http":
            accepted = Headers(scope=scope).get("accept-encoding", "")
            if accepted and not _takes_gzip(accepted):
                pairs = [pair for pair in scope["headers"] if pair[0] != b"accept-encoding"]
                scope["headers"] = pairs
        await self._app(scope, receive, send)


def _route_of(scope: Scope) -> str | None:
    """The path of the route that a request matched; pages have fixed paths and no route object."""
    page = scope["path"] if "endpoint" in scope else None
    path: str | None = getattr(scope.get("route"), "path", page)
    return path


def _takes_gzip(header: str) -> bool:
    for part in header.lower().split(","):
        name, *parameters = (piece.strip() for piece in part.split(";"))
        if name == "gzip":
            quality = next((p[2:] for p in parameters if p.startswith("q=")), "1")
            try:
                return float(quality) > 0
            except ValueError:
                return False
    return False


def _without_body(send: Send) -> Send:
    async def send_head(message: Message) -> None:
        if message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await send(message)

    return send_head


def _gateway_request_id(scope: Scope) -> str | None:
    """The request id that API Gateway gave, where it is in front."""
    context = (scope.get("aws.event") or {}).get("requestContext") or {}
    return context.get("requestId")
