"""HTTP of the service on one machine: bounded in size, in time and in the number of connections.

On AWS the gateway has these limits. The options of uvicorn are not enough. Its limit for the size
of a head is only for its slower parser. Its time limit begins only after the first request. Its
limit for connections rejects readers with 503 while idle clients keep their connections.
"""

from __future__ import annotations

import asyncio
import resource
from functools import cache

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from marketdata.api.problems import Problem

# Method, URL and headers of one request.
MAX_HEAD_BYTES = 16_384
# A request must be complete after this time. A connection without a request is closed after it.
RECEIVE_S = 10
# A client must have read its answer after this time.
ANSWER_S = 30
_SLICE_BYTES = 4_096
_NO_REQUEST = "What was sent cannot be read as HTTP."


@cache
def most_connections() -> int:
    """How many connections may be open: at most half of the files that this process may open."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return 1_000 if files == resource.RLIM_INFINITY else max(16, min(1_000, files // 2))


class _RejectedError(Exception):
    """A request that is not allowed. The parser lets this error pass."""


class BoundedProtocol(HttpToolsProtocol):
    """uvicorn's HTTP with bounds.

    Bytes that are not HTTP are answered with a problem as of the API.
    """

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Accept a connection.

        If there are too many, close the one that has been idle for longest.
        """
        super().connection_made(transport)
        self.is_in_head = True
        self.idle_since_s = self.loop.time()
        self._head_bytes = 0
        self._rejection = _NO_REQUEST
        self._timer: asyncio.TimerHandle | None = None
        self._limit_time(RECEIVE_S)
        if len(self.connections) > most_connections():
            self._make_room()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._limit_time(None)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse received bytes, slice by slice, and reject a head that is too long."""
        self.idle_since_s = self.loop.time()
        if self._timer is None:
            self._limit_time(RECEIVE_S)
        for at in range(0, len(data), _SLICE_BYTES):
            part = data[at : at + _SLICE_BYTES]
            # The parser joins all parts of a header at each new part, so a long header takes too
            # long.
            self._head_bytes = self._head_bytes + len(part) if self.is_in_head else 0
            if self._head_bytes > MAX_HEAD_BYTES:
                self._rejection = _too_long()
                self.send_400_response("")
            if self.transport.is_closing():
                return
            super().data_received(part)

    def on_headers_complete(self) -> None:
        """Check the head by the rules of HTTP, then begin to answer."""
        head_bytes = len(self.url) + sum(len(name) + len(value) for name, value in self.headers)
        hosts = sum(name == b"host" for name, _ in self.headers)
        if head_bytes > MAX_HEAD_BYTES:
            self._rejection = _too_long()
        elif hosts > 1:
            self._rejection = f"The header Host was sent {hosts} times; send it once."
        elif not hosts and self.parser.get_http_version() != "1.0":
            self._rejection = "The header Host is missing."
        else:
            self.is_in_head = False
            super().on_headers_complete()
            return
        raise _RejectedError  # the parser turns this into its own error, which is answered with 400

    def on_message_complete(self) -> None:
        """Note that the request is complete; the next bytes begin a new head."""
        self.is_in_head, self._head_bytes = True, 0
        self._limit_time(ANSWER_S if self.is_answering else None)
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Note that the answer is complete."""
        self.idle_since_s = self.loop.time()
        if self.is_in_head and not self.pipeline:
            self._limit_time(None)  # from now on uvicorn's own limit for an idle connection applies
        super().on_response_complete()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002  (uvicorn's own text)
        """Answer with a problem and close, as the start of the next request is not known."""
        answer = Problem("bad_request", self._rejection).response("/")
        headers = [*answer.raw_headers, (b"connection", b"close")]
        lines = [b"HTTP/1.1 400 Bad Request", *(b"%b: %b" % header for header in headers)]
        self.transport.write(b"\r\n".join([*lines, b"", bytes(answer.body)]))
        self.transport.close()

    @property
    def is_answering(self) -> bool:
        """Whether a request of this connection is being answered."""
        return self.cycle is not None and not self.cycle.response_complete

    def _limit_time(self, seconds: float | None) -> None:
        """Close the connection after some seconds, in place of any earlier limit."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None if seconds is None else self.loop.call_later(seconds, self._time_out)

    def _time_out(self) -> None:
        # `close` would wait until the client has read all bytes that were written to it.
        self.transport.abort()

    def _make_room(self) -> None:
        """Close the connection that is idle for longest.

        If all others are answering, close this one.
        """
        idle = [
            other
            for other in self.connections
            if isinstance(other, BoundedProtocol)
            and not other.is_answering
            and not other.transport.is_closing()
        ]
        min(idle, key=lambda other: other.idle_since_s, default=self).transport.abort()


def _too_long() -> str:
    return f"URL and headers are longer than {MAX_HEAD_BYTES} bytes."
