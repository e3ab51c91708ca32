"""The modules that a piece of code loads in a new process."""

from __future__ import annotations

import subprocess
import sys

from tests.support.running_service import ROOT

_SHOW = "\nimport sys; print(*{name.partition('.')[0] for name in sys.modules})"


def loaded_by(code: str) -> set[str]:
    """Run code of the core in a new process; return the packages that are loaded then."""
    done = subprocess.run(  # noqa: S603  (code of the tests)
        [sys.executable, "-c", code + _SHOW],
        env={"PYTHONPATH": str(ROOT / "layers/core"), "PATH": ""},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return set(done.stdout.split())
