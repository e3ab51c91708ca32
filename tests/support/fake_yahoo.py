"""A real HTTP server on 127.0.0.1 that has Yahoo's formats, and is as strict as Yahoo.

A crumb needs the cookie, and a quote needs the crumb. `faults` replaces the answers of a path.
"""

import json
import threading
from collections import defaultdict, deque
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple, Self
from urllib.parse import parse_qs, urlsplit

QUOTE, CRUMB, SCREENER = "/v7/finance/quote", "/v1/test/getcrumb", "/v1/finance/screener"
COOKIE, CHART = "/", "/v8/finance/chart/"
GOOD_CRUMB = "CrumbExmpl1"


class Answer(NamedTuple):
    """One answer; `headers` are sent in addition to the type and the length."""

    status: int
    body: bytes | str | dict
    kind: str = "application/json;charset=utf-8"
    headers: tuple[tuple[str, str], ...] = ()


class Seen(NamedTuple):
    """A request that was received."""

    method: str
    path: str
    query: dict[str, str]
    cookies: str
    body: str


INVALID_CRUMB = Answer(
    401,
    {
        "finance": {
            "result": None,
            "error": {"code": "Unauthorized", "description": "Invalid Crumb"},
        }
    },
)
INVALID_COOKIE = Answer(
    401,
    {
        "finance": {
            "result": None,
            "error": {"code": "Unauthorized", "description": "Invalid Cookie"},
        }
    },
)
NOT_FOUND = Answer(
    404, {"chart": {"result": None, "error": {"code": "Not Found", "description": ""}}}
)
TOO_MANY = Answer(429, "Too Many Requests\r\n", "text/plain")
DOWN = Answer(200, "<!DOCTYPE html><html>Will be right back</html>", "text/html")
UPSTREAM = Answer(502, "<html>502</html>", "text/html")


class FakeYahoo:
    """The server; `faults[path]` are answers to give first, one a request."""

    def __init__(self, prefix: str = "") -> None:
        self.prefix = prefix
        self.crumb = GOOD_CRUMB
        self.rows: dict[str, dict | list[dict]] = {}
        self.charts: dict[str, dict] = {}
        self.pages: dict[int, list[dict]] = {}
        self.seen: list[Seen] = []
        self.faults: dict[str, deque[Answer | Callable]] = defaultdict(deque)
        self.gone: set[str] = set()
        self.released = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.released.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def url(self) -> str:
        """The base URL."""
        return f"http://{self.netloc}{self.prefix}"

    @property
    def netloc(self) -> str:
        """Host and port, as messages name it."""
        return f"127.0.0.1:{self._server.server_port}"

    def paths(self) -> list[str]:
        """The paths of all requests, in order."""
        return [seen.path for seen in self.seen]

    def answer(self, seen: Seen) -> Answer | Callable:
        """The answer to a request."""
        if self.faults[seen.path]:
            return self.faults[seen.path].popleft()
        if seen.path in self.gone:
            return Answer(404, "gone", "text/plain")
        return self._data(seen) if seen.path in (QUOTE, SCREENER) else self._open_to_all(seen)

    def _open_to_all(self, seen: Seen) -> Answer:
        if seen.path == COOKIE:
            flags = "Domain=.yahoo.com; Path=/; Secure; HttpOnly"
            return Answer(404, "", "text/html", (("Set-Cookie", f"A3=d=cookie; {flags}"),))
        if seen.path == CRUMB:
            has_cookie = "A3=d=cookie" in seen.cookies
            return Answer(200, self.crumb, "text/plain") if has_cookie else INVALID_COOKIE
        chart = self.charts.get(seen.path.removeprefix(CHART))
        return NOT_FOUND if chart is None else Answer(200, chart)

    def _data(self, seen: Seen) -> Answer:
        if seen.query.get("crumb") != self.crumb or "A3=d=cookie" not in seen.cookies:
            return INVALID_CRUMB
        if seen.path == SCREENER:
            quotes = self.pages.get(json.loads(seen.body)["offset"], [])
            return Answer(200, {"finance": {"result": [{"quotes": quotes}], "error": None}})
        names = seen.query["symbols"].split(",")
        found = [row for name in reversed(names) for row in self._rows_of(name)]
        return Answer(200, {"quoteResponse": {"result": found, "error": None}})

    def _rows_of(self, name: str) -> list[dict]:
        """The rows of a symbol: none, one, or several as a test wrote them."""
        rows = self.rows.get(name, [])
        return rows if isinstance(rows, list) else [rows]

    def asked(self) -> list[list[str]]:
        """The symbols of each quote call that was received."""
        return [seen.query["symbols"].split(",") for seen in self.seen if seen.path == QUOTE]

    def hang(self, _handler: BaseHTTPRequestHandler) -> None:
        """An answer that never comes."""
        self.released.wait()

    def drip(self, handler: BaseHTTPRequestHandler) -> None:
        """An answer that is sent byte by byte, without an end."""
        handler.send_response(200)
        handler.send_header("Content-Length", "100000")
        handler.end_headers()
        while not self.released.wait(0.02):
            handler.wfile.write(b" ")

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        fake = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def _answer(self) -> None:
                parts = urlsplit(self.path)
                length = int(self.headers.get("Content-Length") or 0)
                seen = Seen(
                    self.command,
                    parts.path.removeprefix(fake.prefix) or "/",
                    {name: values[0] for name, values in parse_qs(parts.query).items()},
                    self.headers.get("Cookie", ""),
                    self.rfile.read(length).decode(),
                )
                fake.seen.append(seen)
                answer = fake.answer(seen)
                try:
                    if isinstance(answer, Answer):
                        self._send(answer)
                    else:
                        answer(self)
                        self.close_connection = True
                except OSError:
                    self.close_connection = True

            do_GET = do_POST = _answer  # noqa: N815  # http.server's own names

            def _send(self, answer: Answer) -> None:
                body = json.dumps(answer.body) if isinstance(answer.body, dict) else answer.body
                body = body.encode() if isinstance(body, str) else body
                self.send_response(answer.status)
                self.send_header("Content-Type", answer.kind)
                self.send_header("Content-Length", str(len(body)))
                for name, value in answer.headers:
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        return Handler


def quote_row(symbol: str, price: float, **more: object) -> dict:
    """A v7 row as Yahoo writes one for a share."""
    return {
        "symbol": symbol,
        "quoteType": "EQUITY",
        "currency": "USD",
        "regularMarketPrice": price,
        "regularMarketTime": 1739566800,
        "regularMarketChange": 3.0700073,
        "regularMarketChangePercent": 1.2710667,
        **more,
    }


def chart(symbol: str, price: float, close: float, **more: object) -> dict:
    """A chart of one day, as the chart call answers for `range=1d`."""
    meta = {
        "symbol": symbol,
        "currency": "USD",
        "instrumentType": "EQUITY",
        "exchangeTimezoneName": "America/New_York",
        "regularMarketTime": 1739998801,
        "regularMarketPrice": price,
        "chartPreviousClose": close,
        "priceHint": 2,
        "range": "1d",
        "validRanges": ["1d", "5d"],
        **more,
    }
    bars = {name: [price] for name in ("open", "high", "low", "close")} | {"volume": [100]}
    indicators = {"quote": [bars], "adjclose": [{"adjclose": [price]}]}
    result = {"meta": meta, "timestamp": [1739998800], "indicators": indicators}
    return {"chart": {"result": [result], "error": None}}
