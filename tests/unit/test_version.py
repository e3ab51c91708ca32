"""Test the one version of the project."""

from __future__ import annotations

import tomllib
from pathlib import Path

from marketdata.version import VERSION

ROOT = Path(__file__).parents[2]


def test_the_project_and_the_api_have_one_version():
    """The version that the API's document names is that of the project's file."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert project["project"]["version"] == VERSION
