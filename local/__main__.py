"""`python -m local start`: the whole service on one machine."""

from __future__ import annotations

import argparse
import sys

from local.start import start


def main() -> int:
    """Run the command that the words name; its exit code."""
    parser = argparse.ArgumentParser(prog="python -m local", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("start", help="run Redis, the loop and the API until Ctrl-C")
    parser.parse_args()
    return start()


if __name__ == "__main__":
    sys.exit(main())
