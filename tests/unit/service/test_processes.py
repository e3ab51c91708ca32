"""Child processes and logs of the service on one machine."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from local.service.children import Children
from local.service.logs import LISTS
from local.service.signals import interrupted_by
from local.service.terminal import CannotStartError
from tests.support.running_service import settings_free_environment

WAITS = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(600)"]
STUBBORN = [
    sys.executable,
    "-c",
    "import signal; signal.signal(15, signal.SIG_IGN);" + WAITS[-1],
]
KEY = "planted-key-1"


@pytest.fixture
def children() -> Iterator[Children]:
    """Children that end with the test."""
    children = Children()
    yield children
    children.end_all()


def up(children: Children, command: list[str], **how: bool) -> subprocess.Popen[bytes]:
    """A child that has started."""
    process = children.start("part", command, os.environ, output=subprocess.PIPE, **how)
    assert process.stdout.readline() == b"up\n"
    process.stdout.close()
    return process


@pytest.mark.parametrize(
    ("command", "code"), [(WAITS, -signal.SIGTERM), (STUBBORN, -signal.SIGKILL)]
)
def test_all_children_end_the_stubborn_ones_by_force(children, command, code):
    """SIGTERM first; whoever does not go within a moment is killed."""
    process = up(children, command)
    assert not children.has_ended("part")
    children.end_all()
    assert process.returncode == code


def test_a_child_has_a_session_of_its_own(children):
    """So the terminal's Ctrl-C does not reach it, and the service ends it in order."""
    process = up(children, WAITS)
    assert os.getsid(process.pid) == process.pid != os.getsid(0)


def test_a_child_that_ends_is_started_again_if_it_may_be(children, capsys):
    """With the same command, and a line that says so."""
    command = [sys.executable, "-c", "raise SystemExit(3)"]
    first = children.start("api", command, os.environ, again=True)
    first.wait()
    children.look_after()
    assert capsys.readouterr().out == "api     ended with code 3; starting it again\n"


def test_a_child_that_has_to_last_ends_the_service(children):
    """The error names it and its exit code."""
    children.start("market", [sys.executable, "-c", "raise SystemExit(3)"], os.environ).wait()
    with pytest.raises(CannotStartError, match="market ended with code 3"):
        children.look_after()


@pytest.fixture
def usr1() -> Iterator[signal.Signals]:
    """A signal that nobody else uses, with its handler put back afterwards."""
    before = signal.getsignal(signal.SIGUSR1)
    yield signal.SIGUSR1
    signal.signal(signal.SIGUSR1, before)


def test_only_the_first_signal_interrupts(usr1):
    """What cleans up after it is not interrupted by the next."""
    interrupted_by(usr1)
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(usr1)
    signal.raise_signal(usr1)


def test_not_even_the_first_signal_interrupts_the_end(usr1):
    """Whoever is ending for another reason ends in peace."""
    no_interruption = interrupted_by(usr1)
    no_interruption()
    signal.raise_signal(usr1)


def test_a_market_ends_under_a_hail_of_signals():
    """A killed parent sends one for each of its threads, and none of them may lock up the end."""
    command = [sys.executable, "-m", "local.simulator"]
    env = settings_free_environment()
    process = subprocess.Popen(command, env=env, stdout=subprocess.PIPE)  # noqa: S603
    with process:
        assert b"control_url" in process.stdout.readline()
        while process.poll() is None:
            process.terminate()
    # by itself, or by the last of them once Python has put its handlers away
    assert process.returncode in (0, -signal.SIGTERM)


LOGS = f"""
import logging, sys
from pathlib import Path
from local.service.logs import LISTS, log_to_file
log_to_file(Path(sys.argv[1]), "loop")
log = logging.getLogger("marketdata.fetching")
log.debug("detail")
log.info("quotes committed", extra=dict(written=6))
log.warning("fallback used", extra=dict(provider="finnhub", nothing=None))
logging.getLogger("marketdata.steps").error("provider failed")
for message in LISTS:
    log.warning(message)
try:
    raise ValueError("bad key {KEY}")
except ValueError:
    log.exception("failed with %s", "{KEY}", extra=dict(url="http://host/?token={KEY}"))
"""


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[dict], str]:
    """The log file's lines and the terminal of a process (which sets up its logs only once)."""
    file = tmp_path_factory.mktemp("state") / "deeper" / "service.log"
    env = {**settings_free_environment(), "FINNHUB_API_KEY": KEY}
    command = [sys.executable, "-c", LOGS, str(file)]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)  # noqa: S603
    assert done.stdout == ""
    return [json.loads(line) for line in file.read_text().splitlines()], done.stderr


def test_the_log_file_has_everything(logs):
    """One JSON object a line, from INFO on, with the part of the service that said it."""
    lines, _ = logs
    assert [(line["level"], line["message"]) for line in lines] == [
        ("INFO", "quotes committed"),
        ("WARNING", "fallback used"),
        ("ERROR", "provider failed"),
        *(("WARNING", message) for message in LISTS),
        ("ERROR", "failed with ***"),
    ]
    assert {line["function"] for line in lines} == {"loop"}
    assert lines[0]["written"] == 6


def test_the_terminal_has_what_needs_a_look(logs):
    """Short lines from WARNING on, without what a tick or a list tells in a line of its own."""
    _, terminal = logs
    assert terminal.splitlines() == [
        "warning fallback used  provider=finnhub",
        "error   failed with ***  url=http://host/?token=***",
    ]


def test_no_secret_is_in_either(logs):
    """A key in a message, a fact or a traceback is masked on its way out."""
    lines, terminal = logs
    assert "bad key ***" in lines[-1]["exception"]
    assert KEY not in json.dumps(lines) + terminal
