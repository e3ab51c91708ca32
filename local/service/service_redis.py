"""The Redis of one service: the one that REDIS_HOST names, else one that is started for it.

Several services share a Redis only if REDIS_HOST names it.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import subprocess
import time
from contextlib import ExitStack
from pathlib import Path

from local.service.children import Children
from local.service.redis_server import (
    LOOPBACK,
    answers,
    find_server,
    free_port,
    port_is_free,
    server_command,
    wait_until_it_answers,
)
from local.service.terminal import CannotStartError, say
from marketdata.cache.client import connect
from marketdata.errors import CacheUnavailableError
from marketdata.settings import Settings

DEFAULT_PORT = 6379
DATA = "redis"  # the folder of the data, in the folder of the service
NAMED_TIMEOUT_S = 3.0


def bring_up_redis(
    children: Children, state: Path, env: dict[str, str], at_end: ExitStack, *, must_keep_data: bool
) -> None:
    """Return when the Redis of the service answers. Then `env` has the settings to reach it.

    `state`: the folder of the service. A Redis that is started here keeps its data there for the
    next run. A second service at the same time starts with an empty Redis that keeps nothing. With
    `must_keep_data` the second service does not start, because it would not know how much of each
    quota is used. `at_end` gets calls that clean up when the service ends. Raise `CannotStartError`
    with what to do, and `RedisMissingError` if no server is installed.
    """
    if env.get("REDIS_HOST"):
        settings = Settings.from_env(env)
        _wait_for_named(settings)
        say("redis", f"{settings.redis_host}:{settings.redis_port} (named by REDIS_HOST)")
        return
    port, note = choose_port(env)
    password = secrets.token_urlsafe(32)
    state.mkdir(parents=True, exist_ok=True)
    folder = _data_folder(state, at_end)
    if folder is None and must_keep_data:
        raise CannotStartError(
            f"another service keeps its Redis data in {state / DATA}; stop that one, set REDIS_HOST"
            " to share a Redis, or set MARKETDATA_HOME to another folder"
        )
    # A password on the command line could be read by every user of the machine.
    config = state / f"redis-{port}.conf"
    at_end.callback(config.unlink, missing_ok=True)
    config.touch(0o600)
    config.write_text(f"requirepass {password}\n", encoding="utf-8")
    command = server_command(find_server(), port, folder, config)
    process = children.start("redis", command, os.environ, output=subprocess.DEVNULL, again=True)
    at_end.callback(children.end_all)  # before another service may use the folder
    if not wait_until_it_answers(LOOPBACK, port, process):
        raise CannotStartError(f"Redis did not start; try it by hand: {' '.join(command)}")
    env |= {
        "REDIS_HOST": LOOPBACK,
        "REDIS_PORT": str(port),
        "REDIS_AUTH": "password",
        "REDIS_PASSWORD": password,
        "REDIS_USERNAME": "",
        "REDIS_TLS": "false",
        "REDIS_CLUSTER": "false",
    }
    say("redis", f"{LOOPBACK}:{port} ({note})")


def choose_port(env: dict[str, str]) -> tuple[int, str]:
    """Return the port for a Redis that is started here, and a note for the terminal.

    It is REDIS_PORT, else 6379, else any free port. Raise `CannotStartError` if REDIS_PORT is set
    and taken.
    """
    port = int(env.get("REDIS_PORT") or DEFAULT_PORT)
    if port_is_free(port):
        return port, "started here"
    if env.get("REDIS_PORT"):
        use = f"set REDIS_HOST={LOOPBACK} to use it" if answers(LOOPBACK, port) else "free it"
        raise CannotStartError(f"REDIS_PORT={port} is taken: {use}, or choose another REDIS_PORT")
    return free_port(), f"started here, as {port} is taken"


def _data_folder(state: Path, at_end: ExitStack) -> Path | None:
    """Return the locked folder of the data, or None if another server has it."""
    # Two servers on the same data would damage it.
    folder = state / DATA
    folder.mkdir(exist_ok=True)
    handle = os.open(folder, os.O_RDONLY)
    at_end.callback(os.close, handle)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return None
    return folder


def _wait_for_named(settings: Settings) -> None:
    """Return when the named Redis answers, with the password and TLS of the settings."""
    end = time.monotonic() + NAMED_TIMEOUT_S
    cache = connect(settings)
    while True:
        try:
            cache.ping()
        except CacheUnavailableError as error:
            if time.monotonic() > end:
                raise CannotStartError(
                    f"{str(error).rstrip('.')}; start it, correct the settings REDIS_*, or unset "
                    "REDIS_HOST to have one started here"
                ) from None
            time.sleep(0.2)
        else:
            cache.close()
            return
