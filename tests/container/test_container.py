"""The container with compose.yaml, as a person runs it who hosts the service.

`make container-test` builds the image first. Ports, network, volumes and the project's name are
the test's own, and only the image is left afterwards. The order of the tests matters.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families

from local.service.redis_server import free_port
from local.service.start import LIVE_IN_CONTAINER, PUBLISHED, SIMULATED
from tests.support.containers import compose_command, run
from tests.support.running_service import eventually

ASKED = "AAPL,BTC-USD,EUR/USD,MSFT"
END_S = 10
KEY = "planted-key-of-finnhub"


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
        """Return the id of a service's container."""
        return self.compose("ps", "-q", service)

    def inspect(self, service: str) -> dict[str, Any]:
        """Return what the engine knows of a service's container."""
        found: dict[str, Any] = json.loads(run("docker", "inspect", self.container(service)))[0]
        return found

    def redis(self, *arguments: str) -> str:
        """Return the answer to a command of Redis."""
        return run("docker", "exec", self.container("redis"), "redis-cli", *arguments)

    def quotes(self) -> list[dict[str, Any]]:
        """Return the quotes once all four are there."""

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
    """Redis and the service, started."""
    name, port = f"mdatest{os.getpid()}", free_port()
    env = {"PORT": str(port), "REDIS_PORT": str(free_port()), "SAM_DOCKER_NETWORK": name}
    env |= {"MARKET": "simulated", "FINNHUB_API_KEY": KEY}
    project = Project(name, port, env)
    try:
        project.compose("up", "-d", "--no-build")
        yield project
    finally:
        project.compose("down", "--volumes")


def test_four_quotes_are_answered(project):
    """Stocks, crypto and forex have prices, and the market is simulated."""
    assert {quote["symbol"] for quote in project.quotes()} == set(ASKED.split(","))
    health = requests.get(f"http://127.0.0.1:{project.port}/health", timeout=5).json()
    assert health["market"] == "simulated"


def test_no_process_is_root_or_can_write(project):
    """No process is root, the root file system is read-only, and no right can be gained.

    Files are writable on the volume and in a bounded /tmp, from which nothing can be
    executed.
    """
    container = project.container("service")
    owners = run("docker", "top", container, "-o", "pid,uid").splitlines()[1:]
    assert {line.split()[1] for line in owners} == {"10001"}
    script = (
        "for path in /app/x /venv/x /etc/x /usr/local/bin/x /x; do touch $path; done; "
        "cp /bin/true /tmp/t && /tmp/t && echo ran; "
        "touch /data/x /tmp/x && rm /data/x && echo kept; "
        "df -m /tmp | tail -1 | tr -s ' ' | cut -d' ' -f2; "
        "grep -E '^(CapEff|CapBnd|NoNewPrivs)' /proc/self/status | cut -f2"
    )
    shown = run("docker", "exec", container, "sh", "-c", f"({script}) 2>/dev/null")
    nothing = "0" * 16
    assert shown.split() == ["kept", "64", nothing, nothing, "1"]


@pytest.mark.parametrize("service", ["redis", "service"])
def test_each_container_is_bounded(project, service):
    """Memory, processes and logs have limits, and no rights can be gained."""
    limits = project.inspect(service)["HostConfig"]
    assert limits["ReadonlyRootfs"]
    assert limits["CapDrop"] == ["ALL"]
    assert limits["Memory"] == 1024**3
    assert 0 < limits["PidsLimit"] <= 512
    assert limits["SecurityOpt"] == ["no-new-privileges:true"]
    assert limits["LogConfig"]["Config"] == {"max-size": "10m", "max-file": "3"}
    assert not limits["Privileged"]


@pytest.mark.parametrize("service", ["redis", "service"])
def test_only_this_machine_reaches_the_ports(project, service):
    """Both ports are published on 127.0.0.1 alone."""
    bindings = project.inspect(service)["HostConfig"]["PortBindings"]
    assert bindings
    assert {one["HostIp"] for each in bindings.values() for one in each} == {"127.0.0.1"}


