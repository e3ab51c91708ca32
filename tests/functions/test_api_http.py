import gzip
import logging

import pytest
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import StreamingResponse

from marketdata.cache.client import connect
from marketdata.settings import Settings
from tests.api_service import NOON_MS, Service

MANY = ",".join(f"S{number}" for number in range(20))


def problem(reply):
    """The reply's status and code, once its shape is seen to be the one shape."""
    assert reply.headers["content-type"] == "application/problem+json"
    assert reply.headers["cache-control"] == "no-store"
    told = reply.json
    assert {"type", "title", "status", "detail", "code", "instance"} <= set(told)
    assert told["status"] == reply.status
    assert told["type"] == f"/docs#{told['code']}"
    return reply.status, told["code"]


def test_an_unchanged_answer_is_304(cache):
    """The tag is strong, and a 304 repeats what a cache needs."""
    service = Service(cache)
    service.price("AAPL")
    first = service.get("/v1/quotes?symbols=AAPL")
    tag = first.headers["etag"]
    assert tag.startswith('"')
    for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = service.get("/v1/quotes?symbols=AAPL", if_none_match=known)
        assert (again.status, again.body) == (304, b"")
        for name in ("etag", "cache-control", "vary"):
            assert again.headers[name] == first.headers[name]


def test_a_changed_answer_is_200_with_another_tag(cache):
    """A new price changes the bytes, and so the tag."""
    service = Service(cache)
    service.price("AAPL", age_s=10)
    tag = service.get("/v1/quotes?symbols=AAPL").headers["etag"]
    service.price("AAPL", price="183")
    reply = service.get("/v1/quotes?symbols=AAPL", if_none_match=tag)
    assert reply.status == 200
    assert reply.headers["etag"] != tag


def test_the_cache_control_leads_to_the_next_slot(cache):
    """At least a second, at most a slot."""
    service = Service(cache)
    service.price("AAPL")
    for later_ms, seconds in ((0, 5), (1, 5), (1_000, 4), (4_000, 1), (4_999, 1), (5_000, 5)):
        service.now_ms = NOON_MS + later_ms
        reply = service.get("/v1/quotes?symbols=AAPL")
        assert reply.headers["cache-control"] == f"public, max-age={seconds}"


def test_a_large_answer_is_compressed_for_those_who_take_it(cache):
    """The compressed bytes are others, so their tag is another; both are always the same."""
    service = Service(cache)
    service.price(*MANY.split(","))
    target = f"/v1/quotes?symbols={MANY}"
    plain, packed = service.get(target), service.get(target, accept_encoding="br, gzip")
    assert packed.headers["content-encoding"] == "gzip"
    assert int(packed.headers["content-length"]) == len(packed.body) < len(plain.body) / 3
    assert gzip.decompress(packed.body) == plain.body
    assert plain.headers["etag"] != packed.headers["etag"]
    assert plain.headers["vary"] == packed.headers["vary"] == "Accept-Encoding"
    assert service.get(target, accept_encoding="gzip").body == packed.body
    known = packed.headers["etag"]
    assert service.get(target, accept_encoding="gzip", if_none_match=known).status == 304
    assert service.get(target, if_none_match=known).status == 200


@pytest.mark.parametrize("header", ["", "identity", "gzip;q=0", "br", "*;q=0", "gzip;q=x"])
def test_nobody_gets_what_they_did_not_ask_for(cache, header):
    """Compression is the client's choice."""
    service = Service(cache)
    service.price(*MANY.split(","))
    reply = service.get(f"/v1/quotes?symbols={MANY}", accept_encoding=header)
    assert "content-encoding" not in reply.headers


def test_a_small_answer_is_not_compressed(cache):
    """Below a kilobyte there is nothing to gain."""
    service = Service(cache)
    service.price("AAPL")
    reply = service.get("/v1/quotes?symbols=AAPL", accept_encoding="gzip")
    assert "content-encoding" not in reply.headers


@pytest.mark.parametrize(
    "target",
    ["/v1/quotes?symbols=AAPL", "/v1/quotes/AAPL", "/v1/providers", "/openapi.json", "/docs", "/x"],
)
def test_head_is_get_without_the_body(cache, target):
    """Status and headers are those of GET, the length included."""
    service = Service(cache)
    service.price("AAPL")
    get, head = service.get(target), service.get(target, "HEAD")
    assert head.body == b""
    assert (head.status, head.headers) == (get.status, get.headers)
    assert int(head.headers["content-length"]) == len(get.body)


@pytest.mark.parametrize(
    "accept", ["application/json", "application/*", "*/*", "", "text/html,*/*;q=0.1"]
)
def test_json_goes_to_all_who_accept_it(cache, accept):
    """Browsers and curl among them."""
    service = Service(cache)
    assert service.get("/v1/providers", accept=accept).status == 200


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "*/*, application/json;q=0"])
def test_others_are_told_what_there_is(cache, accept):
    """A 406 names the one format."""
    reply = Service(cache).get("/v1/providers", accept=accept)
    assert problem(reply) == (406, "not_acceptable")
    assert "application/json" in reply.json["detail"]


