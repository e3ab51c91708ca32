"""Servers that answer with given bytes, and the sender under test."""

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from marketdata.providers.http import HttpSender
from tests.support.raw_server import Server


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
