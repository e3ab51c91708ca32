"""The project has one version."""

from __future__ import annotations

import tomllib
from pathlib import Path

from marketdata.version import VERSION

ROOT = Path(__file__).parents[2]


def test_the_project_and_the_api_have_one_version():
    """The version of the API is that of pyproject.toml."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert project["project"]["version"] == VERSION
