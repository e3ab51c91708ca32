"""The workflow and the hooks: the commands exist, and the versions are the locked ones."""

from __future__ import annotations

import re
import shlex

import yaml

from tests.conftest import LONGEST
from tests.infrastructure.stack import ROOT

WORKFLOW = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8"))
HOOKS = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
TARGETS = set(
    re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
)


def commands() -> list[str]:
    """Every command of the workflow."""
    return [
        step["run"] for job in WORKFLOW["jobs"].values() for step in job["steps"] if "run" in step
    ]


def test_the_workflow_runs_every_check_of_the_makefile():
    """Lint, types, tests, template, packages, deployment and image each have their command."""
    run = {parts[1] for parts in map(shlex.split, commands()) if parts[0] == "make"}
    assert run <= TARGETS
    assert run >= {"check", "start", "smoke", "validate", "scan"}
    # Suites that `make check` leaves out each have a target of their own.
    assert run >= {target for target in TARGETS if target.endswith("-test")}


def test_the_workflow_runs_the_commands_of_the_readme():
    """Each target that README and CONTRIBUTING name is run, except measuring and cleaning up."""
    run = {parts[1] for parts in map(shlex.split, commands()) if parts[0] == "make"}
    named = {
        target
        for page in ("README.md", "CONTRIBUTING.md")
        for target in re.findall(r"\bmake ([a-z-]+)", (ROOT / page).read_text(encoding="utf-8"))
    }
    assert {"start", "check", "day", "quick"} <= named
    # `make check` runs what `make test` runs. Figures of a shared runner would say nothing.
    assert named & TARGETS <= run | {"test", "bench", "clean"}


def test_the_workflow_needs_nothing_outside_the_repository():
    """No command reaches beyond the checkout, and no job needs a secret or may write."""
    text = (ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8")
    assert "../" not in text
    assert "secrets." not in text
    assert WORKFLOW["permissions"] == {"contents": "read"}


def test_every_file_of_tests_that_begins_first_exists():
    """The order of the tests names no file that was renamed or deleted."""
    assert [name for name in LONGEST if not (ROOT / name).is_file()] == []


def test_every_job_ends_by_itself():
    """Every job has a time limit of at most an hour."""
    assert all(job["timeout-minutes"] <= 60 for job in WORKFLOW["jobs"].values())


def test_the_oldest_and_the_deployed_python_are_tested():
    """The tests run on the oldest Python that the project allows and on that of the functions."""
    assert WORKFLOW["jobs"]["check"]["strategy"]["matrix"]["python"] == ["3.11", "3.13"]


def test_the_hooks_are_the_tools_of_the_virtual_environment():
    """The hooks run the locked tools, with mypy on the files that `make check` checks."""
    (local,) = HOOKS["repos"]
    assert local["repo"] == "local"
    entries = {hook["id"]: hook["entry"] for hook in local["hooks"]}
    assert entries.keys() == {"ruff-format", "ruff-check", "mypy"}
    assert all(".venv/bin/" in entry for entry in entries.values())
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    (checked,) = re.findall(r"\$\(BIN\)/mypy (.+) \$\(wildcard (.+)\)", makefile)
    assert f"mypy {checked[0]} {checked[1]}" in entries["mypy"]
