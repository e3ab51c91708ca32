"""The one HTTP helper against real servers, most of which misbehave."""

import gzip
import json
import re
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import replace

import pytest

from marketdata.errors import CallsSpentError, UnavailableError
from marketdata.providers.contract import CallAllowance, Request, Response
from marketdata.providers.http import HttpSender

SECRET = "planted-Key-0123456789"
OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"


class Server:
    """A TCP server that gives each request's text to `answer`, which writes what it likes.

    `answer` returns whether the connection stays open for another request.
    """

    def __init__(self, answer: Callable[["Server", socket.socket, bytes], bool]) -> None:
        self.answer = answer
        self.requests: list[bytes] = []
        self.connections = 0
        self.closing = threading.Event()
        self.hung_up = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}/path"

    def drip(self, connection: socket.socket, byte: bytes) -> None:
        """Send one byte again and again until the client hangs up or the test ends."""
        with suppress(OSError):
            while not self.closing.wait(0.02):
                connection.sendall(byte)
        self.hung_up.set()

    def await_hang_up(self, connection: socket.socket) -> None:
        """Say nothing until the client hangs up."""
        with suppress(OSError):
            while connection.recv(4096):
                pass
        self.hung_up.set()

    def close(self) -> None:
        """End the drips, stop listening and see every thread end."""
        self.closing.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(5)
            assert not thread.is_alive()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self.connections += 1
                thread = threading.Thread(target=self._serve, args=(connection,))
                self._threads.append(thread)
                thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            stays = True
            while stays:
                text = b""
                while not _is_whole(text):
                    chunk = connection.recv(65536)
                    if not chunk:
                        return
                    text += chunk
                self.requests.append(text)
                stays = self.answer(self, connection, text)


def _is_whole(text: bytes) -> bool:
    head, end, body = text.partition(b"\r\n\r\n")
    length = re.search(rb"Content-Length: (\d+)", head)
    return bool(end) and len(body) >= (int(length[1]) if length else 0)


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    """Start servers; every client of the test is closed before they are."""
    with ExitStack() as stack:

        def start(answer: Callable[[Server, socket.socket, bytes], bool]) -> Server:
            server = Server(answer)
            stack.callback(server.close)
            return server

        yield start


@pytest.fixture
def sender(serve) -> Iterator[HttpSender]:
    """The sender under test, closed before the servers are."""
    sender = HttpSender()
    yield sender
    sender.close()


def answers(raw: bytes) -> Callable[[Server, socket.socket, bytes], bool]:
    """An answer to every request, over a connection that stays open."""

    def answer(server: Server, connection: socket.socket, text: bytes) -> bool:
        connection.sendall(raw)
        return True

    return answer


def secret_request(url: str) -> Request:
    """A request with a key in its query and in a header."""
    return Request(url, {"apikey": SECRET}, {"X-Finnhub-Token": SECRET})


def failure_of(sender: HttpSender, request: Request, timeout_s: float = 5.0) -> str:
    """The message of the error that a request ends in, after a look for secrets in all of it."""
    with pytest.raises(UnavailableError) as caught:
        sender.send(request, timeout_s)
    error: BaseException | None = caught.value
    while error is not None:
        assert SECRET not in f"{error!s} {error!r} {error.args}"
        assert "apikey" not in str(error)
        error = error.__cause__ or error.__context__
    return str(caught.value)


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
    assert "User-Agent: market-data-aggregator/" in text
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
    """A redirect is handed back, and the place that it names never hears of the key."""
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


def test_a_server_that_says_nothing_is_left_at_the_deadline(serve, sender):
    """A hang before the headers ends at the deadline, and the connection with it."""

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
    """A byte now and then keeps no call alive: the deadline is for all of the answer."""

    def answer(server: Server, connection: socket.socket, text: bytes) -> bool:
        connection.sendall(head)
        server.drip(connection, b"x")
        return False

    server = serve(answer)
    message = failure_of(sender, secret_request(server.url), 0.3)
    assert message == f"127.0.0.1:{server.port}: no answer within 0.3 s"
    assert server.hung_up.wait(5)


