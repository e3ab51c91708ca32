"""The commands of `python -m local`.

`start`: the whole service on one machine. `day`: a simulated day, checked against the market.
`bill`: the costs of a month on AWS. `crowd`: how many requests a CDN keeps from the api.
"""

from __future__ import annotations

import argparse
import os
import sys

from local.bill import command as bill
from local.service import crowd
from local.service.arguments import float_between, int_between
from local.service.start import start


def main() -> int:
    """Run the command that the arguments name; return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m local", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("start", help="run Redis, the loop and the API until Ctrl-C")
    day = commands.add_parser("day", help="simulate a day with faults; 1 if it missed a target")
    day.add_argument(
        "--hours",
        type=float_between(2, 12, also=24),
        default=24.0,
        help="from 2 to 12, or 24 (the default)",
    )
    day.add_argument("--seed", type=int_between(0, 2**32), default=1, help="of prices and faults")
    bill.add_arguments(
        commands.add_parser("bill", help="what a month on AWS costs, and what free keys allow")
    )
    crowd.add_arguments(
        commands.add_parser("crowd", help="how many of a crowd's requests a CDN leaves to the api")
    )
    arguments = parser.parse_args()
    if arguments.command == "start":
        return start()
    if arguments.command == "bill":
        return _say(bill.report(arguments))
    if arguments.command == "crowd":
        return _say(crowd.report(arguments))
    from local.day.command import day as simulate  # noqa: PLC0415 it loads what start does not need

    return simulate(arguments.seed, arguments.hours)


def _say(text: str) -> int:
    """Print a text. A reader that ends early, such as `head`, is not an error."""
    try:
        print(text, flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


if __name__ == "__main__":
    sys.exit(main())
