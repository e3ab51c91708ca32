"""Containers in which a function of the service starts as on Lambda, with a Redis and a market.

Redis speaks TLS only and accepts any password of its user, so the functions sign in with IAM as
on AWS, and nobody checks the signature. The botocore that signs is the runtime's.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from marketdata.domain.quotes import Source
from marketdata.settings import ENV_PREFIXES
from tests.benchmarks.image import PATH, PYTHON, Packed, image
from tests.infrastructure.stack import ROOT, Stack
from tests.sam_local.engine import docker
from tests.sam_local.sam import logical
from tests.support.certificates import write_certificate
from tests.support.running_service import eventually

CACHE = "prices.serverless.test"  # the middle word makes it a serverless cache for the signer
USER = "functions"
MARKET = "market.test"
_BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
# Runs in the function's container: starts the function, and prints how long each phase took.
_TIMER = """
import subprocess, sys, time
began = time.perf_counter()
command = [sys.executable, "-c", sys.argv[1]]
child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
def wait_for(mark):
    for line in child.stdout:
        if line.startswith(mark):
            return time.perf_counter()
        sys.stderr.buffer.write(line)
    sys.exit("the function ended before " + mark.decode())
ready = wait_for(b"READY")
print("ready", flush=True)
event = sys.stdin.readline().encode()
asked = time.perf_counter()
child.stdin.write(event)
child.stdin.flush()
done = wait_for(b"DONE")
print(ready - began, done - asked, flush=True)
child.stdin.close()
child.wait()
"""
# The function: imports Lambda's runtime client and the function's module, then handles one event.
_FUNCTION = """
import awslambdaric.bootstrap, json, sys
import app
class Context:
    function_name = "benchmark"
    memory_limit_in_mb = 512
    invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:benchmark"
    aws_request_id = "benchmark"
print("READY", flush=True)
answer = app.handler(json.loads(sys.stdin.readline()), Context())
assert answer.get("statusCode", 200) == 200 and answer.get("claimed", True), answer
assert answer.get("quotes", True) and sum(answer.get("written", {"": 1}).values()), answer
print("DONE", flush=True)
"""


@dataclass(frozen=True)
class Servers:
    """The network with the Redis and the simulated market. `trust`: the certificates' folder."""

    network: str
    redis: str
    trust: Path
    base_urls: Mapping[str, str]

    def empty(self) -> None:
        """Delete all data. The scripts stay, as in a Redis that is in use."""
        docker(
            *("exec", self.redis, "redis-cli", "--tls", "--cacert", "/tls/redis.pem"),
            *("-h", CACHE, "flushall"),
        )


