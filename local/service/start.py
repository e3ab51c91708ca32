"""`make start`: bring up Redis, the market, the asset lists, the API and the loop, and show them.

Everything that can be wrong with the machine or the settings ends in one line that says what to
do. Ctrl-C ends all that was started; if this process is killed, the system ends the rest.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from local.service.children import Children, python
from local.service.environment import home, service_environment, state_folder, unknown_names
from local.service.redis_choice import RedisTakenError
from local.service.redis_server import RedisMissingError, port_is_free
from local.service.service import Service
from local.service.service_redis import RedisForUs
from local.service.signals import interrupted_by
from local.service.terminal import CannotStartError, say
from marketdata.domain.quotes import Source
from marketdata.errors import SettingsError
from marketdata.settings import ENV_PREFIXES, Settings

API_TIMEOUT_S = 20.0
LOOK_EVERY_S = 0.5
SIMULATED = (
    "SIMULATED MARKET: every price here is invented. For live prices: cp .env.example .env, "
    "or MARKET=live make start"
)


def start() -> int:
    """Run the service until Ctrl-C or SIGTERM; the exit code of the program."""
    # Ctrl-C, what `kill` sends, and a terminal that is closed.
    no_interruption = interrupted_by(signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    code = 2
    try:
        with contextlib.ExitStack() as at_end:
            try:
                run(home(os.environ), at_end)
            finally:
                no_interruption()
    except KeyboardInterrupt:
        code = 0
        with contextlib.suppress(OSError):  # the terminal may be gone
            print("stopped", flush=True)
    except (CannotStartError, SettingsError, RedisMissingError, RedisTakenError) as error:
        print(f"error: {error}", file=sys.stderr)
    # Threads that still wait for a provider must not hold up the end.
    os._exit(code)


def run(folder: Path, at_end: contextlib.ExitStack) -> None:
    """Start everything in order, then look after it; `at_end` gets what ends it again."""
    env = service_environment(folder, os.environ)
    settings = Settings.from_env(env)
    for line in unknown_names(folder, os.environ):
        print(f"warning: {line}", file=sys.stderr)
    if not port_is_free(settings.port):
        raise CannotStartError(
            f"PORT={settings.port} is taken; choose another, for example "
            f"PORT={settings.port + 1} make start"
        )
    simulated = settings.market == "simulated"
    say("market", SIMULATED if simulated else "live providers")
    state, children = state_folder(folder, settings.market), Children()
    redis = RedisForUs(children, state, env, keep_data=not simulated)
    at_end.callback(redis.give_up)
    at_end.callback(children.end_all)
    redis.bring_up()
    if simulated:
        for name, url in _bring_up_market(children, env).items():
            env.setdefault(name, url)
    os.environ.update(env)
    log_file = state / "service.log"
    _bring_up_api(children, settings.port, env, log_file)
    service = Service(say, log_file)
    at_end.callback(service.stop)
    service.start()
    say("api", f"http://localhost:{settings.port}  (documentation: /docs, health: /health)")
    say("log", str(log_file.relative_to(folder)))
    while True:
        time.sleep(LOOK_EVERY_S)
        redis.take_over()
        children.look_after()


def _bring_up_market(children: Children, env: dict[str, str]) -> dict[str, str]:
    """Start the simulated market; the base URL settings that lead to it."""
    market = children.start("market", python("local.simulator"), env, output=subprocess.PIPE)
    line = market.stdout.readline() if market.stdout else b""
    try:
        told = json.loads(line)
    except ValueError:
        raise CannotStartError("the simulated market did not start") from None
    urls = {Source(name): url for name, url in told["base_urls"].items()}
    say("", f"faults by a call to {told['control_url']} (docs/simulated-market.md)")
    return {f"{ENV_PREFIXES[source]}_BASE_URL": url for source, url in urls.items()}


def _bring_up_api(children: Children, port: int, env: dict[str, str], log_file: Path) -> None:
    """Start the API, again whenever it ends, and wait until it listens."""
    children.start("api", python("local.service.api", str(log_file)), env, again=True)
    end = time.monotonic() + API_TIMEOUT_S
    while port_is_free(port):
        if children.has_ended("api") or time.monotonic() > end:
            raise CannotStartError(f"the API did not start; its log is {log_file}")
        time.sleep(0.05)
