"""The servers that the stack is deployed on: MiniStack for AWS, a real Redis, the simulated market.

All of them listen on 127.0.0.1 and keep their state in one temporary folder. The processes end
with this one, however it ends. MiniStack speaks TLS and checks rights (`AUTH`), so the roles of
the functions and the bucket's policy against unencrypted requests have an effect, as on AWS.
"""

from __future__ import annotations

import os
import platform
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import requests
from botocore.config import Config

from local.service.children import Children
from local.service.redis_server import find_server, free_port, server_command, wait_until_it_answers
from local.simulator import MarketServers
from marketdata.domain.quotes import Source
from tests.infrastructure.stack import ROOT
from tests.support.certificates import write_certificate

HOST = "127.0.0.1"
REGION = "us-east-1"
START_S = 60
# Far more calls than twelve ticks a minute need, so that no limit delays a call.
LIMITS = "6000/minute"
EMULATOR = ROOT / ".venv-ministack" / "bin"
# The log is kept after the run, to find the cause of a failure.
LOG = ROOT / ".local" / "deploy-test.log"
# The root key has all rights; the functions sign with their roles.
_ROOT_KEY = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
_MACHINES = {"x86_64": "x86_64", "AMD64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}


@dataclass(frozen=True)
class Emulator:
    """A MiniStack that listens. `env`: the variables that direct AWS's tools to it."""

    port: int
    folder: Path
    certificate: Path

    @property
    def url(self) -> str:
        """The address of every service."""
        return f"https://{HOST}:{self.port}"

    @property
    def env(self) -> dict[str, str]:
        """The variables of this process without any AWS account, and with the emulator's."""
        foreign = ("AWS_", "PYTHONPATH")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
        return {
            **kept,
            **_ROOT_KEY,
            "AWS_ENDPOINT_URL": self.url,
            "AWS_CA_BUNDLE": str(self.certificate),
            "AWS_DEFAULT_REGION": REGION,
            "AWS_CONFIG_FILE": str(self.folder / "no-config"),
            "AWS_SHARED_CREDENTIALS_FILE": str(self.folder / "no-credentials"),
            "NO_PROXY": HOST,
        }

    def client(self, service: str) -> Any:
        """Return a client of a service; the client never retries."""
        return boto3.client(
            service,
            region_name=REGION,
            endpoint_url=self.url,
            verify=str(self.certificate),
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=Config(retries={"total_max_attempts": 1}, proxies={}),
        )

    def python(self) -> str:
        """Return the version of Python that runs the functions; their `Runtime` is not used."""
        return run_text(
            [str(EMULATOR / "python"), "-c", "import platform as p; print(p.python_version())"]
        )

    def log(self) -> str:
        """Return everything that the emulator has logged."""
        return LOG.read_text(encoding="utf-8")

    def answers(self) -> bool:
        """Return whether the emulator answers."""
        try:
            health = requests.get(
                f"{self.url}/_ministack/health", verify=str(self.certificate), timeout=2
            )
        except requests.RequestException:
            return False
        return health.ok


@dataclass(frozen=True)
class Ground:
    """Everything that a deployment needs."""

    emulator: Emulator
    market: MarketServers
    redis_port: int
    folder: Path


@contextmanager
def ground(folder: Path) -> Iterator[Ground]:
    """Start all servers, and stop them at the end."""
    assert (EMULATOR / "ministack").exists(), "there is no MiniStack here: run `make deploy-test`"
    children = Children()
    try:
        redis_port = free_port()
        command = server_command(find_server(), redis_port, None)
        redis = children.start("redis", command, os.environ, output=subprocess.DEVNULL)
        emulator = _emulator(children, folder)
        with MarketServers(
            limits=dict.fromkeys(Source, LIMITS), update_s=dict.fromkeys(Source, 0.0)
        ) as market:
            assert wait_until_it_answers(HOST, redis_port, redis)
            yield Ground(emulator, market, redis_port, folder)
    finally:
        children.end_all()


def architecture() -> str:
    """This machine's processor, as the template calls it."""
    machine = platform.machine()
    assert machine in _MACHINES, f"Lambda knows no {machine}"
    return _MACHINES[machine]


def run_text(command: list[str], env: Mapping[str, str] | None = None, answers: str = "") -> str:
    """Return what a command prints, given answers to its questions; fail if the command fails."""
    done = subprocess.run(  # noqa: S603  (our own arguments)
        command,
        cwd=ROOT,
        env=env,
        input=answers,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}"
    return done.stdout.strip()


def _emulator(children: Children, folder: Path) -> Emulator:
    emulator = Emulator(free_port(), folder, folder / "certificate.pem")
    key = write_certificate(emulator.certificate, HOST)
    home = folder / "emulator"
    home.mkdir()
    env = {  # functions inherit these variables, and must find no package but their own
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "TMPDIR": str(home),
        "STATE_DIR": str(home),
        "S3_DATA_DIR": str(home),
        "BIND_HOST": HOST,
        "GATEWAY_PORT": str(emulator.port),
        "AUTH": "true",
        "USE_SSL": "1",
        "MINISTACK_SSL_CERT": str(emulator.certificate),
        "MINISTACK_SSL_KEY": str(key),
        "AWS_CA_BUNDLE": str(emulator.certificate),
        "IOT_MTLS_ENABLED": "0",
        "LAMBDA_EXECUTOR": "local",
    }
    command = ["sh", "-c", 'exec "$0" 2>&1', str(EMULATOR / "ministack")]
    LOG.parent.mkdir(exist_ok=True)
    with LOG.open("wb") as log:
        process = children.start("emulator", command, env, output=log.fileno())
    end = time.monotonic() + START_S
    while not emulator.answers():
        assert process.poll() is None, emulator.log()
        assert time.monotonic() < end, "the emulator does not answer"
        time.sleep(0.1)
    return emulator
