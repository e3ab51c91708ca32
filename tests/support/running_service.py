"""The service as `make start` runs it: a separate process, with a separate home and free ports."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple, Self
from urllib.parse import urlsplit

import requests

from local.service.redis_server import free_port
from local.simulator import MarketServers
from marketdata.domain.quotes import Source
from marketdata.settings import ENV_PREFIXES, SETTINGS
from tests.support.redis_servers import Doorway

ROOT = Path(__file__).parents[2]
# Far longer than any result takes; only a result that never comes reaches this limit.
GUARD_S = 60.0
_LOOK_S = 0.05


def eventually(found: Callable[[], Any], what: str, timeout_s: float = GUARD_S) -> Any:
    """Return the first true result of `found`; fail with `what` after `timeout_s`."""
    end = time.monotonic() + timeout_s
    while not (answer := found()):
        assert time.monotonic() < end, f"not within {timeout_s} s: {what}"
        time.sleep(_LOOK_S)
    return answer


def settings_free_environment() -> dict[str, str]:
    """This process's environment without any setting of the service."""
    ours = {"MARKETDATA_HOME", *(setting.name for setting in SETTINGS)}
    kept = {name: value for name, value in os.environ.items() if name not in ours}
    path = os.pathsep.join((str(ROOT), str(ROOT / "layers" / "core")))
    return {**kept, "PYTHONPATH": path, "PYTHONUNBUFFERED": "1"}


class RunningService:
    """One `python -m local start`, with settings by name and its output in a file.

    The service has a free port and, unless REDIS_HOST is given, a separate Redis. The end of `with`
    ends all of its processes.
    """

    def __init__(self, home: Path, name: str = "service", **env: str) -> None:
        self.home = home
        self.env = {
            "MARKETDATA_HOME": str(home),
            "PORT": str(free_port()),
            "REDIS_PORT": str(free_port()),
            **env,
        }
        self._file = home / f"{name}.out"
        self.temporary = home / f"{name}.tmp"
        self.temporary.mkdir(parents=True)
        with self._file.open("wb") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "local", "start"],
                cwd=ROOT,
                env={**settings_free_environment(), "TMPDIR": str(self.temporary), **self.env},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self.end(signal.SIGTERM)

    @property
    def port(self) -> int:
        """The port of its API."""
        return int(self.env["PORT"])

    @property
    def pid(self) -> int:
        """The process id of the service itself."""
        return self._process.pid

    @property
    def output(self) -> str:
        """The output of the service and its children so far."""
        return self._file.read_text(encoding="utf-8")

    @property
    def log(self) -> str:
        """The text of its log file, of either market."""
        return "".join(path.read_text() for path in self.home.glob(".local/*/service.log"))

    def wait_for(self, text: str, after: str = "") -> None:
        """Wait until a text is printed after the part of the output that is given as `after`."""
        skipped = len(after)

        def printed() -> bool:
            assert self._process.poll() is None, f"the service ended: {self.output}"
            return text in self.output[skipped:]

        eventually(printed, f"{text!r} in the terminal: {self.output}")

    def ready(self) -> Self:
        """Return when the service is up."""
        self.wait_for(f"http://localhost:{self.port}")
        return self

    def get(self, path: str) -> requests.Response:
        """One answer of the API."""
        return requests.get(f"http://127.0.0.1:{self.port}{path}", timeout=5)

    def quotes(self, symbols: str) -> tuple[dict[str, Any], dict[str, Any]]:
        """Quotes and errors by symbol; both are empty while the API does not answer."""
        try:
            answer = self.get(f"/v1/quotes?symbols={symbols}")
        except requests.ConnectionError:
            return {}, {}
        if answer.status_code != 200:
            return {}, {}
        body = answer.json()
        return (
            {quote["symbol"]: quote for quote in body["quotes"]},
            {error["symbol"]: error for error in body["errors"]},
        )

    def children(self) -> dict[str, int]:
        """The process ids of its children by what they are: redis, market, api."""
        return {
            _part(process.command): process.pid
            for process in _descendants_of(self.pid)
            if process.parent == self.pid
        }

    def end(self, how: signal.Signals) -> int:
        """Send a signal; return the exit code when the process and its children are gone."""
        tree = {self.pid, *(process.pid for process in _descendants_of(self.pid))}
        self._process.send_signal(how)
        code = self._process.wait(GUARD_S)
        eventually(lambda: not tree & {process.pid for process in _processes()}, "all its ends")
        return code

    def wait(self) -> int:
        """The exit code of a service that ends without a signal."""
        return self._process.wait(GUARD_S)


def base_urls(market: MarketServers) -> dict[str, str]:
    """The settings that point a service to a market."""
    return {f"{ENV_PREFIXES[source]}_BASE_URL": url for source, url in market.base_urls.items()}


def doors_to(
    market: MarketServers, stack: ExitStack
) -> tuple[dict[Source, Doorway], dict[str, str]]:
    """A doorway before each provider of a market, and the settings that lead through them."""
    doors, env = {}, {}
    for source, url in market.base_urls.items():
        parts = urlsplit(url)
        doors[source] = stack.enter_context(Doorway(parts.port or 80))
        behind = parts._replace(netloc=f"{parts.hostname}:{doors[source].port}")
        env[f"{ENV_PREFIXES[source]}_BASE_URL"] = behind.geturl()
    return doors, env


# The paid plans of `make start`, for a market of the test itself.
PAID = {
    Source.COINGECKO: "120/minute",
    Source.COINMARKETCAP: "120/minute",
    Source.ALPHA_VANTAGE: "300/minute",
}


def paid_market() -> MarketServers:
    """A market whose prices move with every tick, as that of `make start`."""
    return MarketServers(limits=PAID, update_s=dict.fromkeys(PAID, 0.0))


def _part(command: str) -> str:
    parts = {"local.simulator": "market", "local.service.api": "api", "-server ": "redis"}
    return next((part for word, part in parts.items() if word in command), command)


class _Process(NamedTuple):
    pid: int
    parent: int
    command: str


def _processes() -> list[_Process]:
    """All processes of this machine that have not ended."""
    if not Path("/proc/self/stat").exists():
        return _processes_by_ps()
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            with contextlib.suppress(OSError):  # ended meanwhile
                state, parent = (folder / "stat").read_text().rpartition(")")[2].split()[:2]
                command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                if state not in "ZX":
                    found.append(_Process(int(folder.name), int(parent), command))
    return found


def _processes_by_ps() -> list[_Process]:
    listing = ["ps", "-A", "-ww", "-o", "pid=,ppid=,stat=,command="]
    processes = subprocess.run(listing, capture_output=True, text=True, check=True)  # noqa: S603
    rows = (line.split(maxsplit=3) for line in processes.stdout.splitlines())
    return [
        _Process(int(pid), int(parent), command)
        for pid, parent, state, command in rows
        if state[0] != "Z"
    ]


def _descendants_of(pid: int) -> list[_Process]:
    """The processes below one, its children first."""
    everybody, found, parents = _processes(), [], {pid}
    while parents:
        below = [process for process in everybody if process.parent in parents]
        found += below
        parents = {process.pid for process in below}
    return found
