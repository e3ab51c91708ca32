"""`python -m tests.benchmarks`: every benchmark, as a table and, with `--json FILE`, as JSON.

Each part runs in a new process. So the caches and the memory of one part do not change the figures
of another part.
The exit code is 1 if a figure missed its bound.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

from tests.benchmarks.rounds import Spread
from tests.benchmarks.table import Row, Section, drawn

ROOT = Path(__file__).parents[2]
PARTS = ("reading", "load", "cold_start", "tick", "memory")
# These parts need Docker, and run only if they are named.
BY_NAME_ONLY = ("image", "first_event")


def main() -> int:
    """Run the named parts; return 1 if a bound was missed."""
    parser = argparse.ArgumentParser("python -m tests.benchmarks", description=__doc__)
    parser.add_argument(
        "parts",
        nargs="*",
        metavar="PART",
        help=f"of {', '.join(PARTS)} (all of them if none is named), {', '.join(BY_NAME_ONLY)}",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there, too")
    parser.add_argument("--quick", action="store_true", help="tiny rounds: does it still run?")
    parser.add_argument("--alone", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    known = PARTS + BY_NAME_ONLY
    unknown = set(arguments.parts) - set(known)
    if unknown:
        parser.error(f"there is no part {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    if arguments.alone:
        section = import_module(f"tests.benchmarks.{arguments.parts[0]}").measure(
            quick=arguments.quick
        )
        arguments.alone.write_text(json.dumps(section.to_json()))
        return 0
    machine = _machine()
    said = "{date}  {cpu}, {cores} cores, Python {python}, load {load}".format(**machine)
    _say(said)
    sections = []
    for part in arguments.parts or PARTS:
        section = _part(part, quick=arguments.quick)
        sections.append(section)
        _say("\n" + drawn([section]))
    missed = [row for section in sections for row in section.rows if row.verdict == "MISSED"]
    if arguments.json:
        report = {"machine": machine, "sections": [section.to_json() for section in sections]}
        arguments.json.write_text(json.dumps(report, indent=1) + "\n")
    _say("\n".join(["", f"{len(missed)} bounds missed", *(f"  {row.name}" for row in missed)]))
    return 1 if missed else 0


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _part(part: str, *, quick: bool) -> Section:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "section.json"
        command = [sys.executable, "-m", "tests.benchmarks", part, "--alone", str(file)]
        paths = os.pathsep.join((str(ROOT), str(ROOT / "layers" / "core")))
        subprocess.run(  # noqa: S603  (fixed arguments)
            [*command, *(["--quick"] if quick else [])],
            env={**os.environ, "PYTHONPATH": paths}, cwd=ROOT, check=True,
            stdout=subprocess.DEVNULL,  # the log of the service
        )  # fmt: skip
        report = json.loads(file.read_text())
    rows = [_row(row) for row in report["rows"]]
    return Section(report["title"], rows, report["notes"])


def _row(report: dict[str, Any]) -> Row:
    value = Spread(report["median"], report["p10"], report["p90"])
    return Row(report["name"], value, report["unit"], report.get("at_most"), report.get("at_least"))


def _machine() -> dict[str, Any]:
    cpu = platform.processor() or platform.machine()
    for line in Path("/proc/cpuinfo").read_text().splitlines() if os.name == "posix" else ():
        if line.startswith("model name"):
            cpu = line.partition(":")[2].strip()
            break
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "cpu": cpu,
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "load": round(os.getloadavg()[0], 1),
    }


if __name__ == "__main__":
    sys.exit(main())
