"""LOG_LEVEL on Lambda, where AWS_LAMBDA_LOG_LEVEL is set as well."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
# A process configures its logs once, so each level has a process of its own.
PROGRAM = """
import logging, sys
from marketdata.observability.logs import ROOT, configure_logging

configure_logging("plan_quotes", sys.argv[1])
for level in (logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR):
    logging.getLogger(f"{ROOT}.somewhere").log(level, "a message")
"""


@pytest.mark.parametrize(
    ("level", "lambda_level"),
    [*((level, "ERROR") for level in LEVELS), ("ERROR", "DEBUG"), ("DEBUG", None), ("INFO", None)],
)
def test_log_level_decides_whatever_lambda_sets(level, lambda_level):
    """Lines below LOG_LEVEL are not written, and all others are, for any AWS_LAMBDA_LOG_LEVEL."""
    env = {name: value for name, value in os.environ.items() if name != "AWS_LAMBDA_LOG_LEVEL"}
    if lambda_level:
        env["AWS_LAMBDA_LOG_LEVEL"] = lambda_level
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-W", "ignore", "-c", PROGRAM, level],
        env=env | {"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    written = [json.loads(line)["level"] for line in done.stdout.splitlines()]
    assert written == list(LEVELS[LEVELS.index(level) :])
