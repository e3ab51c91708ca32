"""What the service says in the terminal while it starts, and how it says that it cannot."""

from __future__ import annotations


class CannotStartError(RuntimeError):
    """The service cannot run on this machine as it is; the message is the one line to show."""


def say(what: str, line: str) -> None:
    """One line of progress."""
    print(f"{what:<8}{line}", flush=True)
