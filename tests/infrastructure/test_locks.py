"""The locks: what the service and its tests install."""

from __future__ import annotations

import re
from importlib.metadata import distribution

import pytest
from packaging.specifiers import SpecifierSet

from tests.infrastructure.stack import ROOT

OLDEST = "3.11.0"  # as README says: Python 3.11 or newer
LOCKED = re.compile(r"^([A-Za-z0-9._-]+)==(\S+)", re.MULTILINE)


def test_readme_names_the_oldest_python():
    """README names Python 3.11 as the oldest version, which all locked packages support."""
    assert "You need Python 3.11 or newer" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_every_locked_package_takes_the_oldest_python():
    """Every locked package supports Python 3.11.0, which some systems have."""
    lock = (ROOT / "requirements-dev.txt").read_text(encoding="utf-8")
    packages = LOCKED.findall(lock)
    assert len(packages) > 100
    for name, version in packages:
        found = distribution(name)
        assert found.version == version, name
        wanted = found.metadata["Requires-Python"]
        assert not wanted or SpecifierSet(wanted).contains(OLDEST), f"{name} wants {wanted}"


@pytest.mark.parametrize("part", ["functions/api", "layers/yahoo"])
def test_a_package_that_is_left_out_has_the_version_of_the_core_layer(part):
    """A lock names the same version of a package as the core layer's lock."""
    core, own = (
        dict(LOCKED.findall((ROOT / folder / "requirements.txt").read_text(encoding="utf-8")))
        for folder in ("layers/core", part)
    )
    shared = core.keys() & own.keys()
    assert shared
    assert {name: own[name] for name in shared} == {name: core[name] for name in shared}
