"""A TCP server that answers with given bytes, and a check of errors for secrets."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Callable
from contextlib import suppress

import pytest

from marketdata.errors import UnavailableError
from marketdata.providers.contract import Request
from marketdata.providers.http import HttpSender

SECRET = "planted-Key-0123456789"


OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"


class Server:
    """A TCP server that gives each request's text to `answer`, which writes the response.

    `answer` returns whether the connection stays open for another request.
    """

    def __init__(self, answer: Callable[[Server, socket.socket, bytes], bool]) -> None:
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
        """The URL of the server."""
        return f"http://127.0.0.1:{self.port}/path"

    def drip(self, connection: socket.socket, byte: bytes) -> None:
        """Send one byte again and again until the client hangs up or the test ends."""
        with suppress(OSError):
            while not self.closing.wait(0.02):
                connection.sendall(byte)
        self.hung_up.set()

    def await_hang_up(self, connection: socket.socket) -> None:
        """Send nothing until the client closes the connection."""
        with suppress(OSError):
            while connection.recv(4096):
                pass
        self.hung_up.set()

    def close(self) -> None:
        """Stop dripping and listening, and check that every thread ends."""
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
    """The message of the error of a request, after a check of all its causes for secrets."""
    with pytest.raises(UnavailableError) as caught:
        sender.send(request, timeout_s)
    error: BaseException | None = caught.value
    while error is not None:
        assert SECRET not in f"{error!s} {error!r} {error.args}"
        assert "apikey" not in str(error)
        error = error.__cause__ or error.__context__
    return str(caught.value)
