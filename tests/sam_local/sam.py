"""A copy of the project, and `sam` commands in it as README describes them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from local.service.redis_server import free_port
from tests.infrastructure.stack import ROOT
from tests.support.running_service import eventually

SAM = ROOT / ".venv-sam" / "bin" / "sam"
_PARTS = ("template.yaml", "samconfig.toml", "env.local.json", "compose.yaml")
_FOLDERS = ("layers", "functions", "events")
# Enough also if wheels are fetched and an image is built first.
GUARD_S = 500


def copied(folder: Path) -> Path:
    """Copy the files that SAM reads, so that other builds and changes do not interfere."""
    for name in _PARTS:
        shutil.copy(ROOT / name, folder)
    for name in _FOLDERS:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


@dataclass(frozen=True)
class Sam:
    """The SAM CLI in a copy of the project, for one processor, on one network of Docker's."""

    folder: Path
    processor: str
    network: str

    def build(self) -> None:
        """Run `sam build` as README describes it for this processor."""
        self._run("build")

    def settings(self, **values: str) -> None:
        """Add values to the parameters of every function in env.local.json."""
        file = self.folder / "env.local.json"
        content = json.loads(file.read_text(encoding="utf-8"))
        content["Parameters"] |= values
        file.write_text(json.dumps(content), encoding="utf-8")

    def invoke(self, function: str, event: str) -> dict[str, Any]:
        """Return the answer of `sam local invoke` to an event of events/, by its name."""
        done = self._run("local", "invoke", logical(function), "--event", f"events/{event}.json")
        answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return answer

    @contextmanager
    def serving(self, command: str) -> Iterator[Served]:
        """Run `sam local start-api` or `start-lambda` with its log until the end of `with`."""
        served = Served(free_port(), self.folder / f"{command}.log")
        command_line = self._command_line("local", command, "--port", str(served.port))
        with served.file.open("wb") as output:
            process = subprocess.Popen(  # noqa: S603  (our own arguments)
                command_line, cwd=self.folder, env=self._environment(),
                stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
            )  # fmt: skip

        def listens() -> bool:
            assert process.poll() is None, served.log
            return "Running on http" in served.log

        try:
            eventually(listens, command)
            yield served
        finally:
            process.terminate()  # its containers end with it
            process.wait(GUARD_S)

    def _run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(  # noqa: S603 - our own arguments
            self._command_line(*arguments), cwd=self.folder, env=self._environment(),
            check=False, capture_output=True, text=True, timeout=GUARD_S,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done

    def _command_line(self, *arguments: str) -> list[str]:
        chosen = ["--config-env", "x86_64"] if self.processor == "x86_64" else []
        return [str(SAM), *arguments, *chosen]

    def _environment(self) -> Mapping[str, str]:
        # No AWS account: SAM would ask AWS for its identity, and pass its keys to the functions.
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        nowhere = os.devnull
        return {
            **kept,
            "AWS_CONFIG_FILE": nowhere,
            "AWS_SHARED_CREDENTIALS_FILE": nowhere,
            "AWS_EC2_METADATA_DISABLED": "true",
            "SAM_CLI_TELEMETRY": "0",
            "SAM_DOCKER_NETWORK": self.network,
            "PYTHON": sys.executable,
        }


@dataclass(frozen=True)
class Served:
    """A server of SAM: its port and its log."""

    port: int
    file: Path

    @property
    def log(self) -> str:
        """The whole log so far, including that of the functions."""
        return self.file.read_text(encoding="utf-8", errors="replace")

    def get(self, path: str, method: str = "GET", **headers: str) -> requests.Response:
        """Return one answer of start-api; `_` in the name of a header stands for `-`."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        url = f"http://127.0.0.1:{self.port}{path}"
        return requests.request(method, url, headers=named, timeout=GUARD_S)

    def call(self, function: str, event: Mapping[str, Any]) -> dict[str, Any]:
        """Return the answer of a function of start-lambda, asked as Step Functions asks it."""
        path = f"/2015-03-31/functions/{logical(function)}/invocations"
        url = f"http://127.0.0.1:{self.port}{path}"
        answer = requests.post(url, json=event, timeout=GUARD_S)
        answer.raise_for_status()
        assert "X-Amz-Function-Error" not in answer.headers, answer.text
        payload: dict[str, Any] = answer.json()
        return payload


def logical(function: str) -> str:
    """Return the name of a function in the template: plan_quotes is PlanQuotes."""
    return function.title().replace("_", "")
