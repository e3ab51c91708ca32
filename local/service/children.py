"""Child processes that end with this process. If this process is killed, the system ends them."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from local.service.terminal import CannotStartError, say

END_TIMEOUT_S = 1.5
_PR_SET_PDEATHSIG = 1
# Loaded here, because the code between fork and exec must do as little as possible.
_LIBC = ctypes.CDLL(None)

Process = subprocess.Popen[bytes]


@dataclass(slots=True)
class _Child:
    process: Process
    start: Callable[[], Process]
    again: bool


class Children:
    """The processes that this one started.

    Each child has a separate session, so that Ctrl-C in the terminal reaches only this process,
    which ends its children in order. Start children from the main thread, because Linux ends a
    child when the thread that started it ends.
    """

    def __init__(self) -> None:
        self._children: dict[str, _Child] = {}

    def start(
        self,
        name: str,
        command: Sequence[str],
        env: Mapping[str, str],
        *,
        output: int | None = None,
        again: bool = False,
    ) -> Process:
        """Start a process under a name. `again`: start it again each time it ends."""
        us, arguments, variables = os.getpid(), list(command), dict(env)

        def start() -> Process:
            return subprocess.Popen(  # noqa: S603 - the commands are ours
                arguments,
                env=variables,
                stdin=subprocess.DEVNULL,
                stdout=output,
                start_new_session=True,
                preexec_fn=(lambda: _end_with(us)) if sys.platform == "linux" else None,  # noqa: PLW1509
            )

        child = _Child(start(), start, again)
        self._children[name] = child
        return child.process

    def has_ended(self, name: str) -> bool:
        """Return whether the process with that name has ended."""
        return self._children[name].process.poll() is not None

    def look_after(self) -> None:
        """Restart processes that ended. Raise `CannotStartError` for one that must not end."""
        for name, child in self._children.items():
            code = child.process.poll()
            if code is None:
                continue
            if not child.again:
                raise CannotStartError(f"{name} ended with code {code}")
            say(name, f"ended with code {code}; starting it again")
            child.process = child.start()

    def end_all(self) -> None:
        """End all, the youngest first, and wait for them. A process that does not end is killed."""
        processes = [child.process for child in reversed(self._children.values())]
        for process in processes:
            if process.poll() is None:
                process.terminate()
        end = time.monotonic() + END_TIMEOUT_S
        for process in processes:
            try:
                process.wait(max(0.05, end - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def python(module: str, *arguments: str) -> list[str]:
    """Return the command that runs one of our modules with this interpreter."""
    return [sys.executable, "-m", module, *arguments]


def _end_with(parent: int) -> None:
    """Ask the system to end this child process when its parent ends (Linux only)."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:  # the parent ended just before
        os.kill(os.getpid(), signal.SIGTERM)
