"""Problems: all errors have the same shape."""

import logging

import pytest
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import StreamingResponse

from marketdata.cache.client import connect
from marketdata.settings import Settings
from tests.support.api_service import Service


def problem(reply):
    """Return status and code of a reply, after checking the shape of a problem."""
    assert reply.headers["content-type"] == "application/problem+json"
    assert reply.headers["cache-control"] == "no-store"
    problem = reply.json
    assert {"type", "title", "status", "detail", "code", "instance"} <= set(problem)
    assert problem["status"] == reply.status
    assert problem["type"] == f"/docs#{problem['code']}"
    return reply.status, problem["code"]


@pytest.mark.parametrize(
    "accept",
    ["application/json", "", "text/html", "application/xml", "*/*, application/json;q=0"],
)
def test_json_is_sent_whatever_accept_says(cache, accept):
    """An answer is JSON, also if `Accept` names other types."""
    reply = Service(cache).get("/v1/providers", accept=accept)
    assert (reply.status, reply.headers["content-type"]) == (200, "application/json")


@pytest.mark.parametrize(
    ("path", "nearest"),
    [
        ("/v1/quote", "/v1/quotes"),
        ("/v1/provider", "/v1/providers"),
        ("/v1/asset/stocks", "/v1/assets/stocks"),
        ("/v2/assets/crypto", "/v1/assets/crypto"),
        ("/healthz", "/health"),
        ("/v1/histroy", "/v1/history"),
        ("/v1/serach", "/v1/search"),
    ],
)
def test_a_wrong_path_names_the_nearest_one(cache, path, nearest):
    """A wrong path gets 404, and the detail names the nearest path."""
    reply = Service(cache).get(path)
    assert problem(reply) == (404, "no_such_route")
    assert reply.json["detail"] == f"{path} does not exist; did you mean {nearest}?"


@pytest.mark.parametrize(
    "path",
    ["/nope", "/v1", "/v1/quotesx", "/..%2f..%2fetc/passwd", "/%00", "/\ud800", "/v1/assets/"],
)
def test_an_unknown_path_is_a_problem(cache, path):
    """A path without a similar route gets 404."""
    reply = Service(cache).get(path)
    assert problem(reply) == (404, "no_such_route")


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"])
def test_other_methods_are_a_problem_with_an_allow_header(cache, method):
    """A method other than GET and HEAD gets 405 with Allow."""
    reply = Service(cache).get("/v1/quotes?symbols=AAPL", method)
    assert problem(reply) == (405, "method_not_allowed")
    assert reply.headers["allow"] == "GET, HEAD"


@pytest.mark.parametrize("length", ["16385", "99999999999", "9" * 5000, "-1", "x"])
def test_a_request_body_is_not_wanted(cache, length):
    """A large or invalid Content-Length gets 413, and the body is not read."""
    reply = Service(cache).get("/v1/providers", content_length=length)
    assert problem(reply) == (413, "payload_too_large")


def test_an_exception_is_logged_and_not_sent_to_the_client(cache, caplog):
    """An exception is logged in full, and the client gets a 500 without its text."""
    service = Service(cache)

    def fail(request):
        raise RuntimeError("the secret place is /etc/secret")

    service.app.add_route("/boom", fail)
    with caplog.at_level(logging.ERROR, "marketdata.api"):
        reply = service.get("/boom")
    assert problem(reply) == (500, "internal_error")
    assert reply.headers["x-content-type-options"] == "nosniff"
    for inside in ("secret", "RuntimeError", "Traceback", "boom("):
        assert inside not in reply.body.decode()
    assert caplog.records[0].message == "request failed"
    assert "the secret place" in caplog.text


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (HTTPException(418), (400, "bad_request")),
        (HTTPException(502, "upstream 10.0.0.7"), (500, "internal_error")),
        (
            RequestValidationError([{"loc": ("query", "page"), "msg": "x"}]),
            (400, "invalid_parameter"),
        ),
    ],
)
def test_an_exception_of_the_framework_is_a_problem(cache, error, expected):
    """An exception of the framework becomes a problem without its text."""
    service = Service(cache)

    def fail(request):
        raise error

    service.app.add_route("/fail", fail)
    reply = service.get("/fail")
    assert problem(reply) == expected
    assert b"10.0.0.7" not in reply.body


def test_an_exception_within_an_answer_is_raised(cache):
    """An exception in the middle of an answer is raised, so the server closes the connection."""
    service = Service(cache)

    async def broken(request):
        async def parts():
            yield b"the first part"
            raise RuntimeError("and no second")

        return StreamingResponse(parts())

    service.app.add_route("/broken", broken)
    with pytest.raises(RuntimeError, match="and no second"):
        service.get("/broken")


def test_a_route_without_parameters_takes_none(cache):
    """A route without parameters refuses each parameter."""
    reply = Service(cache).get("/health?verbose=1")
    assert problem(reply) == (400, "unknown_parameter")
    assert reply.json["detail"] == "'verbose' is unknown; this route takes none."


def test_without_the_cache_all_data_is_a_503(redis_server, caplog):
    """Without Redis each data route gets 503 with Retry-After and without the address of Redis."""
    cache = connect(Settings.from_env(redis_server.env()), caller_time=True)
    service = Service(cache)
    redis_server.kill()
    targets = ("/v1/quotes?symbols=AAPL", "/v1/quotes/AAPL", "/v1/providers",
               "/v1/assets/crypto", "/v1/assets/crypto?q=bit")  # fmt: skip
    for target in targets:
        reply = service.get(target)
        assert problem(reply) == (503, "cache_unavailable")
        assert reply.headers["retry-after"] == "5"
        assert str(redis_server.port) not in reply.body.decode()
    errors = [record for record in caplog.records if record.levelname != "INFO"]
    assert {record.levelname for record in errors} == {"ERROR"}
    assert str(redis_server.port) in errors[0].error


@pytest.mark.parametrize("symbols", ["TSLA", "TSLA,NOPE123"])
def test_a_watch_note_that_fails_costs_the_client_nothing(cache, caplog, symbols):
    """If Redis has no room for the note, the quote is served, and no text says "is watched"."""
    service = Service(cache)
    service.price("TSLA")
    cache.command("CONFIG", "SET", "maxmemory", "1")
    try:
        reply = service.get(f"/v1/quotes?symbols={symbols}")
    finally:
        cache.command("CONFIG", "SET", "maxmemory", "0")
    assert [quote["symbol"] for quote in reply.json["quotes"]] == ["TSLA"]
    assert len(reply.json["errors"]) == symbols.count(",")
    assert "is watched" not in reply.body.decode()
    assert caplog.records[0].message == "watch note lost"
