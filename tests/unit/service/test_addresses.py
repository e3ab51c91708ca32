"""The addresses that the API of one machine listens on."""

from __future__ import annotations

import socket

import pytest

from local.service import addresses
from local.service.redis_server import free_port
from local.service.terminal import CannotStartError


def test_both_loopback_addresses_have_the_same_port():
    """A browser that takes localhost for ::1 reaches the API as well."""
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
    """A system that knows no ::1 is no reason not to start."""
    real = addresses._bound

    def bound(host: str, port: int) -> socket.socket:
        if ":" in host:
            raise OSError(addresses._NOT_HERE[1], "no IPv6")
        return real(host, port)

    monkeypatch.setattr(addresses, "_bound", bound)
    (listener,) = addresses.listen(("127.0.0.1", "::1"), free_port())
    listener.close()


def test_a_taken_port_is_named_with_another():
    """The line says what to type."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(CannotStartError, match=f"for example PORT={port + 1} make start"):
            addresses.check(("127.0.0.1", "::1"), port)


def test_an_address_of_another_machine_is_named():
    """HOST has to be an address of this machine."""
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


def test_somebody_who_listens_is_found():
    """Also where the address stands for all addresses."""
    with socket.create_server(("0.0.0.0", 0)) as listener:  # noqa: S104
        port = listener.getsockname()[1]
        assert addresses.is_listening(("0.0.0.0",), port)  # noqa: S104
    assert not addresses.is_listening(("127.0.0.1",), port)
