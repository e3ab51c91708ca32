"""The image and compose.yaml, without a running container."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from marketdata.settings import SETTINGS
from tests.support.containers import ROOT, compose_command, run

IMAGE = "market-data-aggregator"
MOST_BYTES = 400_000_000
# Settings that compose.yaml or the image sets, or that only AWS has.
DECIDED = {"HOST", "PORT", "API_IS_PUBLIC", "PROVIDER_KEYS_SECRET", "METRICS_SERVICE"}


def test_compose_passes_every_setting_on():
    """A setting in `.env` reaches the container, though the file is not copied into it."""
    document = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
    environment = document["services"]["service"]["environment"]
    wanted = {
        setting.name
        for setting in SETTINGS
        if setting.name not in DECIDED and not setting.name.startswith(("REDIS_", "ARCHIVE_"))
    }
    assert wanted == environment.keys() - {"REDIS_HOST", "REDIS_PORT", "PORT"}
    for name in wanted - {"MARKET"}:
        assert environment[name] == f"${{{name}:-}}"


@pytest.mark.parametrize(
    ("lines", "market", "key"),
    [
        (None, "simulated", ""),
        ("FINNHUB_API_KEY=abc\nMARKET=live\n", "live", "abc"),
        ((ROOT / ".env.example").read_text(encoding="utf-8"), "live", ""),
    ],
    ids=["no .env", "a .env", "a copy of .env.example"],
)
def test_compose_reads_an_env_file_if_there_is_one(tmp_path, lines, market, key):
    """Without `.env` the market is simulated; a copy of .env.example means live prices."""
    shutil.copy(ROOT / "compose.yaml", tmp_path)
    if lines is not None:
        (tmp_path / ".env").write_text(lines, encoding="utf-8")
    kept = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    done = subprocess.run(  # noqa: S603  (our own command)
        [*compose_command(), "config"], cwd=tmp_path, env=kept, check=True, capture_output=True,
        text=True,
    )  # fmt: skip
    environment = yaml.safe_load(done.stdout)["services"]["service"]["environment"]
    assert (environment["MARKET"], environment["FINNHUB_API_KEY"]) == (market, key)


def test_the_image_is_small_and_holds_no_compiler():
    """The image is under 400 MB, and has no compiler, `.env`, tests or installer."""
    assert int(run("docker", "image", "inspect", "--format", "{{.Size}}", IMAGE)) < MOST_BYTES
    look = (
        "command -v gcc cc g++ c++ clang make ld as; find / -xdev -name '.env*' -type f; "
        "ls -a /app /data; ls /venv/bin"
    )
    shown = run("docker", "run", "--rm", "--entrypoint", "sh", IMAGE, "-c", f"{look}; true")
    words = {Path(word).name for word in shown.split()}
    assert {"functions", "layers", "local", "python"} <= words
    compilers = {"gcc", "cc", "g++", "c++", "clang", "make", "ld", "as"}
    assert not words & (compilers | {".env", ".env.example", ".git", "tests", "pip"})


def test_no_setting_of_a_user_is_in_the_image():
    """The variables of the image name its data folder and its port, and no key."""
    found = json.loads(run("docker", "image", "inspect", IMAGE))[0]["Config"]["Env"]
    names = {variable.partition("=")[0] for variable in found}
    allowed = {"HOST", "PORT", "HOME", "PATH", "LANG", "GPG_KEY", "PYTHONPATH", "PYTHONUNBUFFERED"}
    allowed |= {"PYTHON_VERSION", "PYTHON_SHA256", "MARKETDATA_HOME", "MARKETDATA_CONTAINER"}
    assert names <= allowed
