"""Bytes that are not HTTP, sent to the local server."""

import json
import socket
from urllib.parse import urlsplit

import pytest

from local.service.http_protocol import BoundedProtocol
from tests.support.api_service import Service

HOST = b"\r\nHost: x\r\n\r\n"


def send(origin, request):
    """Return head and body of all that a server answers before it closes."""
    address = urlsplit(origin)
    with socket.create_connection((address.hostname, address.port), timeout=10) as connection:
        connection.sendall(request)
        answer = b""
        while part := connection.recv(65_536):
            answer += part
    head, _, body = answer.partition(b"\r\n\r\n")
    return head.decode().lower(), body


@pytest.mark.parametrize(
    "request_",
    [
        b"nonsense\r\n\r\n",
        b"GET /\x00 HTTP/1.1" + HOST,
        b"GET /\xff HTTP/1.1" + HOST,
        b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    ],
    ids=["nonsense", "NUL", "a byte", "a length", "TLS"],
)
def test_bytes_that_are_no_request_get_a_problem(cache, request_):
    """Bytes that are not a request get a 400, and the connection is closed."""
    with Service(cache).served(http=BoundedProtocol) as origin:
        head, body = send(origin, request_)
    assert head.startswith("http/1.1 400")
    assert "content-type: application/problem+json" in head
    assert "connection: close" in head
    problem = json.loads(body)
    assert (problem["status"], problem["code"]) == (400, "bad_request")


def test_a_valid_request_is_answered(cache):
    """A valid request is answered by the app."""
    with Service(cache).served(http=BoundedProtocol) as origin:
        head, body = send(
            origin, b"GET /v1/providers HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        )
    assert head.startswith("http/1.1 200")
    assert len(json.loads(body)["providers"]) == 5
