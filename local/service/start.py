"""`make start`: bring up Redis, the market, the asset lists, the API and the loop, and show them.

Any problem of the machine or the settings ends the start with one line that says what to do. Ctrl-C
ends all processes that were started. If this process is killed, the system ends the others.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from local.service import addresses
from local.service.children import Children, python
from local.service.environment import (
    home,
    is_in_container,
    service_environment,
    state_folder,
    unknown_names,
)
from local.service.files import keep_private
from local.service.redis_server import RedisMissingError
from local.service.service import Service
from local.service.service_redis import bring_up_redis
from local.service.signals import interrupted_by
from local.service.terminal import CannotStartError, say
from marketdata.domain.quotes import Source
from marketdata.errors import SettingsError
from marketdata.settings import ENV_PREFIXES, Settings

log = logging.getLogger("marketdata.local")

API_TIMEOUT_S = 20.0
LOOK_EVERY_S = 0.5
SIMULATED = "SIMULATED MARKET: every price here is invented. For live prices: {}"
LIVE = "cp .env.example .env, or MARKET=live make start"
LIVE_IN_CONTAINER = "MARKET=live docker compose up, or MARKET=live in .env"
REACHABLE = (
    "HOST={}: other machines may reach the API, which asks nobody for a password; put a firewall "
    "or a gateway in front of it"
)
# In a container the API must listen on an address that other machines reach, so there is no
# warning.
PUBLISHED = (
    "the API asks nobody for a password; publish its port to this machine only, or put a gateway "
    "in front of it"
)


def start() -> int:
    """Run the service until Ctrl-C or SIGTERM. Return the exit code of the program."""
    # Ctrl-C, `kill`, and the end of the terminal.
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
    except (CannotStartError, SettingsError, RedisMissingError) as error:
        print(f"error: {error}", file=sys.stderr)
    # The program ends without waiting for threads that still wait for a provider.
    os._exit(code)


def run(folder: Path, at_end: contextlib.ExitStack) -> None:
    """Start all parts in order, then watch them; `at_end` gets the calls that end them."""
    env = service_environment(folder, os.environ)
    settings = Settings.from_env(env)
    for line in unknown_names(folder, os.environ):
        print(f"warning: {line}", file=sys.stderr)
    addresses.check(settings.host, settings.port)
    in_container = is_in_container(os.environ)
    if addresses.is_reachable_from_outside(settings.host) and not in_container:
        print(f"warning: {REACHABLE.format(','.join(settings.host))}", file=sys.stderr)
    simulated = settings.market == "simulated"
    hint = SIMULATED.format(LIVE_IN_CONTAINER if in_container else LIVE)
    say("market", hint if simulated else "live providers")
    keep_private(folder / ".local")
    state, children = state_folder(folder, settings.market), Children()
    env["PROMETHEUS_MULTIPROC_DIR"] = _use_temporary_folder(at_end)
    at_end.callback(children.end_all)
    bring_up_redis(children, state, env, at_end, must_keep_data=not simulated)
    control_url = ""
    if simulated:
        urls, control_url = _bring_up_market(children, env)
        env = urls | env
    os.environ.update(env)
    log_file = state / "service.log"
    _bring_up_api(children, settings, env, log_file)
    service = Service(say, log_file)
    at_end.callback(service.stop)
    service.start()
    if control_url:
        log.info("simulated market started", extra={"control_url": control_url})
    url = addresses.origin(settings.host, settings.port)
    say("api", f"{url}  (documentation: /docs, health: /health)")
    if in_container:
        say("", PUBLISHED)
    say("log", str(log_file.relative_to(folder)))
    while True:
        time.sleep(LOOK_EVERY_S)
        children.look_after()


def _bring_up_market(children: Children, env: dict[str, str]) -> tuple[dict[str, str], str]:
    """Start the simulated market. Return the settings that lead to it, and its control URL."""
    market = children.start("market", python("local.simulator"), env, output=subprocess.PIPE)
    line = market.stdout.readline() if market.stdout else b""
    try:
        started = json.loads(line)
    except ValueError:
        raise CannotStartError("the simulated market did not start") from None
    urls = {Source(name): url for name, url in started["base_urls"].items()}
    settings = {f"{ENV_PREFIXES[source]}_BASE_URL": url for source, url in urls.items()}
    return settings, started["control_url"]


def _bring_up_api(
    children: Children, settings: Settings, env: dict[str, str], log_file: Path
) -> None:
    """Start the API and wait until it listens. It is started again each time it ends."""
    children.start("api", python("local.service.api", str(log_file)), env, again=True)
    end = time.monotonic() + API_TIMEOUT_S
    while not addresses.is_listening(settings.host, settings.port):
        if children.has_ended("api") or time.monotonic() > end:
            raise CannotStartError(f"the API did not start; its log is {log_file}")
        time.sleep(0.05)


def _use_temporary_folder(at_end: contextlib.ExitStack) -> str:
    """Have libraries put their temporary files into a folder that is removed at the end.

    Return a folder in it for the metrics of the processes.

    Libraries remove these files when Python exits. But the service ends without waiting for its
    threads, and then Python does not run that code.
    """
    tempfile.tempdir = at_end.enter_context(
        tempfile.TemporaryDirectory(prefix="market-data-", ignore_cleanup_errors=True)
    )
    return tempfile.mkdtemp(prefix="metrics-")
