"""The packages that `sam build` makes from the locked requirements, for both processors.

`make deploy-test` runs these tests, because building takes as long as hundreds of other tests.
"""

from __future__ import annotations

import os
import re
import struct
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.benchmarks.cold_start import FUNCTIONS, run
from tests.infrastructure.stack import ROOT, template

MOST_API_MB = 35
MOST_FETCH_MB = 200
# The numbers of the processors in the header of an ELF file.
MACHINES = {"x86_64": 62, "arm64": 183}
# The first bytes of Python 3.13's bytecode, and the flag of bytecode that is used without comparing
# it with its source.
MAGIC = (3571).to_bytes(2, "little") + b"\r\n"
UNCHECKED = 0b01
RULES = (ROOT / "layers" / "build" / "packages.mk").read_text(encoding="utf-8")
(UNCOMPILED,) = re.findall(r"^UNCOMPILED := (.+)$", RULES, re.MULTILINE)
SECRET = "from aws_lambda_powertools.utilities.parameters import SecretsProvider"
LOADED = """
import sys
print(*(getattr(module, "__file__", "") for module in list(sys.modules.values())), sep="\\n")
"""
COMPILED = ("Api", "CoreLayer", "YahooLayer")
FOLDERS = {
    name: resource["Properties"].get("CodeUri") or resource["Properties"]["ContentUri"]
    for name, resource in template()["Resources"].items()
    if resource["Type"] in ("AWS::Serverless::Function", "AWS::Serverless::LayerVersion")
}


class Built(NamedTuple):
    """Every package for one processor, the processor's number, and the output of each build."""

    folder: Path
    machine: int
    said: dict[str, str]


@pytest.fixture(scope="module", params=MACHINES)
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The packages for one processor, built as SAM builds them."""
    return build(request.param, tmp_path_factory.mktemp(request.param), FOLDERS)


def build(machine: str, folder: Path, parts: Iterable[str]) -> Built:
    """Build the named packages."""
    said = {}
    for name in parts:
        artifacts = folder / name
        artifacts.mkdir()
        command = ["make", f"--makefile={ROOT}/layers/build/{machine}/Makefile", f"build-{name}"]
        added = {"ARTIFACTS_DIR": str(artifacts), "PYTHON": sys.executable}
        done = subprocess.run(  # noqa: S603  (our own command)
            command,
            cwd=ROOT / FOLDERS[name],
            env={**os.environ, **added},
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        )
        said[name] = done.stdout
    return Built(folder, MACHINES[machine], said)


def size_mb(*folders: Path) -> float:
    """Return the size that Lambda counts: the bytes of all files, unzipped."""
    files = (path for folder in folders for path in folder.rglob("*") if path.is_file())
    return sum(path.stat().st_size for path in files) / 2**20


def test_packages_are_small_enough(built):
    """The api has at most 35 MB with its layer, the fetch functions 200 of the 250 allowed."""
    folder = built.folder
    api = size_mb(folder / "Api", folder / "CoreLayer")
    fetch = size_mb(folder / "FetchQuotes", folder / "CoreLayer", folder / "YahooLayer")
    print(f"api {api:.1f} MB, fetch {fetch:.1f} MB")  # noqa: T201  (shows how much room is left)
    assert api < MOST_API_MB
    assert fetch < MOST_FETCH_MB


def test_packages_are_for_their_processor(built):
    """Every shared library in a package is for the package's processor."""
    folder, machine, _ = built
    libraries = [path for path in folder.rglob("*.so*") if path.is_file()]
    assert libraries
    for path in libraries:
        with path.open("rb") as file:
            header = file.read(20)
        assert header[:4] == b"\x7fELF"
        assert struct.unpack_from("<H", header, 18) == (machine,), path.name


def test_packages_carry_nothing_that_is_not_used(built):
    """Packages have no tests and no scripts, and keep their *.dist-info."""
    names = {path.name for path in built.folder.rglob("*")}
    assert not names & {"tests", "bin"}
    assert [name for name in names if name.endswith(".dist-info")]


def test_bytecode_is_one_that_lambda_takes_as_it_is(built):
    """Bytecode is Python 3.13's, is used without comparing it with its source, and has a source."""
    for path in built.folder.rglob("*.py[co]"):
        header = path.read_bytes()[:8]
        assert header[:4] == MAGIC, path
        assert int.from_bytes(header[4:], "little") == UNCHECKED, path
        _, tag, ending = path.name.rsplit(".", 2)
        assert (path.parent.name, tag, ending) == ("__pycache__", "cpython-313", "pyc"), path
        assert source_of(path).is_file(), path


@pytest.mark.parametrize("part", COMPILED)
def test_bytecode_is_of_every_module_or_the_build_says_that_there_is_none(built, part):
    """Each module that a function can load has bytecode, or the build says that none has."""
    sources = {
        path
        for path in (built.folder / part).rglob("*.py")
        if not re.search(UNCOMPILED, str(path.relative_to(built.folder)))
    }
    compiled = {source_of(path) for path in (built.folder / part).rglob("*.pyc")}
    assert compiled == (set() if "slower" in built.said[part] else sources)


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.name)
def test_what_has_no_bytecode_is_loaded_by_no_function(function):
    """No function loads a module without bytecode, at its start or to read its secret."""
    files = run(f"{function.module}; {function.ready}; {SECRET}\n{LOADED}").splitlines()
    assert [file for file in files if "aws_lambda_powertools/utilities/parameters/" in file]
    assert not [file for file in files if re.search(UNCOMPILED, file)]


@pytest.mark.parametrize("built", ["arm64"], indirect=True)
def test_bytecode_is_the_same_each_time(built, tmp_path):
    """The same sources give the same bytecode, so that a deployment uploads only real changes."""
    again = build("x86_64", tmp_path, ["CoreLayer"])
    compared = 0
    for path in (again.folder / "CoreLayer").rglob("*.pyc"):
        earlier = built.folder / path.relative_to(again.folder)
        if not earlier.is_file() or source_of(earlier).read_bytes() != source_of(path).read_bytes():
            continue  # the module of another processor
        assert earlier.read_bytes() == path.read_bytes(), path
        compared += 1
    assert compared or "slower" in built.said["CoreLayer"] + again.said["CoreLayer"]


def source_of(path: Path) -> Path:
    """Return the source of a file in a `__pycache__`."""
    return path.parents[1] / f"{path.name.rsplit('.', 2)[0]}.py"


def test_each_function_has_its_module(built):
    """A package is app.py alone, the api's also has its requirements, and a layer is python/."""
    folder = built.folder
    for name, source in FOLDERS.items():
        found = {path.name for path in (folder / name).iterdir()}
        if source.startswith("layers/"):
            assert found == {"python"}
        elif name == "Api":
            assert found >= {"app.py", "fastapi", "mangum"}
        else:
            assert found == {"app.py"}
    assert (
        folder / "CoreLayer" / "python" / "marketdata" / "cache" / "lua" / "slot_open.lua"
    ).is_file()


def test_no_two_parts_of_a_function_carry_the_same_package_twice(built):
    """No package of the core layer is also in the api's package or in the other layer."""
    folder = built.folder
    core, api, yahoo = (
        {path.name.split("-")[0]: path.name for path in (folder / part).glob("*.dist-info")}
        for part in ("CoreLayer/python", "Api", "YahooLayer/python")
    )
    assert core
    assert not core.keys() & (api.keys() | yahoo.keys())
