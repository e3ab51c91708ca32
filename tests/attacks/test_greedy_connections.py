"""Attacks on the local HTTP server: endless heads, idle clients and thousands of connections."""

from __future__ import annotations

import contextlib
import json
import re
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar
from urllib.parse import urlsplit

import pytest
import requests

from local.service import http_protocol
from local.service.http_protocol import MAX_HEAD_BYTES, BoundedProtocol
from local.service.redis_server import free_port
from tests.support.api_service import Service
from tests.support.running_service import eventually, settings_free_environment

GET = b"GET /v1/providers HTTP/1.1\r\n"

# More than the kernel buffers for a connection that the server does not read.
MUCH = 64 * 1_048_576
# The most that asyncio passes to a protocol at once.
ONE_READ = 256 * 1024


class CountingProtocol(BoundedProtocol):
    """Counts the bytes that our process reads of each connection."""

    read: ClassVar[Counter[int]] = Counter()

    def data_received(self, data: bytes) -> None:
        """Count the bytes, then handle them."""
        self.read[id(self)] += len(data)
        super().data_received(data)


@pytest.fixture
def origin(cache) -> Iterator[str]:
    """The address of the API behind the protocol of one machine."""
    CountingProtocol.read.clear()
    with Service(cache).served(http=CountingProtocol) as origin:
        yield origin


def connect(origin: str) -> socket.socket:
    """Return a connection to the API."""
    address = urlsplit(origin)
    return socket.create_connection((address.hostname, address.port), timeout=30)


def all_of(connection: socket.socket) -> bytes:
    """Return all bytes that the server sends before it closes the connection."""
    answer = b""
    with contextlib.suppress(ConnectionResetError):
        while part := connection.recv(65_536):
            answer += part
    return answer


def is_answered(origin: str) -> bool:
    """Whether a request on a new connection is answered with 200."""
    return requests.get(f"{origin}/v1/providers", timeout=20).status_code == 200


@pytest.mark.parametrize(
    "begin",
    [GET + b"X: ", b"GET /", GET, b"\r\n", b"GET /?"],
    ids=["a header", "a URL", "many headers", "empty lines", "a query"],
)
def test_an_endless_head_is_cut_off(origin, begin):
    """Of an endless head the server reads 16 KB and one piece more, and others are served."""
    filler = {GET: b"A: b\r\n", b"\r\n": b"\r\n"}.get(begin, b"a")
    sent = 0
    with connect(origin) as connection:
        connection.sendall(begin)
        with contextlib.suppress(ConnectionError):
            while sent < MUCH:
                sent += connection.send(filler * (1_024 // len(filler)))
        all_of(connection)
    assert sent < MUCH
    assert MAX_HEAD_BYTES < max(CountingProtocol.read.values()) <= MAX_HEAD_BYTES + ONE_READ
    assert is_answered(origin)


def test_a_head_that_is_too_long_is_named(origin):
    """A head one byte longer than the limit gets a problem that names the limit."""
    request = (GET + b"Host: x\r\nX: ").ljust(MAX_HEAD_BYTES - 3, b"a") + b"\r\n\r\n"
    with connect(origin) as connection:
        connection.sendall(request)
        head, _, body = all_of(connection).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400")
    assert json.loads(body)["detail"] == "URL and headers are longer than 16384 bytes."


def test_a_head_that_is_ten_times_too_long_is_rejected(origin):
    """A head of 160 KB in one piece never gets a 200, and other clients are answered."""
    with connect(origin) as connection:
        with contextlib.suppress(ConnectionError):
            connection.sendall(GET + b"Host: x\r\nX: " + b"a" * 10 * MAX_HEAD_BYTES + b"\r\n\r\n")
        # The system may drop the answer while the client still sends.
        assert all_of(connection)[:12] in (b"", b"HTTP/1.1 400")
    assert is_answered(origin)


def test_a_head_within_the_limit_is_read(origin):
    """A head of 15 KB is allowed, and so are five such requests in one piece."""
    request = GET + b"Host: x\r\nX: " + b"a" * 15_000 + b"\r\n\r\n"
    last = request.replace(b"X: ", b"Connection: close\r\nX: ")
    with connect(origin) as connection:
        connection.sendall(request * 4 + last)
        answer = all_of(connection)
    assert answer.count(b"HTTP/1.1 200") == 5


@pytest.mark.parametrize(
    ("headers", "detail"),
    [
        (b"", "The header Host is missing."),
        (b"Host: a\r\nHost: a\r\n", "The header Host was sent 2 times; send it once."),
        (b"Host: a\r\nhost: b\r\n", "The header Host was sent 2 times; send it once."),
    ],
)
def test_a_request_has_one_host(origin, headers, detail):
    """A missing or doubled Host is a bad request, and the connection is closed."""
    with connect(origin) as connection:
        connection.sendall(GET + headers + b"\r\n")
        head, _, body = all_of(connection).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400")
    assert json.loads(body)["detail"] == detail


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"GET / HT",
        GET + b"Host: x\r\nX: a",
        b"POST /v1/providers HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc",
        GET + b"Host: x\r\n\r\n",
        GET + b"Host: x\r\n\r\nGET / HT",
    ],
    ids=["nothing", "half a line", "half a head", "half a body", "idle", "half a second request"],
)
def test_a_connection_that_does_nothing_is_closed(origin, sent, monkeypatch):
    """A connection on which a client sends nothing more is closed after the time limit."""
    monkeypatch.setattr(http_protocol, "RECEIVE_S", 0.3)
    with connect(origin) as connection:
        connection.sendall(sent)
        all_of(connection)  # returns when the server has closed it


