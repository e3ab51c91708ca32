"""`python -m local.simulator`: the simulated market as a separate process.

When it is ready, it prints one line of JSON with the base URLs and the control URL, and writes the
same line to `--ports-file`. It ends on SIGTERM, on SIGINT, and when its parent has ended. Quotas
are those of the settings `<PROVIDER>_LIMITS`, unless arguments say otherwise.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import time
from collections.abc import Mapping
from datetime import date
from pathlib import Path

from local.service.signals import interrupted_by
from local.simulator.servers import MarketServers
from marketdata.domain.budget import parse_limits
from marketdata.domain.catalogue import FACTS
from marketdata.domain.quotes import Source
from marketdata.settings import ENV_PREFIXES

PARENT_CHECK_S = 0.5


def main(argv: list[str] | None = None) -> None:
    """Serve until a signal or the end of the parent process."""
    options = _parser().parse_args(argv)
    parent = os.getppid()
    interrupted_by(signal.SIGTERM, signal.SIGINT)
    with contextlib.suppress(KeyboardInterrupt):
        _serve(options, parent)


def _serve(options: argparse.Namespace, parent: int) -> None:
    paid = _paid_plans(os.environ)
    with MarketServers(
        host=options.host,
        seed=options.seed,
        always_open=not options.sessions,
        holidays=options.holiday,
        early_closes=options.early_close,
        limits=paid | dict(options.limits),
        update_s=dict.fromkeys(paid, 0.0)
        | {source: float(text) for source, text in options.update_s},
    ) as market:
        urls = {source.value: url for source, url in market.base_urls.items()}
        line = json.dumps({"base_urls": urls, "control_url": market.control_url})
        if options.ports_file is not None:
            _write_atomically(options.ports_file, line)
        print(line, flush=True)
        while os.getppid() == parent:
            time.sleep(PARENT_CHECK_S)


def _paid_plans(environ: Mapping[str, str]) -> dict[Source, str]:
    """Return the limits of the service's settings that differ from those of the free plans.

    A provider with such limits counts as a paid plan: its prices change at once.
    """
    limits = {source: environ.get(f"{name}_LIMITS", "") for source, name in ENV_PREFIXES.items()}
    return {
        source: text
        for source, text in limits.items()
        if text and parse_limits(text) != parse_limits(FACTS[source].free_limits)
    }


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m local.simulator", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="of the prices")
    parser.add_argument("--host", default="127.0.0.1", help="to listen on")
    parser.add_argument("--ports-file", type=Path, help="file for the line of JSON")
    parser.add_argument("--sessions", action="store_true", help="real opening hours")
    parser.add_argument(
        "--holiday", type=date.fromisoformat, action="append", default=[], metavar="DATE"
    )
    parser.add_argument(
        "--early-close", type=date.fromisoformat, action="append", default=[], metavar="DATE"
    )
    parser.add_argument(
        "--limits",
        type=_for_provider,
        action="append",
        default=[],
        metavar="PROVIDER=LIMITS",
        help="quota, for example coingecko=500/minute",
    )
    parser.add_argument(
        "--update-s",
        type=_for_provider,
        action="append",
        default=[],
        metavar="PROVIDER=SECONDS",
        help="how often its prices change",
    )
    return parser


def _for_provider(text: str) -> tuple[Source, str]:
    name, _, value = text.partition("=")
    return Source(name), value


def _write_atomically(path: Path, line: str) -> None:
    """Write a file so that a reader finds the complete line or no file."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.write_text(line + "\n")
    draft.replace(path)


if __name__ == "__main__":
    main()
