"""Child processes and logs of the service on one machine."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from local.service.children import Children
from local.service.logs import LISTS
from local.service.signals import interrupted_by
from local.service.terminal import CannotStartError
from tests.support.running_service import GUARD_S, settings_free_environment

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
def test_all_children_end(children, command, code):
    """A child ends by SIGTERM, and a child that ignores SIGTERM is killed."""
    process = up(children, command)
    assert not children.has_ended("part")
    children.end_all()
    assert process.returncode == code


def test_a_child_has_a_session_of_its_own(children):
    """A child has a session of its own, so the terminal's Ctrl-C does not reach the child."""
    process = up(children, WAITS)
    assert os.getsid(process.pid) == process.pid != os.getsid(0)


def test_a_child_that_ends_is_started_again_if_it_may_be(children, capsys):
    """A child that may be started again has a new process after its end, and a line says so."""
    command = [sys.executable, "-c", "raise SystemExit(3)"]
    first = children.start("api", command, os.environ, again=True)
    first.wait()
    children.look_after()
    assert capsys.readouterr().out == "api     ended with code 3; starting it again\n"
    assert children._children["api"].process.pid != first.pid


def test_a_child_that_has_to_last_ends_the_service(children):
    """The end of a child that may not end is an error with its name and its exit code."""
    children.start("market", [sys.executable, "-c", "raise SystemExit(3)"], os.environ).wait()
    with pytest.raises(CannotStartError, match="market ended with code 3"):
        children.look_after()


@pytest.fixture
def usr1() -> Iterator[signal.Signals]:
    """A signal that is not used otherwise; its handler is restored after the test."""
    before = signal.getsignal(signal.SIGUSR1)
    yield signal.SIGUSR1
    signal.signal(signal.SIGUSR1, before)


def test_only_the_first_signal_interrupts(usr1):
    """The first signal raises KeyboardInterrupt, and the next one does nothing."""
    interrupted_by(usr1)
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(usr1)
    signal.raise_signal(usr1)


def test_not_even_the_first_signal_interrupts_the_end(usr1):
    """A signal does nothing while the service ends for another reason."""
    no_interruption = interrupted_by(usr1)
    no_interruption()
    signal.raise_signal(usr1)


def test_a_market_ends_under_many_signals():
    """A market ends although it gets many signals, as from each thread of a killed parent."""
    command = [sys.executable, "-m", "local.simulator"]
    env = settings_free_environment()
    process = subprocess.Popen(command, env=env, stdout=subprocess.PIPE)  # noqa: S603
    with process:
        assert b"control_url" in process.stdout.readline()
        deadline_s = time.monotonic() + GUARD_S
        while process.poll() is None and time.monotonic() < deadline_s:
            process.terminate()
        process.kill()
    # By itself, or by a signal that came after Python had removed its handlers.
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
    """The log file's lines and the terminal's text of one process."""
    file = tmp_path_factory.mktemp("state") / "deeper" / "service.log"
    env = {**settings_free_environment(), "FINNHUB_API_KEY": KEY}
    command = [sys.executable, "-c", LOGS, str(file)]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)  # noqa: S603
    assert done.stdout == ""
    return [json.loads(line) for line in file.read_text().splitlines()], done.stderr


def test_the_log_file_has_everything(logs):
    """The log file has one JSON object a line, from INFO on, each with its process's name."""
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
    """The terminal has lines from WARNING on, except what a tick or a list says itself."""
    _, terminal = logs
    assert terminal.splitlines() == [
        "warning fallback used  provider=finnhub",
        "error   failed with ***  url=http://host/?token=***",
    ]


def test_no_secret_is_in_either(logs):
    """A key in a message, a field or a traceback is masked in the file and on the terminal."""
    lines, terminal = logs
    assert "bad key ***" in lines[-1]["exception"]
    assert KEY not in json.dumps(lines) + terminal
