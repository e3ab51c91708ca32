"""Child processes that never outlive us: ended in order when we end, by the system if we die."""

from __future__ import annotations

import ctypes
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

END_TIMEOUT_S = 1.5
_PR_SET_PDEATHSIG = 1


class Children:
    """The processes that this one started.

    They are in sessions of their own, so that a Ctrl-C in the terminal reaches only us and they
    end in the order that we choose. Start them from the main thread: Linux ends a child with the
    thread that started it.
    """

    def __init__(self) -> None:
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def start(
        self,
        name: str,
        command: Sequence[str],
        env: Mapping[str, str],
        output: IO[bytes] | int | None = None,
        errors: IO[bytes] | int | None = None,
    ) -> subprocess.Popen[bytes]:
        """Start a process under a name; one that runs under that name must have ended before."""
        process = subprocess.Popen(  # noqa: S603 - the commands are ours
            list(command),
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=errors,
            start_new_session=True,
            preexec_fn=_end_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509
        )
        self._processes[name] = process
        return process

    def ended(self) -> dict[str, int]:
        """Names and exit codes of those that ended by themselves."""
        codes = {name: process.poll() for name, process in self._processes.items()}
        return {name: code for name, code in codes.items() if code is not None}

    def end_all(self) -> None:
        """End all, the youngest first, and wait for them; one that does not end is killed."""
        for process in reversed(self._processes.values()):
            if process.poll() is None:
                process.terminate()
        end = time.monotonic() + END_TIMEOUT_S
        for process in self._processes.values():
            try:
                process.wait(max(0.05, end - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def python(module: str, *arguments: str) -> list[str]:
    """The command that runs one of our modules with this interpreter."""
    return [sys.executable, "-m", module, *arguments]


def _end_with_parent() -> None:
    """Ask the system to end this child when its parent is gone, however it went (Linux only)."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


PROJECT = Path(__file__).resolve().parent.parent
