"""The addresses that the API of one machine listens on."""

from __future__ import annotations

import socket

import pytest

from local.service import addresses
from local.service.redis_server import free_port
from local.service.terminal import CannotStartError


def test_both_loopback_addresses_have_the_same_port():
    """The API listens on 127.0.0.1 and, if the machine has IPv6, on the same port of ::1."""
    port = free_port()
    listeners = addresses.listen(("127.0.0.1", "::1"), port)
    try:
        found = {listener.getsockname()[:2] for listener in listeners}
        assert ("127.0.0.1", port) in found
        assert found <= {("127.0.0.1", port), ("::1", port)}
    finally:
        for listener in listeners:
            listener.close()


def test_a_machine_without_ipv6_is_served_over_ipv4(monkeypatch):
    """On a machine without IPv6 the API listens on 127.0.0.1 alone."""
    real = addresses._bound

    def bound(host: str, port: int) -> socket.socket:
        if ":" in host:
            raise OSError(addresses._NOT_HERE[1], "no IPv6")
        return real(host, port)

    monkeypatch.setattr(addresses, "_bound", bound)
    (listener,) = addresses.listen(("127.0.0.1", "::1"), free_port())
    with listener:
        assert listener.getsockname()[0] == "127.0.0.1"


def test_a_taken_port_is_named_with_another():
    """The error about a taken port proposes a command with another port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(CannotStartError, match=f"for example PORT={port + 1} make start"):
            addresses.check(("127.0.0.1", "::1"), port)


def test_an_address_of_another_machine_is_named():
    """A HOST that is not an address of this machine is an error that says so."""
    with pytest.raises(CannotStartError, match=r"HOST=192\.0\.2\.1 is not an address of this"):
        addresses.check(("192.0.2.1",), free_port())


@pytest.mark.parametrize(
    ("hosts", "outside"),
    [
        (("127.0.0.1", "::1"), False),
        (("127.0.0.5",), False),
        (("0.0.0.0",), True),  # noqa: S104
        (("::",), True),
        (("127.0.0.1", "192.168.1.5"), True),
    ],
)
def test_an_address_that_others_reach_is_recognised(hosts, outside):
    """Only loopback addresses cannot be reached from other machines."""
    assert addresses.is_reachable_from_outside(hosts) is outside


@pytest.mark.parametrize("taken", ["127.0.0.1", "0.0.0.0"])  # noqa: S104
def test_a_port_that_is_taken_on_one_protocol_is_taken(taken):
    """A port that is taken on IPv4 is an error, although the port is free on IPv6."""
    with socket.create_server((taken, 0)) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(CannotStartError, match=f"PORT={port} is taken"):
            addresses.check(("::1", "127.0.0.1"), port)


@pytest.mark.parametrize(
    "hosts",
    [("127.0.0.1", "0.0.0.0"), ("127.0.0.1", "::1", "0.0.0.0"), ("0.0.0.0",)],  # noqa: S104
)
def test_an_address_beside_the_one_for_all_is_no_conflict(hosts):
    """`HOST=localhost,0.0.0.0` is served, with one listener for each protocol."""
    listeners = addresses.listen(hosts, free_port())
    try:
        for listener in listeners:
            listener.listen()
            assert listener.getsockname()[0] in ("0.0.0.0", "::1")  # noqa: S104
    finally:
        for listener in listeners:
            listener.close()


@pytest.mark.parametrize(
    ("hosts", "url"),
    [
        (("127.0.0.1", "::1"), "http://localhost:8000"),
        (("0.0.0.0",), "http://localhost:8000"),  # noqa: S104
        (("::",), "http://localhost:8000"),
        (("192.168.1.5",), "http://192.168.1.5:8000"),
        (("127.0.0.5",), "http://127.0.0.5:8000"),
        (("2001:db8::5",), "http://[2001:db8::5]:8000"),
    ],
)
def test_the_address_that_is_printed_is_one_that_answers(hosts, url):
    """The printed address is localhost only if localhost is served."""
    assert addresses.origin(hosts, 8000) == url


def test_a_listener_is_found():
    """A listener is found, also by the address that stands for all addresses."""
    with socket.create_server(("0.0.0.0", 0)) as listener:  # noqa: S104
        port = listener.getsockname()[1]
        assert addresses.is_listening(("0.0.0.0",), port)  # noqa: S104
    assert not addresses.is_listening(("127.0.0.1",), port)
