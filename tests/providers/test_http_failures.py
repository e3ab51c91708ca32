"""The one HTTP helper against servers that are silent, slow, broken or not there."""

import gzip
import socket
import threading
from contextlib import suppress
from dataclasses import replace

import pytest

from marketdata.providers.contract import Request
from marketdata.providers.http import HttpSender
from tests.support.raw_server import OK, SECRET, Server, answers, failure_of, secret_request


def test_a_silent_server_is_left_at_the_deadline(serve, sender):
    """A call to a server that sends nothing ends at the deadline, with its connection."""

    def answer(server: Server, connection: socket.socket, text: bytes) -> bool:
        server.await_hang_up(connection)
        return False

    server = serve(answer)
    message = failure_of(sender, secret_request(server.url), 0.3)
    assert message in (
        f"127.0.0.1:{server.port}: no answer within 0.3 s",
        f"127.0.0.1:{server.port}: no answer in time",
    )
    assert server.hung_up.wait(5)


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\nX-Long: ",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n",
    ],
    ids=["headers", "body", "body without length"],
)
def test_a_dripping_server_is_left_at_the_deadline(serve, sender, head):
    """The deadline is for the whole answer, also if single bytes arrive all the time."""

    def answer(server: Server, connection: socket.socket, text: bytes) -> bool:
        connection.sendall(head)
        server.drip(connection, b"x")
        return False

    server = serve(answer)
    message = failure_of(sender, secret_request(server.url), 0.3)
    assert message == f"127.0.0.1:{server.port}: no answer within 0.3 s"
    assert server.hung_up.wait(5)


def test_the_connection_after_an_abandoned_one_is_new(serve, sender):
    """After an abandoned call the next call gets a new connection, and its own answer."""

    def answer(server: Server, connection: socket.socket, text: bytes) -> bool:
        if len(server.requests) == 1:
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nlate")
            server.await_hang_up(connection)
            return False
        connection.sendall(OK)
        return True

    server = serve(answer)
    failure_of(sender, Request(server.url), 0.3)
    assert sender.send(Request(server.url), 5).body == b"{}"
    assert server.connections == 2


def test_a_read_timeout_is_shorter_than_a_long_deadline(serve):
    """A call to a server that is silent for the read timeout ends before the deadline."""
    sender = HttpSender(read_timeout_s=0.2)

    def answer(server: Server, connection: socket.socket, text: bytes) -> bool:
        server.await_hang_up(connection)
        return False

    server = serve(answer)
    message = failure_of(sender, secret_request(server.url), 20)
    sender.close()
    assert message == f"127.0.0.1:{server.port}: no answer in time"


def test_a_refused_connection_is_named(sender):
    """The error of a refused connection names the host, the port and the cause."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    message = failure_of(sender, secret_request(f"http://127.0.0.1:{port}/x"))
    assert message == f"127.0.0.1:{port}: connection refused"


def test_an_unknown_host_is_named(sender):
    """The error about a host without an address names the host."""
    message = failure_of(sender, secret_request("http://nowhere.invalid/x"))
    assert message.startswith("nowhere.invalid: ")
    assert "resolved" in message or "no answer" in message


def test_a_closed_connection_is_named(serve, sender):
    """The error about a server that closes the connection says so, after one request."""
    server = serve(lambda *_: False)
    message = failure_of(sender, secret_request(server.url))
    assert message.startswith(f"127.0.0.1:{server.port}: ")
    assert "closed" in message or "reset" in message
    assert len(server.requests) == 1


def test_a_body_that_ends_early_is_no_answer(serve, sender):
    """A body with fewer bytes than announced is an error."""

    def answer(server: Server, connection: socket.socket, text: bytes) -> bool:
        connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"c":')
        return False

    server = serve(answer)
    message = failure_of(sender, secret_request(server.url))
    assert message == f"127.0.0.1:{server.port}: the answer was cut off"


def test_a_chunked_body_that_ends_early_is_no_answer(serve, sender):
    """A chunked body without its last chunk is an error."""

    def answer(server: Server, connection: socket.socket, text: bytes) -> bool:
        head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        connection.sendall(head + b'5\r\n{"c":\r\n')
        return False

    server = serve(answer)
    message = failure_of(sender, secret_request(server.url))
    assert message == f"127.0.0.1:{server.port}: the answer was cut off"


def test_a_body_that_does_not_unpack_is_no_answer(serve, sender):
    """A body that is declared as gzip and is not gzip is an error that says so."""
    raw = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nplain"[:-1]
    message = failure_of(sender, secret_request(serve(answers(raw)).url))
    assert message.endswith("the answer could not be unpacked")


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
def test_a_body_over_the_limit_is_an_error(serve, sender, packed):
    """A body is read no further than the request allows, counted after unpacking."""
    body = b"0" * 1_000_000
    encoding = b"Content-Encoding: gzip\r\n" if packed else b""
    body = gzip.compress(body) if packed else body
    head = b"HTTP/1.1 200 OK\r\n%sContent-Length: %d\r\n\r\n" % (encoding, len(body))
    request = replace(secret_request(serve(answers(head + body)).url), most_bytes=100_000)
    assert failure_of(sender, request).endswith("an answer of more than 100000 bytes")


def test_an_endless_body_is_left_at_the_limit(serve, sender):
    """A body without an end is not read beyond the limit, and is an error."""

    def answer(server: Server, connection: socket.socket, text: bytes) -> bool:
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        with suppress(OSError):
            while True:
                connection.sendall(b"10000\r\n" + b"0" * 65536 + b"\r\n")
        return False

    request = secret_request(serve(answer).url)
    assert failure_of(sender, request, 60).endswith(f"an answer of more than {2 * 1024**2} bytes")


def test_something_that_is_not_http_is_no_answer(serve, sender):
    """An answer that is not HTTP is an error with the server's address."""
    message = failure_of(sender, secret_request(serve(answers(b"220 mail ready\r\n")).url))
    assert message.startswith("127.0.0.1:")


def test_a_tls_handshake_without_an_end_is_left_at_the_deadline(serve, sender):
    """A call to a server that never answers the TLS handshake ends at the deadline."""
    server = serve(answers(OK))
    message = failure_of(sender, secret_request(server.url.replace("http:", "https:")), 0.3)
    assert message.startswith(f"127.0.0.1:{server.port}: no ")


def test_a_tls_handshake_with_garbage_is_named(serve, sender):
    """The error about plain text in answer to a TLS handshake names TLS."""
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]

    def greet() -> None:
        connection, _ = listener.accept()
        with connection, suppress(OSError):
            connection.recv(4096)
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            connection.recv(4096)

    thread = threading.Thread(target=greet)
    thread.start()
    message = failure_of(sender, secret_request(f"https://127.0.0.1:{port}/x"))
    thread.join(5)
    listener.close()
    assert message.startswith(f"127.0.0.1:{port}: TLS: ")


def test_a_proxy_that_is_away_is_named(sender, monkeypatch):
    """The error about a proxy that does not answer says so, without the proxy's password."""
    monkeypatch.setenv("http_proxy", f"http://user:{SECRET}@127.0.0.1:1")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    message = failure_of(sender, secret_request("http://provider.invalid/quote"))
    assert message == "provider.invalid: the proxy did not connect us"