def test_huge_and_broken_requests_are_refused(project):
    """A header of a megabyte, half a request and random bytes close only their own connection."""
    project.quotes()
    requests_of_an_attacker = [
        b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 1_000_000 + b"\r\n\r\n",
        b"GET /" + b"a" * 1_000_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /v1/quotes HTTP/1.1\r\nHost",
        bytes(range(256)) * 400,
    ]
    for sent in requests_of_an_attacker:
        with socket.create_connection(("127.0.0.1", project.port), timeout=60) as connection:
            try:
                connection.sendall(sent)
                connection.shutdown(socket.SHUT_WR)
                first = connection.recv(64)
            except OSError:  # the server closed the connection before all was sent
                first = b""
        assert not first or first.startswith((b"HTTP/1.1 4", b"HTTP/1.0 4")), first
    assert len(project.quotes()) == len(ASKED.split(","))
    assert project.inspect("service")["RestartCount"] == 0


def test_the_terminal_says_how_to_get_on_in_a_container(project):
    """The log names live prices and the published port, and has no warning."""
    project.quotes()
    printed = run("docker", "logs", project.container("service"))
    assert f"market  {SIMULATED.format(LIVE_IN_CONTAINER)}" in printed
    assert f"api     http://localhost:{project.port} " in printed
    assert PUBLISHED in printed
    shown = subprocess.run(  # noqa: S603  (warnings of the service go to standard error)
        ["docker", "logs", project.container("service")],  # noqa: S607
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    assert shown.stderr == ""


def test_the_container_becomes_healthy(project):
    """The container becomes healthy by its HEALTHCHECK."""
    eventually(
        lambda: project.inspect("service")["State"]["Health"]["Status"] == "healthy",
        "a healthy container",
        120,
    )


def test_prometheus_finds_metrics(project):
    """`/metrics` counts the written and the requested quotes."""
    project.quotes()
    text = requests.get(f"http://127.0.0.1:{project.port}/metrics", timeout=5).text
    families = text_string_to_metric_families(text)
    values = {sample.name: sample.value for family in families for sample in family.samples}
    assert values["marketdata_quotes_written_total"] >= len(ASKED.split(","))
    assert values["marketdata_cache_hits_total"] >= len(ASKED.split(","))


def test_redis_is_set_up_for_the_service(project):
    """Redis evicts only keys with a TTL, and its data is on a volume."""
    assert "volatile-lru" in project.redis("config", "get", "maxmemory-policy")
    mounts = {mount["Destination"]: mount["Type"] for mount in project.inspect("redis")["Mounts"]}
    assert mounts == {"/data": "volume"}


def test_a_restart_keeps_ledger_and_history(project):
    """New containers have the same ledgers and history as the ones before.

    The second start warns of nothing, and takes the lists from the archive.
    """

    def kept() -> dict[str, list[str]]:
        found = {}
        for key in project.redis("--scan").split():
            if ":budget:" in key:
                lines = project.redis("hgetall", key).splitlines()
                found[key] = sorted(map("=".join, zip(lines[::2], lines[1::2], strict=True)))
            elif ":minutes:" in key:
                found[key] = [project.redis("--no-raw", "get", key)]
        return found

    project.quotes()
    project.compose("stop")
    project.compose("up", "-d", "--no-build", "redis")
    before = eventually(kept, "ledgers and history")
    kinds = {kind for key in before for kind in (":budget:", ":minutes:") if kind in key}
    assert kinds == {":budget:", ":minutes:"}
    project.compose("stop")
    project.compose("rm", "-f")
    project.compose("up", "-d", "--no-build", "redis")
    assert eventually(kept, "the same keys") == before
    project.compose("up", "-d", "--no-build")
    assert project.quotes()
    container = project.container("service")
    both = ["sh", "-c", f"docker logs {container} 2>&1"]
    printed = run(*both)
    assert "warning" not in printed
    assert "lost" not in printed


def test_sigterm_ends_the_service_in_time(project):
    """`docker stop` ends the service with exit code 0."""
    container = project.container("service")
    run("docker", "stop", "--time", str(END_S), container)
    state = json.loads(run("docker", "inspect", container))[0]["State"]
    assert state["ExitCode"] == 0
    assert not state["OOMKilled"]
