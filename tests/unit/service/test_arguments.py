"""The arguments of `python -m local`: what is allowed, and how an error reads."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from local.__main__ import main
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
    "day --hours 1": "'1' is not allowed; allowed: a number from 2 to 12, or 24",
    "day --seed y": "argument --seed: 'y' is not allowed",
}


@pytest.mark.parametrize("arguments", ERRORS)
def test_a_bad_number_is_named_with_what_is_allowed(arguments, monkeypatch, capsys):
    """The command ends with 2, and its last line names the argument and what is allowed."""
    monkeypatch.setattr(sys, "argv", ["local", *arguments.split()])
    with pytest.raises(SystemExit, match=r"^2$"):
        main()
    assert ERRORS[arguments] in capsys.readouterr().err.splitlines()[-1]


def test_the_bill_needs_no_setup():
    """`python -m local bill` works in the project's folder with nothing set."""
    done = subprocess.run(
        [sys.executable, "-m", "local", "bill", "--symbols", "10", "--requests-per-day", "1000"],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0
    assert done.stdout.startswith("A month of 10 symbols every 5 s and 1,000 requests a day")


def test_a_closed_pipe_is_not_an_error():
    """A command whose output nobody reads any more, as with `| head -1`, ends with 0."""
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-m", "local", "bill"],
        cwd=ROOT, stdout=write, stderr=subprocess.PIPE, check=False, timeout=60,
    )  # fmt: skip
    os.close(write)
    assert (done.returncode, done.stderr) == (0, b"")


def test_bounds_are_allowed():
    """Both ends of an argument's range are allowed."""
    assert [int_between(2, 4)(text) for text in ("2", "4")] == [2, 4]
    assert [float_between(0, 1)(text) for text in ("0", "0.25", "1")] == [0, 0.25, 1]
    assert [float_between(2, 4, also=9)(text) for text in ("4", "9")] == [4, 9]