@pytest.mark.parametrize(
    "path",
    ["/nope", "/v1", "/v1/quotesx", "/..%2f..%2fetc/passwd", "/%00", "/\ud800", "/v1/assets/"],
)
def test_an_unknown_path_is_a_problem(cache, path):
    """It points to the documentation."""
    reply = Service(cache).get(path)
    assert problem(reply) == (404, "no_such_route")


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"])
def test_other_methods_are_a_problem_with_an_allow_header(cache, method):
    """Everything here is only read."""
    reply = Service(cache).get("/v1/quotes?symbols=AAPL", method)
    assert problem(reply) == (405, "method_not_allowed")
    assert reply.headers["allow"] == "GET, HEAD"


@pytest.mark.parametrize("length", ["16385", "99999999999", "9" * 5000, "-1", "x"])
def test_a_request_body_is_not_wanted(cache, length):
    """A large or absurd one is refused unread."""
    reply = Service(cache).get("/v1/providers", content_length=length)
    assert problem(reply) == (413, "payload_too_large")


def test_every_answer_carries_the_security_headers(cache):
    """Problems and pages too."""
    service = Service(cache)
    for target in ("/v1/providers", "/nope", "/docs", "/health"):
        headers = service.get(target).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["content-security-policy"].startswith("default-src 'none'")


def test_any_origin_may_read_where_the_app_itself_says_so(cache):
    """A preflight tells what is allowed; errors are readable as well."""
    service = Service(cache, cors=True)
    for target in ("/v1/providers", "/nope"):
        headers = service.get(target, origin="https://example.com").headers
        assert headers["access-control-allow-origin"] == "*"
        assert headers["access-control-expose-headers"] == "ETag, Retry-After"
    reply = service.get(
        "/v1/quotes", "OPTIONS", origin="https://a.b", access_control_request_method="GET"
    )
    assert (reply.status, reply.body) == (204, b"")
    assert reply.headers["access-control-allow-origin"] == "*"
    assert reply.headers["access-control-allow-methods"] == "GET, HEAD"
    assert "If-None-Match" in reply.headers["access-control-allow-headers"]


def test_behind_a_gateway_the_app_leaves_cors_to_it(cache):
    """Two such headers would make browsers refuse the answer."""
    reply = Service(cache).get("/v1/providers", origin="https://example.com")
    assert not any(name.startswith("access-control") for name in reply.headers)


def test_an_unforeseen_failure_tells_nothing_of_itself(cache, caplog):
    """The log has it all, the client a 500 in the one shape."""
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
def test_what_the_framework_raises_is_a_problem_too(cache, error, expected):
    """Whatever it says of itself stays inside."""
    service = Service(cache)

    def fail(request):
        raise error

    service.app.add_route("/fail", fail)
    reply = service.get("/fail")
    assert problem(reply) == expected
    assert b"10.0.0.7" not in reply.body


def test_an_answer_that_breaks_off_is_not_made_to_look_whole(cache):
    """Its beginning is on its way, so the server must cut the connection."""
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
    """Not even a harmless one, which a cache in front would keep apart."""
    reply = Service(cache).get("/health?verbose=1")
    assert problem(reply) == (400, "unknown_parameter")
    assert reply.json["detail"] == "'verbose' is unknown; this route takes none."


def test_without_the_cache_all_data_is_a_503(redis_server, caplog):
    """It comes with Retry-After, and nothing of the cache's address."""
    cache = connect(Settings.from_env(redis_server.env()))
    service = Service(cache)
    redis_server.kill()
    targets = ("/v1/quotes?symbols=AAPL", "/v1/quotes/AAPL", "/v1/providers",
               "/v1/assets/crypto", "/v1/assets/crypto?q=bit")  # fmt: skip
    for target in targets:
        reply = service.get(target)
        assert problem(reply) == (503, "cache_unavailable")
        assert reply.headers["retry-after"] == "5"
        assert str(redis_server.port) not in reply.body.decode()
    assert {record.levelname for record in caplog.records} == {"ERROR"}
    assert str(redis_server.port) in caplog.records[0].error


def test_a_watch_note_that_fails_costs_the_client_nothing(cache, caplog):
    """A cache without room for the note still has the quotes."""
    service = Service(cache)
    service.price("TSLA")
    cache.command("CONFIG", "SET", "maxmemory", "1")
    try:
        reply = service.get("/v1/quotes?symbols=TSLA")
    finally:
        cache.command("CONFIG", "SET", "maxmemory", "0")
    assert [quote["symbol"] for quote in reply.json["quotes"]] == ["TSLA"]
    assert caplog.records[0].message == "watch note lost"
