"""The one HTTP helper: what it sends, what it returns, and what it keeps secret."""

import gzip
import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from marketdata.errors import CallsSpentError
from marketdata.providers.contract import CallAllowance, Request, Response
from marketdata.version import VERSION
from tests.support.raw_server import OK, SECRET, answers, failure_of, secret_request


def test_params_headers_and_our_own_name_arrive(serve, sender):
    """Query, key header, user agent and an Accept that is not CSV reach the server."""
    server = serve(answers(OK))
    response = sender.send(Request(server.url, {"a": "1,2"}, {"X-Key": SECRET}), 5)
    assert response == Response(
        200, {"content-type": "application/json", "content-length": "2"}, b"{}"
    )
    text = server.requests[0].decode()
    assert text.startswith("GET /path?a=1%2C2 HTTP/1.1\r\n")
    assert f"X-Key: {SECRET}\r\n" in text
    assert f"User-Agent: market-data-aggregator/{VERSION}" in text
    assert "Accept: application/json, */*\r\n" in text


def test_a_json_body_is_posted(serve, sender):
    """A request may post JSON."""
    server = serve(answers(OK))
    sender.send(Request(server.url, method="POST", json={"size": 250}), 5)
    assert server.requests[0].startswith(b"POST /path HTTP/1.1\r\n")
    assert json.loads(server.requests[0].partition(b"\r\n\r\n")[2]) == {"size": 250}


def test_one_connection_carries_many_calls(serve, sender):
    """Calls one after the other reuse the connection."""
    server = serve(answers(OK))
    for _ in range(5):
        sender.send(Request(server.url), 5)
    assert (server.connections, len(server.requests)) == (1, 5)


def test_calls_of_many_threads_share_the_pool(serve, sender):
    """Thirty calls at a time are all answered and open no more than thirty connections."""
    server = serve(answers(OK))
    with ThreadPoolExecutor(30) as executor:
        for _ in range(3):
            list(executor.map(lambda _: sender.send(Request(server.url), 5), range(30)))
    assert len(server.requests) == 90
    assert server.connections <= 30


def test_gzip_is_unpacked(serve, sender):
    """A compressed body arrives unpacked."""
    body = gzip.compress(b'{"c":1}')
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(body)
    assert sender.send(Request(serve(answers(head + body)).url), 5).body == b'{"c":1}'


@pytest.mark.parametrize("status", [400, 401, 403, 429, 500, 503])
def test_any_status_is_an_answer(serve, sender, status):
    """Error statuses come back as responses, their headers with lower-case names."""
    raw = b"HTTP/1.1 %d No\r\nRetry-After: 7\r\nContent-Length: 1\r\n\r\nx" % status
    response = sender.send(Request(serve(answers(raw)).url), 5)
    assert (response.status, response.headers["retry-after"], response.body) == (status, "7", b"x")


def test_redirects_are_not_followed(serve, sender):
    """A redirect is returned as the answer, and its target gets no request."""
    other = serve(answers(OK))
    raw = b"HTTP/1.1 302 Found\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n" % other.url.encode()
    response = sender.send(secret_request(serve(answers(raw)).url), 5)
    assert response.status == 302
    assert other.connections == 0


def test_cookies_are_not_kept(serve, sender):
    """A cookie that one answer sets is not part of the next request."""
    server = serve(answers(OK.replace(b"\r\n\r\n", b"\r\nSet-Cookie: a=b\r\n\r\n")))
    sender.send(Request(server.url), 5)
    sender.send(Request(server.url), 5)
    assert b"cookie" not in server.requests[1].lower()


def test_a_call_is_taken_from_its_allowance(serve, sender):
    """Without a call left in the allowance, or after its end, nothing is sent."""
    server = serve(answers(OK))
    allowance = CallAllowance(2)
    for _ in range(2):
        assert sender.send(Request(server.url), 5, allowance).status == 200
    with pytest.raises(CallsSpentError, match="the 2 calls of this attempt are used"):
        sender.send(Request(server.url), 5, allowance)
    assert (allowance.left, allowance.close()) == (0, 2)
    ended = CallAllowance(1)
    assert ended.close() == 0
    with pytest.raises(CallsSpentError):
        sender.send(Request(server.url), 5, ended)
    assert len(server.requests) == 2


def test_no_time_is_no_call(serve, sender):
    """Without time left nothing is sent."""
    server = serve(answers(OK))
    assert failure_of(sender, secret_request(server.url), 0.0).endswith("no time left to ask")
    assert server.connections == 0


def test_a_key_that_no_header_can_hold_stays_secret(sender):
    """A key with a line break is an error that does not show the key."""
    request = Request("http://127.0.0.1:1/x", {}, {"X-Key": f"{SECRET}\n"})
    assert failure_of(sender, request) == "127.0.0.1:1: InvalidHeader"


def test_loopback_goes_through_no_proxy(serve, sender, monkeypatch):
    """A proxy of the environment is used for other hosts, and not for this machine."""
    server = serve(answers(OK))
    proxy = serve(answers(OK))
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    assert sender.send(Request(server.url), 5).status == 200
    assert proxy.connections == 0
    assert sender.send(Request("http://provider.invalid/quote"), 5).status == 200
    assert proxy.requests[0].startswith(b"GET http://provider.invalid/quote HTTP/1.1\r\n")


def test_a_request_shows_no_key(sender):
    """Neither a request nor a response shows its secrets when it is printed."""
    shown = repr(secret_request("http://127.0.0.1/x")) + repr(Response(200, {}, SECRET.encode()))
    assert SECRET not in shown
