"""`python -m local start`: the whole service on one machine; `day`: a judged day of it, fast."""

from __future__ import annotations

import argparse
import sys

from local.start import start


def main() -> int:
    """Run the command that the words name; its exit code."""
    parser = argparse.ArgumentParser(prog="python -m local", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("start", help="run Redis, the loop and the API until Ctrl-C")
    day = commands.add_parser("day", help="simulate a day with faults; 1 if it missed a target")
    day.add_argument("--hours", type=float, default=24.0, help="from 2 to 24 (the default)")
    day.add_argument("--seed", type=int, default=1, help="of prices, faults and accidents")
    words = parser.parse_args()
    if words.command == "start":
        return start()
    from local.day.command import day as simulate  # noqa: PLC0415 it loads what start does not need

    return simulate(words.seed, words.hours)


if __name__ == "__main__":
    sys.exit(main())
