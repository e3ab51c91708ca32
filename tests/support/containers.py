"""Commands of Docker and Compose, run in the folder of compose.yaml."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]


def run(*command: str, env: dict[str, str] | None = None) -> str:
    """Return what a command prints; fail with its error text."""
    done = subprocess.run(  # noqa: S603  (our own commands)
        command, cwd=ROOT, env={**os.environ, **(env or {})}, check=False, capture_output=True,
        text=True,
    )  # fmt: skip
    assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}"
    return done.stdout.strip()


def compose_command() -> Sequence[str]:
    """Return `docker compose`, or `docker-compose` if the engine has no such command."""
    has_plugin = subprocess.run(["docker", "compose", "version"], check=False, capture_output=True)  # noqa: S607
    if has_plugin.returncode == 0:
        return ("docker", "compose")
    assert shutil.which("docker-compose"), "install docker compose"
    return ("docker-compose",)
