"""Which Redis a service on one machine uses: the named one, a neighbour's, or its own."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from local.service.redis_server import answers, free_port, port_is_free

DEFAULT_PORT = 6379
LOOPBACK = "127.0.0.1"


class RedisTakenError(RuntimeError):
    """The port that was asked for is in use; the message says what to do."""


@dataclass(frozen=True, slots=True)
class RedisChoice:
    """A Redis to use. `own`: we have to start it; `shared`: a neighbour did.

    `why` is for the terminal.
    """

    host: str
    port: int
    why: str
    own: bool = False
    shared: bool = False


def choose_redis(environ: Mapping[str, str], state: Path) -> RedisChoice:
    """The Redis for a service whose state is in a folder.

    REDIS_HOST names one. Without it, a service that already runs from this folder shares the one
    that it started; else we start one, on REDIS_PORT or, where 6379 is taken, on any free port.
    Raises `RedisTakenError` when REDIS_PORT is set and taken.
    """
    port = int(environ.get("REDIS_PORT") or DEFAULT_PORT)
    if environ.get("REDIS_HOST"):
        return RedisChoice(environ["REDIS_HOST"], port, "named by REDIS_HOST")
    shared = _shared_port(state)
    if shared is not None and answers(LOOPBACK, shared):
        return RedisChoice(LOOPBACK, shared, "shared with the service that started it", shared=True)
    if port_is_free(port):
        return RedisChoice(LOOPBACK, port, "started here", own=True)
    if environ.get("REDIS_PORT"):
        use = f"set REDIS_HOST={LOOPBACK} to use it" if answers(LOOPBACK, port) else "free it"
        raise RedisTakenError(f"REDIS_PORT={port} is taken: {use}, or choose another REDIS_PORT")
    return RedisChoice(LOOPBACK, free_port(), f"started here, as {port} is taken", own=True)


def neighbour_is_gone(state: Path) -> bool:
    """Whether the service that started the Redis of this folder is no more."""
    return _shared_port(state) is None


def share(state: Path, port: int) -> None:
    """Let services that start later from the same folder find the Redis that we started."""
    _note(state).write_text(json.dumps({"port": port, "pid": os.getpid()}), encoding="utf-8")


def unshare(state: Path) -> None:
    """Take back what `share` told."""
    _note(state).unlink(missing_ok=True)


@contextlib.contextmanager
def choosing(state: Path) -> Iterator[None]:
    """Hold off others that start from the same folder while we choose and start a Redis."""
    state.mkdir(parents=True, exist_ok=True)
    path = state / "choosing.lock"
    with contextlib.ExitStack() as held:
        while True:
            lock = held.enter_context(path.open("w"))
            fcntl.flock(lock, fcntl.LOCK_EX)  # the system lets go of it if we die
            # Whoever held it before us has removed it, and somebody may hold a newer one.
            with contextlib.suppress(FileNotFoundError):
                if path.stat().st_ino == os.fstat(lock.fileno()).st_ino:
                    break
        try:
            yield
        finally:
            path.unlink(missing_ok=True)


def _shared_port(state: Path) -> int | None:
    """The port of the Redis that a service of this folder started, if that service lives."""
    try:
        note = json.loads(_note(state).read_text(encoding="utf-8"))
        os.kill(int(note["pid"]), 0)
        return int(note["port"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _note(state: Path) -> Path:
    return state / "redis.json"