@dataclass(frozen=True)
class Started:
    """A container that waits to run one function."""

    name: str
    share: str
    event: Callable[[], dict[str, Any]]

    def first_event(self, cpus: str) -> tuple[float, float]:
        """Return how long the import took, with `cpus`, and the first event (s)."""
        docker("update", "--cpus", cpus, self.name)
        process = subprocess.Popen(  # noqa: S603  (fixed arguments)
            ["docker", "exec", "-i", self.name, PYTHON, "-c", _TIMER, _FUNCTION],  # noqa: S607
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert process.stdin is not None
        assert process.stdout is not None
        ready = process.stdout.readline().strip() == "ready"
        if ready:
            docker("update", "--cpus", self.share, self.name)
        times, error = process.communicate(json.dumps(self.event()) + "\n" if ready else None)
        assert process.returncode == 0, error
        init_s, event_s = map(float, times.split())
        return init_s, event_s


def runtime_folders(folder: Path) -> dict[str, Path]:
    """Return the runtime's own packages, without bytecode and with it."""
    bare, compiled = folder / "runtime", folder / "runtime-compiled"
    made = docker("create", image())
    docker("cp", f"{made}:/var/runtime", str(bare))
    docker("rm", made)
    for cache in bare.rglob("__pycache__"):
        shutil.rmtree(cache)
    shutil.copytree(bare, compiled)
    docker(
        *("run", "--rm", "--volume", f"{compiled}:/var/runtime", "--entrypoint", PYTHON, image()),
        *("-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", "/var/runtime"),
    )
    return {"without .pyc": bare, "with .pyc": compiled}


@contextmanager
def servers_in(folder: Path) -> Iterator[Servers]:
    """Run a network with a Redis that speaks TLS, and the simulated market."""
    network, trust = f"mda-bench-{os.getpid()}", folder / "tls"
    trust.mkdir()
    certificate = trust / "redis.pem"
    write_certificate(certificate, CACHE).chmod(0o644)  # the server has another user
    usual = docker("run", "--rm", "--entrypoint", "cat", image(), _BUNDLE)
    (trust / "bundle.pem").write_text(usual + "\n" + certificate.read_text())
    docker("network", "create", network)
    names = [f"{network}-redis", f"{network}-market"]
    try:
        docker(
            *("run", "--detach", "--name", names[0], "--network", network),
            *("--network-alias", CACHE, "--volume", f"{trust}:/tls:ro", "redis:7-alpine"),
            *("redis-server", "--port", "0", "--tls-port", "6379", "--tls-auth-clients", "no"),
            *("--tls-cert-file", "/tls/redis.pem", "--tls-key-file", "/tls/redis.key"),
            *("--save", "", "--protected-mode", "no"),
            *("--user", USER, "on", "nopass", "~*", "&*", "+@all"),
        )
        docker(
            *("run", "--detach", "--name", names[1], "--network", network),
            *("--network-alias", MARKET, "--volume", f"{ROOT / 'local'}:/market/local:ro"),
            *("--volume", f"{folder / 'built' / 'CoreLayer' / 'python'}:/opt/python:ro"),
            *("--env", "PYTHONPATH=/opt/python", "--workdir", "/market"),
            *("--entrypoint", PYTHON, image()),
            *("-B", "-m", "local.simulator", "--host", "0.0.0.0"),  # noqa: S104
        )
        line: str = eventually(lambda: docker("logs", names[1]), "the market's line")
        urls = json.loads(line)["base_urls"].items()
        yield Servers(
            network,
            names[0],
            trust,
            {source: url.replace("0.0.0.0", MARKET) for source, url in urls},  # noqa: S104
        )
    finally:
        for name in names:
            subprocess.run(["docker", "rm", "--force", name], check=False, capture_output=True)  # noqa: S603, S607
        docker("network", "rm", network)


@contextmanager
def container(
    packed: Packed,
    share: str,
    runtime: Path,
    servers: Servers,
    event: Callable[[], dict[str, Any]],
) -> Iterator[Started]:
    """Run a container with a function's packages, the template's variables and the network."""
    variables = {**_environment(packed.function.name), **_own(servers)}
    with tempfile.TemporaryDirectory(dir=packed.folder.parent) as opt:
        for layer in packed.layers:
            shutil.copytree(layer, opt, dirs_exist_ok=True)
        name = docker(
            *("run", "--detach", "--rm", "--network", servers.network, "--cpus", "1"),
            *("--volume", f"{packed.task}:/var/task:ro", "--volume", f"{opt}:/opt/python:ro"),
            *("--volume", f"{runtime}:/var/runtime:ro"),
            *("--volume", f"{servers.trust}:/tls:ro"),
            *(word for pair in variables.items() for word in ("--env", "=".join(pair))),
            *("--entrypoint", PYTHON, image(), "-c", "import time; time.sleep(3600)"),
        )
        try:
            yield Started(name, share, event)
        finally:
            docker("rm", "--force", name)


def _environment(function: str) -> dict[str, str]:
    """Return the template's variables of a function, except those that only AWS knows."""
    variables = Stack().functions()[logical(function)]["Environment"]["Variables"]
    return {name: value for name, value in variables.items() if isinstance(value, str)}


def _own(servers: Servers) -> dict[str, str]:
    """Return the variables that AWS would add: runtime, cache, identity and providers."""
    return {
        "PYTHONPATH": PATH,
        "AWS_LAMBDA_FUNCTION_NAME": "benchmark",
        "AWS_LAMBDA_LOG_LEVEL": "DEBUG",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "ASIAEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "example",
        "AWS_SESSION_TOKEN": "example",
        "REDIS_HOST": CACHE,
        "REDIS_USERNAME": USER,
        "REDIS_CACHE_NAME": "prices",
        "SSL_CERT_FILE": "/tls/bundle.pem",  # the usual certificates and ours
        **{
            f"{ENV_PREFIXES[Source(name)]}_BASE_URL": url for name, url in servers.base_urls.items()
        },
    }
