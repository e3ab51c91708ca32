"""Where logs go on one machine: a file with everything, the terminal with what needs a look."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path

from marketdata.settings import Settings
from marketdata.telemetry import ROOT, RedactingFormatter, configure_logging


def log_to_file(path: Path, part: str) -> None:
    """Send this process's logs to a file, and those from WARNING up to the terminal as well."""
    settings = Settings.from_env(os.environ)
    path.parent.mkdir(parents=True, exist_ok=True)
    stream = path.open("a", encoding="utf-8", buffering=1)
    configure_logging(part, settings.log_level, settings.secrets, stream)
    terminal = logging.StreamHandler(sys.stderr)
    terminal.setLevel(logging.WARNING)
    terminal.setFormatter(RedactingFormatter(settings.secrets, utc=True, use_rfc3339=True))
    logging.getLogger(ROOT).addHandler(terminal)
