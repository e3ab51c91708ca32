"""The rooms of the code: imports point downwards, and the api loads none of the heavy libraries."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.fresh_process import loaded_by

ROOT = Path(__file__).resolve().parents[2]
CORE = ROOT / "layers" / "core"

# What each room may import of the project, itself included. `settings` and `redaction` serve all
# rooms above the domain.
BASE = {"errors", "clock"}
SHARED = {"settings", "setting_types", "redaction", "version", "domain", *BASE}
ALLOWED = {
    "__init__": set(),
    "errors": set(),
    "clock": set(),
    "collector": set(),
    "redaction": set(),
    "version": set(),
    "domain": {"domain", *BASE},
    "setting_types": {"domain", *BASE},
    "settings": {"setting_types", "redaction", "version", "domain", *BASE},
    "setting_names": {"settings"},
    "cache": {"cache", *SHARED},
    "providers": {"providers", *SHARED},
    "observability": {"observability", "cache", *SHARED},
    "prices": {"prices", "cache", "providers", "observability", *SHARED},
    "lists": {"lists", "cache", "providers", "observability", *SHARED},
    "api": {"api", "cache", "observability", "composition", *SHARED},
    "composition": {
        "prices",
        "lists",
        "cache",
        "providers",
        "observability",
        "api",
        "collector",
        "setting_names",
        *SHARED,
    },
}
HEAVY = {"pandas", "yfinance", "boto3", "requests", "numpy", "curl_cffi"}


def modules() -> Iterator[tuple[str, str, Path]]:
    """Each module of the core: its room, its name and its file."""
    for path in sorted((CORE / "marketdata").rglob("*.py")):
        parts = path.relative_to(CORE).with_suffix("").parts
        name = ".".join(parts).removesuffix(".__init__")
        yield parts[1], name, path


def imported(path: Path) -> Iterator[str]:
    """The full name of each import of a file, under TYPE_CHECKING as well."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        yield from names


@pytest.mark.parametrize(
    ("room", "path"), [pytest.param(room, path, id=name) for room, name, path in modules()]
)
def test_imports_point_downwards(room, path):
    """A module imports only rooms below its own, and its own."""
    names = (name.split(".") for name in imported(path))
    assert {name[1] for name in names if name[0] == "marketdata"} <= ALLOWED[room]


def test_the_core_knows_neither_functions_nor_the_local_service():
    """The package that is deployed imports nothing of the folders around it."""
    for _, name, path in modules():
        packages = {found.split(".")[0] for found in imported(path)}
        assert not packages & {"local", "functions", "tests"}, name


def test_the_api_loads_no_heavy_library():
    """Importing the api loads neither pandas nor a provider's client, so a cold start is short."""
    assert not HEAVY & loaded_by("import marketdata.api.serving")
