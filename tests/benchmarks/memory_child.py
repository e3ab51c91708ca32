"""One handler in a process that loads nothing else: `memory_child FUNCTION FILE`.

The file has the event, and is overwritten with the answer and the process's peak of memory.
Without a function the file gets only the memory of Python itself.
"""

from __future__ import annotations

import json
import sys
from importlib import import_module
from pathlib import Path


def main(name: str, file: Path) -> None:
    """Handle the event in the file, and write the answer and the memory into the file."""
    event, answer = json.loads(file.read_text()), None
    if name:
        answer = import_module(f"functions.{name}.app").handler(event, None)
    file.write_text(json.dumps([answer, peak_mib()]))


def peak_mib() -> float:
    """Return the peak of this program's memory; getrusage would include its parent's."""
    status = Path("/proc/self/status").read_text()
    return next(
        int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmHWM")
    )


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
