"""The lines in the terminal during the start, and the error of a start that fails."""

from __future__ import annotations


class CannotStartError(RuntimeError):
    """The service cannot start; the message is the one line to show."""


def say(what: str, line: str) -> None:
    """Print one line of progress."""
    print(f"{what:<8}{line}", flush=True)
