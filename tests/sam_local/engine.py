"""The Docker engine and the servers of the suite: a network, compose.yaml's Redis, the market.

All names begin with the network's name, which contains the process id, and ports are chosen by
the system, so nothing collides with what a user runs. After the `with` only images are left.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from local.service.redis_server import free_port
from tests.infrastructure.stack import ROOT
from tests.support.running_service import eventually

# Docker's names of the processors, and those of SAM and the template.
_PROCESSORS = {"amd64": "x86_64", "arm64": "arm64"}
_INSIDE = 6379
# The name has a dot, because cookies of a host without a dot are stored for another host name.
_MARKET = "market.test"


def docker(*arguments: str, env: Mapping[str, str] | None = None) -> str:
    """Return what a Docker command prints; fail with its error text."""
    done = subprocess.run(  # noqa: S603  (our own arguments)
        ["docker", *arguments],  # noqa: S607  (as a user finds it)
        env={**os.environ, **(env or {})}, check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, f"docker {' '.join(arguments)}: {done.stderr}"
    return done.stdout.strip()


def processor() -> str:
    """Return the processor that the engine runs containers on, as SAM names it."""
    return _PROCESSORS[docker("version", "--format", "{{.Server.Arch}}")]


@dataclass(frozen=True)
class Engine:
    """A network of our own with a Redis: `redis` on the network, `redis_port` on this machine."""

    network: str
    redis: str
    redis_port: int

    def market(self, packages: Path) -> dict[str, str]:
        """Run the simulated market on the network; return the base URLs of its providers.

        The market runs in a container, because no address of this machine is the same in
        every engine. `packages` is the core layer's folder, made for the engine's
        processor.
        """
        name = f"{self.network}-market"
        docker(
            *("run", "--detach", "--name", name, "--network", self.network),
            *("--network-alias", _MARKET, "--entrypoint", "/var/lang/bin/python3.13"),
            *("--volume", f"{ROOT / 'local'}:/market/local:ro", "--env", "PYTHONPATH=/opt/python"),
            *("--volume", f"{packages}:/opt/python:ro", "--workdir", "/market"),
            f"public.ecr.aws/lambda/python:3.13-{processor()}",
            *("-B", "-m", "local.simulator", "--host", "0.0.0.0"),  # noqa: S104  (of its container)
        )  # fmt: skip
        line: str = eventually(lambda: docker("logs", name), "the market's line")
        urls: dict[str, str] = json.loads(line)["base_urls"]
        return {source: url.replace("0.0.0.0", _MARKET) for source, url in urls.items()}  # noqa: S104

    def stop_redis(self) -> None:
        """Stop the Redis; its name is no longer on the network."""
        docker("stop", "--time", "0", self.redis)

    def start_redis(self) -> None:
        """Start the Redis again, empty."""
        docker("start", self.redis)
        eventually(self._answers, "an answer of Redis")
        self.empty_redis()  # its data is on a volume

    def empty_redis(self) -> None:
        """Delete all data of the Redis."""
        docker("exec", self.redis, "redis-cli", "flushall")

    def _answers(self) -> bool:
        return _succeeds("exec", self.redis, "redis-cli", "ping")


@contextmanager
def running(project: Path) -> Iterator[Engine]:
    """Run the Redis of a project's compose.yaml by `docker compose`, or with equal options."""
    network, port = f"mda-test-{os.getpid()}", free_port()
    moved = {"SAM_DOCKER_NETWORK": network, "REDIS_PORT": str(port)}
    file = project / "compose.yaml"
    compose = ("compose", "--project-name", network, "--file", str(file))
    has_compose = _succeeds("compose", "version")
    try:
        if has_compose:
            docker(*compose, "up", "--detach", "redis", env=moved)
            redis = docker(*compose, "ps", "--quiet", "redis", env=moved)
        else:
            docker("network", "create", network)
            redis = docker(*_run(network, port, _service(file)))
        engine = Engine(network, redis, port)
        eventually(engine._answers, "an answer of Redis")
        yield engine
    finally:
        left = docker("ps", "--all", "--quiet", "--filter", f"network={network}").split()
        if left:
            docker("rm", "--force", "--volumes", *left)
        if has_compose:
            docker(*compose, "down", "--volumes", env=moved)
        elif docker("network", "ls", "--quiet", "--filter", f"name=^{network}$"):
            docker("network", "rm", network)


def _succeeds(*arguments: str) -> bool:
    done = subprocess.run(["docker", *arguments], check=False, capture_output=True)  # noqa: S603, S607
    return done.returncode == 0


def _service(file: Path) -> Mapping[str, Any]:
    written = yaml.safe_load(file.read_text(encoding="utf-8"))
    service: Mapping[str, Any] = written["services"]["redis"]
    return service


def _run(network: str, port: int, service: Mapping[str, Any]) -> Sequence[str]:
    return (
        *("run", "--detach", "--name", f"{network}-redis"),
        *("--network", network, "--network-alias", "redis"),
        *("--publish", f"127.0.0.1:{port}:{_INSIDE}"), *("--volume", "/data"),
        service["image"], *service["command"],
    )  # fmt: skip
