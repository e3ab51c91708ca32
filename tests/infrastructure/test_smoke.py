"""`make smoke` on servers with wrong responses: each check fails by its name."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.deployment.smoke import CHECKS, ORIGIN, SYMBOLS, Target, main, smoke

NAMES = [check.__name__.replace("_", " ") for check in CHECKS]
QUOTES = [
    {
        "symbol": symbol,
        "asset_class": asset_class,
        "price": 1.5,
        "currency": "USD",
        "source": "yfinance",
        "stale": False,
    }
    for asset_class, symbol in SYMBOLS.items()
]
HTML, JSON, PROBLEM = "text/html; charset=utf-8", "application/json", "application/problem+json"
GOOD = {
    "GET /health": (200, JSON, {"status": "healthy", "reasons": []}),
    "GET /v1/quotes": (200, JSON, {"quotes": QUOTES, "errors": []}),
    "GET /v1/quotes?symbol=": (400, PROBLEM, {"code": "bad", "detail": "no parameter symbol"}),
    "GET /": (200, HTML, "<html>"),
    "GET /docs": (200, HTML, "<html>"),
    "GET /openapi.json": (200, JSON, {"paths": {"/v1/quotes": {}}}),
    "OPTIONS /v1/quotes": (204, JSON, ""),
}
CORS = {"Access-Control-Allow-Origin": "*", "Access-Control-Allow-Methods": "GET,HEAD"}


class FakeApi:
    """A server whose responses are `answers` by method and path, with `headers` in each."""

    def __init__(self) -> None:
        self.answers = dict(GOOD)
        self.headers = dict(CORS)
        self.authorization: set[str | None] = set()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def run(self) -> None:
        """Serve until `stop`."""
        self._server.serve_forever(0.01)

    def stop(self) -> None:
        """End and free the port."""
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        api = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                path, _, query = self.path.partition("?")
                api.authorization.add(self.headers["Authorization"])
                wrong = f"{self.command} {path}?{query.partition('=')[0]}="
                status, kind, body = api.answers.get(wrong) or api.answers[f"{self.command} {path}"]
                self.send_response(status)
                for name, value in {**api.headers, "Content-Type": kind}.items():
                    self.send_header(name, value)
                text = body if isinstance(body, str) else json.dumps(body)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text.encode())

            do_OPTIONS = do_GET  # noqa: N815 - named by the base class

            def log_message(self, *_: object) -> None:
                pass

        return Handler


@pytest.fixture
def api() -> Iterator[FakeApi]:
    """A server that passes every check."""
    served = FakeApi()
    thread = threading.Thread(target=served.run)
    thread.start()
    yield served
    served.stop()
    thread.join()


def failed(api: FakeApi) -> list[str]:
    """The names of the checks that fail."""
    lines: list[tuple[str, str]] = []
    passed = smoke(Target(api.url), 0, lambda what, line: lines.append((what, line)))
    found = [line.partition(":")[0] for what, line in lines if what == "FAILED"]
    assert [line.partition(":")[0] for _, line in lines] == NAMES
    assert passed is not bool(found)
    return found


def test_a_good_service_passes(api):
    """Every check passes on responses as the API gives them."""
    assert failed(api) == []


@pytest.mark.parametrize(
    ("place", "answer", "name"),
    [
        ("GET /health", (503, JSON, {"status": "unhealthy"}), "health"),
        ("GET /health", (200, JSON, {"status": "unhealthy", "reasons": []}), "health"),
        ("GET /health", (200, JSON, "[1]"), "health"),
        ("GET /v1/quotes", (403, JSON, {"message": "Forbidden"}), "quotes"),
        ("GET /v1/quotes", (200, JSON, {"quotes": QUOTES[:2], "errors": []}), "quotes"),
        (
            "GET /v1/quotes",
            (200, JSON, {"quotes": [{**one, "stale": True} for one in QUOTES], "errors": []}),
            "quotes",
        ),
        (
            "GET /v1/quotes",
            (200, JSON, {"quotes": [{**one, "price": 0} for one in QUOTES], "errors": []}),
            "quotes",
        ),
        ("GET /v1/quotes", (200, JSON, {}), "quotes"),
        ("GET /v1/quotes", (200, JSON, {"quotes": [{"symbol": "AAPL"}], "errors": []}), "quotes"),
        ("GET /v1/quotes", (200, JSON, {"quotes": [], "errors": [{"symbol": "AAPL"}]}), "quotes"),
        (
            "GET /v1/quotes",
            (200, JSON, {"quotes": [{**one, "price": None} for one in QUOTES], "errors": []}),
            "quotes",
        ),
        ("GET /health", (200, JSON, {"status": "healthy", "reasons": None}), "health"),
        ("GET /health", (200, HTML, "<html>"), "health"),
        ("GET /", (200, JSON, {}), "board"),
        ("GET /docs", (404, HTML, ""), "documentation"),
        ("GET /openapi.json", (200, JSON, {"paths": {}}), "documentation"),
        ("OPTIONS /v1/quotes", (403, JSON, ""), "cors"),
        ("GET /v1/quotes?symbol=", (200, JSON, {"quotes": []}), "invalid request"),
        ("GET /v1/quotes?symbol=", (400, JSON, {"detail": "symbol"}), "invalid request"),
        ("GET /v1/quotes?symbol=", (400, PROBLEM, {"detail": "no"}), "invalid request"),
    ],
)
def test_a_wrong_answer_fails_its_check_alone(api, place, answer, name):
    """The check that a wrong response belongs to fails, and all others still run."""
    api.answers[place] = answer
    assert failed(api) == [name]


@pytest.mark.parametrize(
    "headers",
    [{}, {"Access-Control-Allow-Origin": "https://other.example"}, CORS],
    ids=["none", "another origin", "no methods"],
)
def test_cors_that_lets_no_browser_in_fails(api, headers):
    """Without an allowed origin or an allowed GET a page of another origin cannot read the API."""
    api.headers = {name: value for name, value in headers.items() if "Methods" not in name}
    assert failed(api) == ["cors"]


def test_an_origin_that_is_allowed_by_name_passes(api):
    """With AllowedOrigins the gateway names the origin that asked, in place of `*`."""
    api.headers["Access-Control-Allow-Origin"] = ORIGIN
    assert failed(api) == []


def test_nobody_there_fails_every_check(api):
    """If no server answers, every check fails with the address in its line."""
    lines: list[str] = []
    target = Target("http://127.0.0.1:9")
    assert not smoke(target, 0, lambda what, line: lines.append(f"{what} {line}"))
    assert len(lines) == len(CHECKS)
    assert all(line.startswith("FAILED") and "127.0.0.1:9" in line for line in lines)


def test_the_command_sends_the_token_and_exits_by_the_result(api, capsys):
    """The exit code is 0 where all passes, and 1 where a check fails."""
    arguments = [api.url, "--wait", "0", "--header", "Authorization: Bearer abc"]
    assert main(arguments) == 0
    assert "Bearer abc" in api.authorization
    api.answers["GET /"] = (500, HTML, "")
    assert main(arguments) == 1
    assert "FAILED  board: expected 200 for /, not 500" in capsys.readouterr().out


@pytest.mark.parametrize("url", ["", "example.com", "ftp://example.com", "https://", "http://[1"])
def test_an_invalid_address_is_an_error_at_once(url, capsys):
    """An invalid address is an error that says what is allowed, without any request."""
    with pytest.raises(SystemExit):
        main([url])
    assert f"argument url: {url!r} is not http://HOST or https://HOST" in capsys.readouterr().err


@pytest.mark.parametrize("missing", SYMBOLS.values())
def test_a_class_without_a_price_is_named_with_its_reason(api, missing, capsys):
    """The line of the failed check has the symbol and the code of its error."""
    left = [one for one in QUOTES if one["symbol"] != missing]
    errors = [{"symbol": missing, "code": "provider_unavailable"}]
    api.answers["GET /v1/quotes"] = (200, JSON, {"quotes": left, "errors": errors})
    assert main([api.url, "--wait", "0"]) == 1
    line = f"FAILED  quotes: expected a quote of {missing} (provider_unavailable)"
    assert line in capsys.readouterr().out


def test_a_header_without_a_colon_is_an_error_with_its_name(capsys):
    """A misspelt --header is named, with the form that is allowed."""
    with pytest.raises(SystemExit):
        main(["https://example.com", "--header", "Authorization"])
    assert "argument --header: 'Authorization' is not NAME:VALUE" in capsys.readouterr().err
