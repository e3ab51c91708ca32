"""One handler in a process that loads nothing else: `memory_child FUNCTION FILE`.

The file holds the event; in its place come the answer and the most memory that the process had.
Without a function it only tells what Python itself takes.
"""

from __future__ import annotations

import json
import sys
from importlib import import_module
from pathlib import Path


def main(name: str, file: Path) -> None:
    """Handle the event."""
    event, answer = json.loads(file.read_text()), None
    if name:
        answer = import_module(f"functions.{name}.app").handler(event, None)
    file.write_text(json.dumps([answer, peak_mib()]))


def peak_mib() -> float:
    """The most memory that this program had; getrusage would begin with that of its parent."""
    status = Path("/proc/self/status").read_text()
    return next(
        int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmHWM")
    )


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
