"""The benchmarks run to their end with tiny rounds."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_every_benchmark_runs_and_writes_its_figures(tmp_path):
    """Each part prints a section and writes the same section as JSON."""
    file = tmp_path / "figures.json"
    answer = subprocess.run(  # noqa: S603  (fixed arguments)
        [sys.executable, "-m", "tests.benchmarks", "--quick", "--json", str(file)],
        cwd=ROOT, check=False, capture_output=True, text=True, timeout=110,
    )  # fmt: skip
    assert answer.returncode in (0, 1), answer.stderr  # 1: tiny rounds miss a bound
    report = json.loads(file.read_text())
    assert len(report["sections"]) == 5
    for section in report["sections"]:
        assert section["title"] in answer.stdout
        assert section["rows"]
    counted = {row["name"]: row["median"] for row in report["sections"][3]["rows"]}
    trips = [counted[f"{n} symbols: round trips of plan"] for n in (10, 100)]
    assert trips[0] == trips[1] <= 5
