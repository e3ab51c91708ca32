"""The packages as `sam build` makes them, for both processors, from the locked requirements."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from tests.infrastructure.stack import ROOT, template

MOST_API_MB = 30
MOST_FETCH_MB = 200
# What the header of an ELF file calls the processors.
MACHINES = {"x86_64": 62, "arm64": 183}
FOLDERS = {
    name: resource["Properties"].get("CodeUri") or resource["Properties"]["ContentUri"]
    for name, resource in template()["Resources"].items()
    if resource["Type"] in ("AWS::Serverless::Function", "AWS::Serverless::LayerVersion")
}


@pytest.fixture(scope="module", params=MACHINES)
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory):
    """Every package for one processor, and the number of the processor."""
    folder = tmp_path_factory.mktemp(request.param)
    for name, source in FOLDERS.items():
        artifacts = folder / name
        artifacts.mkdir()
        subprocess.run(  # noqa: S603  (our own words)
            [  # noqa: S607  (as SAM finds it)
                "make",
                f"--makefile={ROOT}/layers/build/{request.param}/Makefile",
                f"build-{name}",
            ],
            cwd=ROOT / source,
            env={**os.environ, "ARTIFACTS_DIR": str(artifacts), "PYTHON": sys.executable},
            check=True,
        )
    return folder, MACHINES[request.param]


def size_mb(*folders: Path) -> float:
    """What Lambda counts: the bytes of all files, unzipped."""
    files = (path for folder in folders for path in folder.rglob("*") if path.is_file())
    return sum(path.stat().st_size for path in files) / 2**20


def test_packages_are_small_enough(built):
    """The api has at most 30 MB with its layer, the fetch functions 200 of the 250 allowed."""
    folder, _ = built
    api = size_mb(folder / "Api", folder / "CoreLayer")
    fetch = size_mb(folder / "FetchQuotes", folder / "CoreLayer", folder / "YahooLayer")
    print(f"api {api:.1f} MB, fetch {fetch:.1f} MB")  # noqa: T201  (the numbers are the point)
    assert api < MOST_API_MB
    assert fetch < MOST_FETCH_MB


def test_packages_are_for_their_processor(built):
    """Every shared library in them is of the processor that they are built for."""
    folder, machine = built
    libraries = [path for path in folder.rglob("*.so*") if path.is_file()]
    assert libraries
    for path in libraries:
        with path.open("rb") as file:
            header = file.read(20)
        assert header[:4] == b"\x7fELF"
        assert struct.unpack_from("<H", header, 18) == (machine,), path.name


def test_packages_carry_nothing_that_is_not_used(built):
    """No tests, no bytecode, no scripts; the packages' own descriptions stay."""
    folder, _ = built
    names = {path.name for path in folder.rglob("*")}
    assert not names & {"tests", "__pycache__", "bin"}
    assert not [name for name in names if name.endswith((".pyc", ".pyo"))]
    assert [name for name in names if name.endswith(".dist-info")]


def test_each_function_has_its_module(built):
    """A function's package is its app.py, the api's with its requirements; a layer's is python/."""
    folder, _ = built
    for name, source in FOLDERS.items():
        found = {path.name for path in (folder / name).iterdir()}
        if source.startswith("layers/"):
            assert found == {"python"}
        elif name == "Api":
            assert found >= {"app.py", "fastapi", "mangum"}
        else:
            assert found == {"app.py"}
    assert (folder / "CoreLayer" / "python" / "marketdata" / "cache" / "slot_open.lua").is_file()


def test_no_two_parts_of_a_function_carry_the_same_package_twice(built):
    """Where layers and function both have a package, it is of one version."""
    folder, _ = built
    for parts in (("CoreLayer/python", "Api"), ("CoreLayer/python", "YahooLayer/python")):
        versions = [
            {path.name.split("-")[0]: path.name for path in (folder / part).glob("*.dist-info")}
            for part in parts
        ]
        for name in versions[0].keys() & versions[1].keys():
            assert versions[0][name] == versions[1][name]
