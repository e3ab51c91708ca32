"""The addresses that the API listens on, on one machine."""

from __future__ import annotations

import errno
import socket
from collections.abc import Sequence
from ipaddress import ip_address

from local.service.terminal import CannotStartError

# The system's error numbers for an address that this machine does not have.
_NOT_HERE = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)
# The address that means all addresses of a family, and the loopback address of that family.
_ALL = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104


def listen(hosts: Sequence[str], port: int) -> list[socket.socket]:
    """Return a socket for each address, bound to the port.

    The loopback address of IPv6 is left out on a machine without IPv6. Raise `CannotStartError` for
    an address that is taken or is not of this machine.
    """
    sockets = []
    for host in _without_covered(hosts):
        try:
            sockets.append(_bound(host, port))
        except OSError as error:
            if host == "::1" and len(hosts) > 1 and error.errno in _NOT_HERE:
                continue
            for opened in sockets:
                opened.close()
            raise CannotStartError(_reason(host, port, error)) from None
    return sockets


def check(hosts: Sequence[str], port: int) -> None:
    """Raise `CannotStartError` as `listen` would."""
    for opened in listen(hosts, port):
        opened.close()


def is_listening(hosts: Sequence[str], port: int) -> bool:
    """Return whether a server accepts connections at the first of the addresses."""
    host = _ALL.get(hosts[0], hosts[0])
    try:
        socket.create_connection((host, port), timeout=0.5).close()
    except OSError:
        return False
    return True


def origin(hosts: Sequence[str], port: int) -> str:
    """Return the URL at which this machine reaches a server on these addresses."""
    localhost = {"127.0.0.1", "::1", *_ALL}
    if localhost.intersection(hosts):
        return f"http://localhost:{port}"
    host = f"[{hosts[0]}]" if ":" in hosts[0] else hosts[0]
    return f"http://{host}:{port}"


def is_reachable_from_outside(hosts: Sequence[str]) -> bool:
    """Return whether other machines may reach one of the addresses."""
    return not all(ip_address(host).is_loopback for host in hosts)


def _without_covered(hosts: Sequence[str]) -> list[str]:
    """Return the addresses without those that 0.0.0.0 or :: in the list already includes."""
    covered = {":" in host for host in hosts if host in _ALL}
    return [host for host in hosts if host in _ALL or (":" in host) not in covered]


def _reason(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"PORT={port} is taken; choose another, for example PORT={port + 1} make start"
    if error.errno in _NOT_HERE:
        return f"HOST={host} is not an address of this machine"
    return f"HOST={host} PORT={port} cannot be listened on: {error.strerror}"


def _bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:  # so that IPv4 can have the same port
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.bind((host, port))
    except OSError:
        listener.close()
        raise
    return listener
