"""Bytes that are no request at all, answered in the API's one shape of an error.

The server reads HTTP before the app sees anything, and would answer such bytes with a line of text
of its own.
"""

from __future__ import annotations

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from marketdata.web.problems import Problem

_DETAIL = "What was sent cannot be read as HTTP."


class ProblemProtocol(H11Protocol):
    """uvicorn's HTTP, but for that one answer."""

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002  (uvicorn's own words)
        """Answer and close: where the next request would begin, nobody knows."""
        answer = Problem("bad_request", _DETAIL).response("/")
        headers = [*answer.raw_headers, (b"connection", b"close")]
        for event in (
            h11.Response(status_code=answer.status_code, headers=headers),
            h11.Data(data=bytes(answer.body)),
            h11.EndOfMessage(),
        ):
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()
