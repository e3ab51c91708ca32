"""The logs on one machine: all lines in a file, warnings and errors also in the terminal."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path
from typing import TextIO, cast

from aws_lambda_powertools import Logger

from local.service.files import RotatingFile
from marketdata.observability.logs import ROOT, configure_logging
from marketdata.redaction import redact
from marketdata.settings import Settings

# Records that the terminal does not show, because the loops print lines for them: commits of
# quotes, found by their logger, and commits of lists, found by their message.
COMMITS = "marketdata.steps"
LISTS = ("asset list committed", "provider gave no list")


class _ForPeople(logging.Formatter):
    """Formats a record as one short line: level, message, fields."""

    def __init__(self, secrets: frozenset[str]) -> None:
        super().__init__()
        self._secrets = secrets

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, without secrets."""
        facts = {name: v for name, v in vars(record).items() if name not in _STANDARD and v}
        shown = "  ".join(f"{name}={value}" for name, value in facts.items())
        line = f"{record.levelname.lower():<8}{record.getMessage()}  {shown}".rstrip()
        return redact(line, self._secrets)


_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "taskName"}


def log_to_file(path: Path, part: str) -> Logger:
    """Write this process's logs to a file, and those from WARNING up also to the terminal.

    Return the logger of the process. Lines are written out one by one.
    """
    settings = Settings.from_env(os.environ)
    stream = cast("TextIO", RotatingFile(path))
    logger = configure_logging(part, settings.log_level, settings.secrets, stream)
    terminal = logging.StreamHandler(sys.stderr)
    terminal.setLevel(logging.WARNING)
    terminal.setFormatter(_ForPeople(settings.secrets))
    terminal.addFilter(lambda record: record.name != COMMITS and record.msg not in LISTS)
    logging.getLogger(ROOT).addHandler(terminal)
    return logger
