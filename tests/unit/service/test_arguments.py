import os
import subprocess
import sys
from pathlib import Path

import pytest

from local.service.arguments import float_between, int_between

ROOT = Path(__file__).parents[3]
ERRORS = {
    "bill --symbols x": "argument --symbols: 'x' is not allowed; allowed: a whole number from 0 to",
    "bill --symbols -1": "argument --symbols: '-1' is not allowed",
    "bill --interval 4": "argument --interval: '4' is not allowed; allowed: a whole number from 5",
    "bill --cdn-share 1.5": "--cdn-share: '1.5' is not allowed; allowed: a number from 0 to 1",
    "bill --cdn-share nan": "argument --cdn-share: 'nan' is not allowed",
    "bill --symbols-per-request 101": "'101' is not allowed; allowed: a whole number from 1 to 100",
    "crowd --poll 0": "argument --poll: '0' is not allowed",
    "crowd --places 0": "argument --places: '0' is not allowed",
    "crowd --own-lists 101": "allowed: a whole number from 0 to 100",
    "day --hours 1": "argument --hours: '1' is not allowed; allowed: a number from 2 to 24",
    "day --seed y": "argument --seed: 'y' is not allowed",
}


def local(arguments, **how):
    """`python -m local` as a user types it: in the project's folder, with nothing set."""
    bare = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.run(  # noqa: S603  (fixed arguments)
        [sys.executable, "-m", "local", *arguments.split()],
        cwd=ROOT, env=bare, capture_output=True, text=True, check=False, timeout=60, **how,
    )  # fmt: skip


@pytest.mark.parametrize("arguments", ERRORS)
def test_a_bad_number_is_named_with_what_is_allowed(arguments):
    """The command ends with 2, and tells it in one line after its usage."""
    done = local(arguments)
    assert done.returncode == 2
    assert ERRORS[arguments] in done.stderr
    assert "Traceback" not in done.stderr


def test_the_bill_needs_no_setup():
    """It is one command in the project's folder."""
    done = local("bill --symbols 10 --requests-per-day 1000")
    assert done.returncode == 0
    assert done.stdout.startswith("A month of 10 symbols every 5 s and 1,000 requests a day")


def test_a_reader_that_has_seen_enough_is_no_error():
    """`| head -1` closes the pipe while the command still writes."""
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-m", "local", "bill"],
        cwd=ROOT, stdout=write, stderr=subprocess.PIPE, check=False, timeout=60,
    )  # fmt: skip
    os.close(write)
    assert (done.returncode, done.stderr) == (0, b"")


def test_bounds_are_allowed():
    """Both ends of a range belong to it."""
    assert [int_between(2, 4)(text) for text in ("2", "4")] == [2, 4]
    assert [float_between(0, 1)(text) for text in ("0", "0.25", "1")] == [0, 0.25, 1]
