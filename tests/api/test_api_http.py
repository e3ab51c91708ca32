"""HTTP behaviour of all routes: caching, compression, HEAD and security headers."""

import gzip

import pytest

from tests.support.api_service import NOON_MS, Service

MANY = ",".join(f"S{number}" for number in range(20))


def test_an_unchanged_answer_is_304(cache):
    """A known ETag gets 304 with the caching headers; the ETag is weak."""
    service = Service(cache)
    service.price("AAPL")
    first = service.get("/v1/quotes?symbols=AAPL")
    tag = first.headers["etag"]
    assert tag.startswith('W/"')
    for known in (tag, tag.removeprefix("W/"), f'"other", {tag}', "*"):
        again = service.get("/v1/quotes?symbols=AAPL", if_none_match=known)
        assert (again.status, again.body) == (304, b"")
        for name in ("etag", "cache-control", "vary"):
            assert again.headers[name] == first.headers[name]


def test_a_changed_answer_is_200_with_another_tag(cache):
    """A new price changes the ETag."""
    service = Service(cache)
    service.price("AAPL", age_s=10)
    tag = service.get("/v1/quotes?symbols=AAPL").headers["etag"]
    service.price("AAPL", price="183")
    reply = service.get("/v1/quotes?symbols=AAPL", if_none_match=tag)
    assert reply.status == 200
    assert reply.headers["etag"] != tag


def test_the_cache_control_leads_to_the_next_slot(cache):
    """`max-age` ends at the next slot and is at least one second."""
    service = Service(cache)
    service.price("AAPL")
    for later_ms, seconds in ((0, 5), (1, 5), (1_000, 4), (4_000, 1), (4_999, 1), (5_000, 5)):
        service.now_ms = NOON_MS + later_ms
        reply = service.get("/v1/quotes?symbols=AAPL")
        assert reply.headers["cache-control"] == f"public, max-age={seconds}"


def test_a_large_answer_is_compressed_for_clients_that_accept_gzip(cache):
    """A large answer is compressed for clients that accept gzip, with the same ETag."""
    service = Service(cache)
    service.price(*MANY.split(","))
    target = f"/v1/quotes?symbols={MANY}"
    plain, packed = service.get(target), service.get(target, accept_encoding="br, gzip")
    assert packed.headers["content-encoding"] == "gzip"
    assert int(packed.headers["content-length"]) == len(packed.body) < len(plain.body) / 3
    assert gzip.decompress(packed.body) == plain.body
    assert plain.headers["etag"] == packed.headers["etag"]
    assert plain.headers["vary"] == packed.headers["vary"] == "Accept-Encoding"
    known = packed.headers["etag"]
    assert service.get(target, accept_encoding="gzip", if_none_match=known).status == 304
    assert service.get(target, if_none_match=known).status == 304


@pytest.mark.parametrize("header", ["", "identity", "gzip;q=0", "br", "*;q=0", "gzip;q=x"])
def test_an_answer_is_compressed_only_for_gzip(cache, header):
    """An answer is not compressed unless the client accepts gzip."""
    service = Service(cache)
    service.price(*MANY.split(","))
    reply = service.get(f"/v1/quotes?symbols={MANY}", accept_encoding=header)
    assert "content-encoding" not in reply.headers


def test_a_small_answer_is_not_compressed(cache):
    """An answer below a kilobyte is not compressed."""
    service = Service(cache)
    service.price("AAPL")
    reply = service.get("/v1/quotes?symbols=AAPL", accept_encoding="gzip")
    assert "content-encoding" not in reply.headers


@pytest.mark.parametrize(
    "target",
    ["/v1/quotes?symbols=AAPL", "/v1/quotes/AAPL", "/v1/providers", "/openapi.json", "/docs", "/x"],
)
def test_head_is_get_without_the_body(cache, target):
    """HEAD has the status and all headers of GET."""
    service = Service(cache)
    service.price("AAPL")
    get, head = service.get(target), service.get(target, "HEAD")
    assert head.body == b""
    assert (head.status, head.headers) == (get.status, get.headers)
    assert int(head.headers["content-length"]) == len(get.body)


def test_every_answer_carries_the_security_headers(cache):
    """Each answer has the security headers, also problems and pages."""
    service = Service(cache)
    for target in ("/v1/providers", "/nope", "/docs", "/health"):
        headers = service.get(target).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["content-security-policy"].startswith("default-src 'none'")


def test_any_origin_may_read_where_the_app_itself_says_so(cache):
    """With `cors=True` any origin may read answers and errors, and a preflight is answered."""
    service = Service(cache, cors=True)
    for target in ("/v1/providers", "/nope"):
        headers = service.get(target, origin="https://example.com").headers
        assert headers["access-control-allow-origin"] == "*"
        assert headers["access-control-expose-headers"] == "ETag, Retry-After, X-Market-Data"
    reply = service.get(
        "/v1/quotes", "OPTIONS", origin="https://a.b", access_control_request_method="GET"
    )
    assert reply.status == 200
    assert reply.headers["access-control-allow-origin"] == "*"
    assert reply.headers["access-control-allow-methods"] == "GET, HEAD"
    assert "If-None-Match" in reply.headers["access-control-allow-headers"]


def test_behind_a_gateway_the_app_leaves_cors_to_it(cache):
    """With `cors=False` the app sends no CORS header, because the gateway adds them."""
    reply = Service(cache).get("/v1/providers", origin="https://example.com")
    assert not any(name.startswith("access-control") for name in reply.headers)
