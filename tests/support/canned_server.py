"""A server that gives one answer to every request, or an answer that a test computes."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True)
class Canned:
    """One answer. `body` is a text, or becomes JSON; header names are in lower case.

    A `retry_at_s` is sent as a Retry-After of the date that many seconds from now.
    """

    status: int
    body: Any
    headers: Mapping[str, str] = field(default_factory=dict)
    retry_at_s: int | None = None

    def text(self) -> bytes:
        """The body as sent."""
        body = self.body if isinstance(self.body, str) else json.dumps(self.body)
        return body.encode()


class CannedServer:
    """Gives `answer` to every request, dated by `clock` (epoch ms), and counts them in `asked`.

    An `answer` may be a function of a request's path and query.
    """

    def __init__(
        self, answer: Canned | Callable[[str, Mapping[str, str]], Canned], clock: Callable[[], int]
    ) -> None:
        self.answer = answer
        self.asked = 0
        self._clock = clock
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def url(self) -> str:
        """The base URL."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def headers(self, answer: Canned) -> dict[str, str]:
        """The headers of an answer, at this moment."""
        now_s = self._clock() // 1000
        headers = {"date": _http_date(now_s), "content-type": "application/json"}
        if answer.retry_at_s is not None:
            headers["retry-after"] = _http_date(now_s + answer.retry_at_s)
        return headers | dict(answer.headers)

    def answer_to(self, target: str) -> Canned:
        """The answer to a request for a path with its query."""
        if isinstance(self.answer, Canned):
            return self.answer
        parts = urlsplit(target)
        return self.answer(parts.path, dict(parse_qsl(parts.query)))

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        canned = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_GET(self) -> None:  # http.server's own name
                canned.asked += 1
                answer = canned.answer_to(self.path)
                body = answer.text()
                self.send_response_only(answer.status)
                for name, value in canned.headers(answer).items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        return Handler


def _http_date(at_s: int) -> str:
    return format_datetime(datetime.fromtimestamp(at_s, UTC), usegmt=True)
