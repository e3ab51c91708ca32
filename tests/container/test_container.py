"""The container with compose.yaml, as somebody runs it who hosts the service: one story.

`make container-test` builds the image first. Ports, network, volumes and the project's name are the
test's own, and nothing of them is left but the image.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml

from local.service.redis_server import free_port
from marketdata.settings import SETTINGS
from tests.support.running_service import eventually

ROOT = Path(__file__).parents[2]
IMAGE = "market-data-aggregator"
ASKED = "AAPL,BTC-USD,EUR/USD,MSFT"
MOST_BYTES = 400_000_000
END_S = 10
# Settings of the container that compose.yaml or the image decides, or that only AWS has.
DECIDED = {"HOST", "PORT", "API_IS_PUBLIC", "PROVIDER_KEYS_SECRET", "METRICS_SERVICE"}


def run(*command: str, env: dict[str, str] | None = None) -> str:
    """Return what a command prints; fail with its error text."""
    done = subprocess.run(  # noqa: S603  (our own commands)
        command, cwd=ROOT, env={**os.environ, **(env or {})}, check=False, capture_output=True,
        text=True,
    )  # fmt: skip
    assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}"
    return done.stdout.strip()


def compose_command() -> Sequence[str]:
    """`docker compose`, or the older program where the engine has no such command."""
    has_plugin = subprocess.run(["docker", "compose", "version"], check=False, capture_output=True)  # noqa: S607
    if has_plugin.returncode == 0:
        return ("docker", "compose")
    assert shutil.which("docker-compose"), "install docker compose"
    return ("docker-compose",)


@dataclass(frozen=True)
class Project:
    """The services of compose.yaml under a name of the test's own."""

    name: str
    port: int
    env: dict[str, str]

    def compose(self, *arguments: str) -> str:
        """Run a command of compose."""
        return run(*compose_command(), "--project-name", self.name, *arguments, env=self.env)

    def container(self, service: str) -> str:
        """The id of a service's container."""
        return self.compose("ps", "-q", service)

    def inspect(self, service: str) -> dict[str, Any]:
        """What the engine knows of a service's container."""
        found: dict[str, Any] = json.loads(run("docker", "inspect", self.container(service)))[0]
        return found

    def redis(self, *arguments: str) -> str:
        """What a command of Redis answers."""
        return run("docker", "exec", self.container("redis"), "redis-cli", *arguments)

    def quotes(self) -> list[dict[str, Any]]:
        """The quotes, once all four are there."""

        def found() -> list[dict[str, Any]]:
            url = f"http://127.0.0.1:{self.port}/v1/quotes?symbols={ASKED}"
            try:
                answer = requests.get(url, timeout=5)
            except requests.ConnectionError:
                return []
            quotes = answer.json()["quotes"] if answer.ok else []
            return quotes if len(quotes) == len(ASKED.split(",")) else []

        quotes: list[dict[str, Any]] = eventually(found, "four quotes", 120)
        return quotes


@pytest.fixture(scope="module")
def project() -> Iterator[Project]:
    """Redis and the service, up."""
    name, port = f"mdatest{os.getpid()}", free_port()
    env = {"PORT": str(port), "REDIS_PORT": str(free_port()), "SAM_DOCKER_NETWORK": name}
    project = Project(name, port, env)
    try:
        project.compose("up", "-d", "--no-build")
        yield project
    finally:
        project.compose("down", "--volumes")


def test_compose_passes_every_setting_on():
    """A setting in `.env` reaches the container, without a copy of the file in it."""
    document = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
    environment = document["services"]["service"]["environment"]
    wanted = {
        setting.name
        for setting in SETTINGS
        if setting.name not in DECIDED and not setting.name.startswith(("REDIS_", "ARCHIVE_"))
    }
    assert wanted == environment.keys() - {"REDIS_HOST", "REDIS_PORT"}
    for name in wanted - {"MARKET"}:
        assert environment[name] == f"${{{name}:-}}"


def test_the_image_is_small_and_holds_no_compiler():
    """It is under 400 MB, and has neither a compiler nor a `.env`."""
    assert int(run("docker", "image", "inspect", "--format", "{{.Size}}", IMAGE)) < MOST_BYTES
    look = "command -v gcc cc make; ls -a /app /data"
    shown = run("docker", "run", "--rm", "--entrypoint", "sh", IMAGE, "-c", look)
    assert "/gcc" not in shown
    assert "/make" not in shown
    assert ".env" not in shown.split()


def test_four_quotes_are_answered(project):
    """Stocks, crypto and forex have prices, marked as simulated."""
    assert {quote["symbol"] for quote in project.quotes()} == set(ASKED.split(","))
    health = requests.get(f"http://127.0.0.1:{project.port}/health", timeout=5).json()
    assert health["market"] == "simulated"


def test_it_is_not_root_and_cannot_write(project):
    """No process is root, and the root file system is read-only."""
    container = project.container("service")
    assert run("docker", "exec", container, "id", "-u") == "10001"
    found = project.inspect("service")
    assert found["HostConfig"]["ReadonlyRootfs"]
    assert found["HostConfig"]["CapDrop"] == ["ALL"]
    tried = "touch /app/x 2>/dev/null || echo read-only"
    assert run("docker", "exec", container, "sh", "-c", tried) == "read-only"


def test_the_engine_knows_that_it_is_healthy(project):
    """HEALTHCHECK asks /health."""
    eventually(
        lambda: project.inspect("service")["State"]["Health"]["Status"] == "healthy",
        "a healthy container",
        120,
    )


def test_prometheus_finds_metrics(project):
    """`/metrics` counts the quotes that were written."""
    text = requests.get(f"http://127.0.0.1:{project.port}/metrics", timeout=5).text
    assert "marketdata_quotes_written_total" in text


def test_redis_is_set_up_for_the_service(project):
    """What has no expiry is never evicted, and the data is on a volume."""
    assert "volatile-lru" in project.redis("config", "get", "maxmemory-policy")
    mounts = {mount["Destination"]: mount["Type"] for mount in project.inspect("redis")["Mounts"]}
    assert mounts == {"/data": "volume"}


def test_a_restart_keeps_ledger_and_history(project):
    """After both containers are made anew the keys of budgets and of the history are there."""

    def kept() -> set[str]:
        keys = project.redis("--scan").split()
        return {key for key in keys if "budget" in key or "history" in key}

    before = eventually(kept, "keys of budgets and history")
    project.compose("stop")
    project.compose("rm", "-f")
    project.compose("up", "-d", "--no-build", "redis")
    eventually(lambda: before <= kept(), "the same keys")
    project.compose("up", "-d", "--no-build")
    assert project.quotes()


def test_sigterm_ends_it_in_time(project):
    """`docker stop` ends it by itself: it is not killed."""
    container = project.container("service")
    run("docker", "stop", "--time", str(END_S), container)
    state = json.loads(run("docker", "inspect", container))[0]["State"]
    assert state["ExitCode"] == 0
    assert not state["OOMKilled"]
