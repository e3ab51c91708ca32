"""Which Python makes the packages' bytecode, and what is printed if no Python can."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import MAGIC_NUMBER
from pathlib import Path
from shutil import which

import pytest

from tests.infrastructure.stack import ROOT

OURS = f"{sys.version_info[0]}.{sys.version_info[1]}"
NEVER = "3.2"
TOOLS = ("find", "head", "id")


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    """A folder with a module that is fine, one that cannot be compiled and one that is left out."""
    folder = tmp_path / "packages"
    folder.mkdir()
    (folder / "fine.py").write_text("PRICE = 1\n", encoding="utf-8")
    (folder / "never").mkdir()
    (folder / "never" / "loaded.py").write_text("PRICE = 2\n", encoding="utf-8")
    (folder / "odd.py").write_text("exec 'of Python 2'\n", encoding="utf-8")
    return folder


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """A PATH with the plain tools, and so without Docker and without any Python."""
    folder = tmp_path / "tools"
    folder.mkdir()
    for name in TOOLS:
        (folder / name).symlink_to(str(which(name)))
    return folder


def made(packages: Path, tools: Path, python: str, version: str) -> tuple[list[Path], str]:
    """Return the files that the script adds for a version, and its output."""
    script = ROOT / "layers" / "build" / "bytecode.sh"
    done = subprocess.run(  # noqa: S603  - our own arguments
        [str(which("sh")), str(script), str(packages), python, version, "never/"],
        env={"PATH": str(tools)}, check=True, capture_output=True, text=True,
    )  # fmt: skip
    return list(packages.rglob("*.pyc")), done.stdout


def test_the_python_that_is_given_makes_its_own(packages, tools):
    """PYTHON with the target's version compiles all modules that can be compiled."""
    (file,), said = made(packages, tools, sys.executable, OURS)
    assert file.name == f"fine.{sys.implementation.cache_tag}.pyc"
    assert file.read_bytes()[:4] == MAGIC_NUMBER
    assert said == ""


def test_bytecode_does_not_depend_on_folder_and_time(packages, tools, tmp_path):
    """The same module has the same bytecode in another folder and with another file time."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "fine.py").write_text((packages / "fine.py").read_text(), encoding="utf-8")
    os.utime(elsewhere / "fine.py", (1, 1))
    (here,), _ = made(packages, tools, sys.executable, OURS)
    (there,), _ = made(elsewhere, tools, sys.executable, OURS)
    assert here.read_bytes() == there.read_bytes()


def test_a_python_on_the_path_makes_it_where_the_given_one_is_another(packages, tools):
    """A Python with the version in its name is found on the PATH."""
    found = tools / f"python{OURS}"
    found.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n', encoding="utf-8")
    found.chmod(0o755)
    files, said = made(packages, tools, "python-of-another-version", OURS)
    assert len(files) == 1
    assert said == ""


@pytest.mark.parametrize("python", [sys.executable, "nothing-of-that-name"])
def test_bytecode_of_another_python_is_never_added(packages, tools, python):
    """A Python of another version adds no bytecode, and the output says what that costs."""
    (tools / f"python{NEVER}").symlink_to(sys.executable)
    files, said = made(packages, tools, python, NEVER)
    assert not files
    assert not list(packages.rglob("__pycache__"))
    (line,) = said.splitlines()
    assert "cold starts take 2 to 3 times as long" in line
    assert f"docker pull public.ecr.aws/lambda/python:{NEVER}" in line
