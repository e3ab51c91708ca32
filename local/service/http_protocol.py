"""Bytes that are no request at all, answered in the API's one shape of an error.

The server reads HTTP before the app sees anything, and would answer such bytes with a line of text
of its own.
"""

from __future__ import annotations

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from marketdata.api.problems import Problem

_DETAIL = "What was sent cannot be read as HTTP."


class ProblemProtocol(HttpToolsProtocol):
    """uvicorn's HTTP, but for that one answer."""

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002  (uvicorn's own words)
        """Answer and close: where the next request would begin, nobody knows."""
        answer = Problem("bad_request", _DETAIL).response("/")
        headers = [*answer.raw_headers, (b"connection", b"close")]
        lines = [b"HTTP/1.1 400 Bad Request", *(b"%b: %b" % header for header in headers)]
        self.transport.write(b"\r\n".join([*lines, b"", bytes(answer.body)]))
        self.transport.close()