def test_bytes_that_trickle_do_not_keep_a_connection(origin, monkeypatch):
    """The time of a request begins with its first byte, and later bytes do not prolong it."""
    monkeypatch.setattr(http_protocol, "RECEIVE_S", 1.0)
    with connect(origin) as connection:
        connection.sendall(GET + b"Host: x\r\nX: ")

        def closed() -> bool:
            try:
                connection.sendall(b"a")
            except ConnectionError:
                return True
            return False

        eventually(closed, "the server closes the connection")


def test_a_client_that_does_not_read_is_closed(origin, monkeypatch):
    """A client that sends requests and never reads the answers is disconnected."""
    monkeypatch.setattr(http_protocol, "ANSWER_S", 0.5)
    with connect(origin) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        # The answers are larger than all buffers of the system.
        connection.sendall(b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n" * 200)

        def closed() -> bool:
            try:
                connection.send(b"\r\n", socket.MSG_DONTWAIT)
            except BlockingIOError:
                return False
            except ConnectionError:
                return True
            return False

        eventually(closed, "the server closes the connection")
    assert is_answered(origin)


def test_the_oldest_idle_connection_makes_room(origin, monkeypatch):
    """If all connections are taken, the one that is idle for longest is closed for a new one."""
    monkeypatch.setattr(http_protocol, "most_connections", lambda: 8)
    with contextlib.ExitStack() as stack:
        idle = [stack.enter_context(connect(origin)) for _ in range(8)]
        for connection in idle:
            connection.sendall(GET + b"Host: x\r\n\r\n")
            assert connection.recv(65_536).startswith(b"HTTP/1.1 200")
        assert is_answered(origin)
        assert all_of(idle[0]) == b"", "the oldest was not closed"
        idle[-1].sendall(GET + b"Host: x\r\n\r\n")
        assert idle[-1].recv(65_536).startswith(b"HTTP/1.1 200")


SLOWLORIS = """
import resource, socket, sys
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, hard), hard))
host, port, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
held = []
for _ in range(count):
    try:
        connection = socket.create_connection((host, port), timeout=10)
        connection.sendall(b"GET / HTTP/1.1\\r\\nX: ")
        held.append(connection)
    except OSError:
        pass
print(len(held), flush=True)
sys.stdin.read()
"""


def memory_mb(pid: int) -> float:
    """Return the resident memory of a process."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) / 1024


@pytest.mark.parametrize("begin", [GET + b"X: ", b"GET /"], ids=["a header", "a URL"])
def test_endless_heads_take_no_memory(service_of_1024_files, begin):
    """Forty connections with endless heads add less than 8 MB to the process."""
    origin, pid = service_of_1024_files
    assert is_answered(origin)
    before = memory_mb(pid)
    endless = begin + b"a" * MUCH
    for _ in range(40):
        with connect(origin) as connection, contextlib.suppress(ConnectionError):
            connection.sendall(endless)
    assert is_answered(origin)
    assert memory_mb(pid) < before + 8


def test_two_thousand_half_open_connections_do_not_block_readers(service_of_1024_files):
    """With 1,024 files a reader is answered while 2,000 clients have sent half a request each."""
    origin, pid = service_of_1024_files
    before = memory_mb(pid)
    address = urlsplit(origin)
    command = [sys.executable, "-c", SLOWLORIS, address.hostname, str(address.port), "2000"]
    with subprocess.Popen(  # noqa: S603
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as attacker:
        assert int(attacker.stdout.readline()) > 1_000
        for _ in range(20):
            assert is_answered(origin)
        assert memory_mb(pid) < before + 32
        attacker.stdin.close()


SERVED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (1024, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
from pathlib import Path
from local.service.api import main
main(Path(sys.argv[1]))
"""


@pytest.fixture
def service_of_1024_files(tmp_path, redis_server) -> Iterator[tuple[str, int]]:
    """The API of one machine as a process that may open 1,024 files: its address and its id."""
    port = free_port()
    metrics = {"PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    env = {**settings_free_environment(), **redis_server.env(), "PORT": str(port), **metrics}
    with subprocess.Popen(  # noqa: S603
        [sys.executable, "-c", SERVED, str(tmp_path / "log")], env=env
    ) as process:
        origin = f"http://127.0.0.1:{port}"

        def up() -> bool:
            try:
                return is_answered(origin)
            except requests.ConnectionError:
                return False

        try:
            eventually(up, "the API")
            yield origin, process.pid
        finally:
            process.terminate()
