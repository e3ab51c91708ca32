"""`make start`: bring up Redis, the market, the asset lists, the API and the loop, and show them.

Everything that can be wrong with the machine or the settings ends in one line that says what to
do. Ctrl-C ends all that was started; if this process is killed, the system ends the rest.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path

from local.children import PROJECT, Children, python
from local.environment import service_environment, state_folder, unknown_names
from local.redis_choice import RedisTakenError, choose_redis, choosing, share, unshare
from local.redis_server import (
    RedisMissingError,
    find_server,
    port_is_free,
    server_command,
    wait_until_it_answers,
)
from local.service import Service
from marketdata.errors import SettingsError
from marketdata.quotes import Source
from marketdata.settings import ENV_PREFIXES, Settings

API_TIMEOUT_S = 20.0
Command = list[str]
SIMULATED = (
    "SIMULATED MARKET: every price here is invented. For live prices: cp .env.example .env, "
    "or MARKET=live make start"
)


class CannotStartError(RuntimeError):
    """The service cannot start on this machine as it is; the message is the one line to show."""


def start() -> int:
    """Run the service until Ctrl-C or SIGTERM; the exit code of the program."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    children = Children()
    code = 0
    try:
        run(PROJECT, children, stop)
    except (CannotStartError, SettingsError, RedisMissingError, RedisTakenError) as error:
        print(f"error: {error}", file=sys.stderr)
        code = 2
    finally:
        children.end_all()
    print("stopped", flush=True)
    # Threads that still wait for a provider must not hold up the end.
    sys.stdout.flush()
    os._exit(code)


def run(project: Path, children: Children, stop: threading.Event) -> None:
    """Start everything in order, then look after it until `stop` is set."""
    env = service_environment(project, os.environ)
    settings = Settings.from_env(env)
    for line in unknown_names(project):
        print(f"warning: {line}", file=sys.stderr)
    if not port_is_free(settings.port):
        raise CannotStartError(
            f"PORT={settings.port} is taken; choose another, for example "
            f"PORT={settings.port + 1} make start"
        )
    simulated = settings.market == "simulated"
    say("market", SIMULATED if simulated else "live providers")
    state = state_folder(project, settings.market)
    own_redis = _bring_up_redis(children, state, env, keep_data=not simulated)
    if simulated:
        for name, url in _bring_up_market(children, env).items():
            env.setdefault(name, url)
    log_file = state / "service.log"
    os.environ.update(env)
    api = _bring_up_api(children, settings.port, env, log_file)
    service = Service(say=say, log_file=log_file)
    service.start(stop)
    say("api", f"http://localhost:{settings.port}  (documentation: /docs, health: /health)")
    say("log", str(log_file.relative_to(project)))
    restart = {"api": api} | ({"redis": own_redis} if own_redis else {})
    while not stop.wait(0.5):
        _look_after(children, restart)
    service.stop()
    if own_redis:
        unshare(state)


def say(what: str, line: str) -> None:
    """One line of progress."""
    print(f"{what:<8}{line}", flush=True)


def _bring_up_redis(
    children: Children, state: Path, env: dict[str, str], *, keep_data: bool
) -> Command | None:
    """Choose a Redis and put it into `env`; the command of our own one, None where it is not."""
    with choosing(state):
        redis = choose_redis(env, state)
        env |= {"REDIS_HOST": redis.host, "REDIS_PORT": str(redis.port)}
        command = None
        if redis.own:
            folder = state / "redis" if keep_data else None
            command = server_command(find_server(), redis.port, folder)
            process = children.start("redis", command, os.environ, output=subprocess.DEVNULL)
            if not wait_until_it_answers(redis.host, redis.port, process):
                raise CannotStartError(f"Redis did not start; try it by hand: {' '.join(command)}")
            share(state, redis.port)
        elif not wait_until_it_answers(redis.host, redis.port, None, timeout_s=3.0):
            raise CannotStartError(
                f"no Redis answers at REDIS_HOST={redis.host} REDIS_PORT={redis.port}; start it, "
                "or unset REDIS_HOST to have one started here"
            )
    say("redis", f"{redis.host}:{redis.port} ({redis.why})")
    return command


def _bring_up_market(children: Children, env: dict[str, str]) -> dict[str, str]:
    """Start the simulated market; the base URL settings that lead to it."""
    market = children.start("market", python("local.market"), env, output=subprocess.PIPE)
    line = market.stdout.readline() if market.stdout else b""
    try:
        told = json.loads(line)
    except ValueError:
        raise CannotStartError("the simulated market did not start") from None
    urls = {Source(name): url for name, url in told["base_urls"].items()}
    say("", f"faults by a call to {told['control_url']} (docs/simulated-market.md)")
    return {f"{ENV_PREFIXES[source]}_BASE_URL": url for source, url in urls.items()}


def _bring_up_api(children: Children, port: int, env: dict[str, str], log_file: Path) -> Command:
    command = python("local.api", str(log_file))
    children.start("api", command, env)
    end = time.monotonic() + API_TIMEOUT_S
    while port_is_free(port):
        if "api" in children.ended() or time.monotonic() > end:
            raise CannotStartError(f"the API did not start; its log is {log_file}")
        time.sleep(0.05)
    return command


def _look_after(children: Children, restart: Mapping[str, Command]) -> None:
    """Start again what ended by itself; what we cannot do without ends us."""
    for name, code in children.ended().items():
        if name not in restart:
            raise CannotStartError(f"{name} ended with code {code}")
        say(name, f"ended with code {code}; starting it again")
        children.start(name, restart[name], os.environ)
