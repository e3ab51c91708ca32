"""A small HTTP/1.1 server on asyncio, with its requests and replies.

It supports keep-alive, HEAD, bodies with a length, and planted failures: late, missing and cut
answers, which no ordinary server gives. It does not support TLS, chunked requests or HTTP/2.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, unquote

MAX_HEAD = 64 * 1024
JSON_TYPE = "application/json; charset=utf-8"
# A JSON object in the format of a provider or of the control port.
JsonObject = dict[str, Any]
_REASONS = {status.value: status.phrase for status in HTTPStatus}


class Manner(StrEnum):
    """How an answer is sent. `cut_short` promises more bytes than it sends."""

    WHOLE = "whole"
    CUT_SHORT = "cut_short"
    HANG = "hang"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True)
class Request:
    """One request. `headers` has lower-case names; of a repeated query name the last counts."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes = b""

    def json(self) -> Any:
        """Return the body as JSON. Raise ValueError for anything else."""
        return json.loads(self.body or b"{}")


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer, sent after `delay_s` seconds in the given manner."""

    status: int
    body: bytes = b""
    content_type: str = JSON_TYPE
    headers: tuple[tuple[str, str], ...] = ()
    delay_s: float = 0.0
    manner: Manner = field(default=Manner.WHOLE)


def json_reply(value: Any, status: int = 200, **headers: str) -> Reply:
    """Return a JSON answer; NaN is written as NaN. In `headers`, an underscore means a dash."""
    body = json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()
    named = tuple((name.replace("_", "-"), text) for name, text in headers.items())
    return Reply(status, body, headers=named)


def text_reply(text: str, status: int = 200, content_type: str = "text/plain") -> Reply:
    """Return a text answer."""
    return Reply(status, text.encode(), content_type)


def with_headers(reply: Reply, *headers: tuple[str, str]) -> Reply:
    """Return the reply with more headers."""
    return replace(reply, headers=(*reply.headers, *headers))


Handler = Callable[[Request], Reply]


class Connection(asyncio.Protocol):
    """One client's connection: requests in, replies out, one at a time."""

    def __init__(self, handler: Handler, open_connections: set[Connection]) -> None:
        self._handler = handler
        self._open = open_connections
        self._buffer = b""
        self._busy = False
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport for the answers."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101  servers here are TCP
        self._transport = transport
        self._open.add(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  the protocol's
        """Drop the transport; an answer that is not sent yet is lost."""
        self._transport = None
        self._open.discard(self)

    def data_received(self, data: bytes) -> None:
        """Answer if the data completes a request."""
        self._buffer += data
        self._advance()

    def abort(self) -> None:
        """End the connection without an answer."""
        if self._transport is not None:
            self._transport.abort()

    def _advance(self) -> None:
        while not self._busy and self._transport is not None:
            end = self._buffer.find(b"\r\n\r\n")
            if end < 0:
                if len(self._buffer) > MAX_HEAD:
                    self.abort()
                return
            request, length = _parse_head(self._buffer[:end])
            if len(self._buffer) < end + 4 + length:
                return
            body = self._buffer[end + 4 : end + 4 + length]
            self._buffer = self._buffer[end + 4 + length :]
            self._answer(replace(request, body=body) if body else request)

    def _answer(self, request: Request) -> None:
        reply = self._handler(request)
        self._busy = True
        if reply.manner is Manner.HANG:
            return  # until the client gives up
        if reply.delay_s > 0:
            loop = asyncio.get_running_loop()
            loop.call_later(reply.delay_s, self._send_and_go_on, request, reply)
        else:
            self._send(request, reply)

    def _send_and_go_on(self, request: Request, reply: Reply) -> None:
        self._send(request, reply)
        self._advance()

    def _send(self, request: Request, reply: Reply) -> None:
        self._busy = False
        if self._transport is None:
            return
        if reply.manner is Manner.REFUSE:
            self.abort()
            return
        head = [
            f"HTTP/1.1 {reply.status} {_REASONS.get(reply.status, 'Unknown')}",
            f"content-type: {reply.content_type}",
            f"content-length: {len(reply.body)}",
            *(f"{name}: {value}" for name, value in reply.headers),
            "\r\n",
        ]
        body = b"" if request.method == "HEAD" else reply.body
        if reply.manner is Manner.CUT_SHORT:
            body = body[: len(body) // 2]
        self._transport.write("\r\n".join(head).encode("latin-1") + body)
        if (
            reply.manner is Manner.CUT_SHORT
            or request.headers.get("connection", "").lower() == "close"
        ):
            self._transport.close()


def _parse_head(head: bytes) -> tuple[Request, int]:
    """Return the request of a head, and the length of its body."""
    first, *lines = head.decode("latin-1").split("\r\n")
    method, _, rest = first.partition(" ")
    target = rest.rpartition(" ")[0]
    path, _, query = target.partition("?")
    headers = {}
    for line in lines:
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    length = headers.get("content-length", "0")
    request = Request(
        method=method,
        path=unquote(path),
        query=dict(parse_qsl(query, keep_blank_values=True)),
        headers=headers,
    )
    return request, int(length) if length.isdigit() else 0