def test_the_connection_after_an_abandoned_one_is_new(serve, sender):
    """What a late answer leaves in its connection is never read as the next call's answer."""

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
    """A server that stays silent for the read timeout is given up before the deadline."""
    sender = HttpSender(read_timeout_s=0.2)

    def answer(server: Server, connection: socket.socket, text: bytes) -> bool:
        server.await_hang_up(connection)
        return False

    server = serve(answer)
    message = failure_of(sender, secret_request(server.url), 20)
    sender.close()
    assert message == f"127.0.0.1:{server.port}: no answer in time"


def test_a_refused_connection_is_named(sender):
    """A port that nobody listens on is named by host, port and what happened."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    message = failure_of(sender, secret_request(f"http://127.0.0.1:{port}/x"))
    assert message == f"127.0.0.1:{port}: connection refused"


def test_an_unknown_host_is_named(sender):
    """A host without an address is named."""
    message = failure_of(sender, secret_request("http://nowhere.invalid/x"))
    assert message.startswith("nowhere.invalid: ")
    assert "resolved" in message or "no answer" in message


def test_a_closed_connection_is_named(serve, sender):
    """A server that hangs up before an answer is named as that, and asked only once."""
    server = serve(lambda *_: False)
    message = failure_of(sender, secret_request(server.url))
    assert message.startswith(f"127.0.0.1:{server.port}: ")
    assert "closed" in message or "reset" in message
    assert len(server.requests) == 1


def test_a_body_that_ends_early_is_no_answer(serve, sender):
    """Fewer bytes than announced are not handed on as if they were all."""

    def answer(server: Server, connection: socket.socket, text: bytes) -> bool:
        connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"c":')
        return False

    server = serve(answer)
    message = failure_of(sender, secret_request(server.url))
    assert message == f"127.0.0.1:{server.port}: the answer was cut off"


def test_a_chunked_body_that_ends_early_is_no_answer(serve, sender):
    """A chunked body without its last chunk is not handed on either."""

    def answer(server: Server, connection: socket.socket, text: bytes) -> bool:
        head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        connection.sendall(head + b'5\r\n{"c":\r\n')
        return False

    server = serve(answer)
    message = failure_of(sender, secret_request(server.url))
    assert message == f"127.0.0.1:{server.port}: the answer was cut off"


def test_a_body_that_does_not_unpack_is_no_answer(serve, sender):
    """A body that is declared as gzip and is not is named as that."""
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
    """A body without a length ends where the limit is, and the connection with it."""

    def answer(server: Server, connection: socket.socket, text: bytes) -> bool:
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        with suppress(OSError):
            while True:
                connection.sendall(b"10000\r\n" + b"0" * 65536 + b"\r\n")
        return False

    request = secret_request(serve(answer).url)
    assert failure_of(sender, request, 60).endswith(f"an answer of more than {2 * 1024**2} bytes")


def test_a_call_is_taken_from_its_allowance(serve, sender):
    """Without a call left nothing is sent, and after its end neither."""
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


def test_something_that_is_not_http_is_no_answer(serve, sender):
    """A server of another protocol is an error without its words or ours."""
    message = failure_of(sender, secret_request(serve(answers(b"220 mail ready\r\n")).url))
    assert message.startswith("127.0.0.1:")


def test_a_tls_handshake_without_an_end_is_left_at_the_deadline(serve, sender):
    """A server that never answers the TLS greeting is left like any that never answers."""
    server = serve(answers(OK))
    message = failure_of(sender, secret_request(server.url.replace("http:", "https:")), 0.3)
    assert message.startswith(f"127.0.0.1:{server.port}: no ")


def test_a_tls_handshake_with_garbage_is_named(serve, sender):
    """Plain text in answer to a TLS handshake is named as TLS trouble, not as a traceback."""
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
    """A proxy of the environment is asked for other hosts, never for this machine."""
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


def test_a_proxy_that_is_away_is_named(sender, monkeypatch):
    """When the proxy is the trouble, the error says so and keeps the proxy's password."""
    monkeypatch.setenv("http_proxy", f"http://user:{SECRET}@127.0.0.1:1")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    message = failure_of(sender, secret_request("http://provider.invalid/quote"))
    assert message == "provider.invalid: the proxy did not connect us"


def test_a_request_shows_no_key(sender):
    """Neither a request nor a response shows its secrets when it is printed."""
    shown = repr(secret_request("http://127.0.0.1/x")) + repr(Response(200, {}, SECRET.encode()))
    assert SECRET not in shown
