"""First events after cold starts in the Lambda image, with TLS and IAM, at the template's memory.

Lambda starts a function with a whole processor, and from the first event on gives it the share
that its memory buys. So each process here is imported with one processor, which becomes that
share before the event. A second figure has the share from the start, which is the worst case.
Both are measured without bytecode of the runtime's packages and with it. `function_containers`
describes the containers.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from marketdata.domain.quotes import Source
from tests.benchmarks.cold_start import FUNCTIONS
from tests.benchmarks.function_containers import (
    Servers,
    Started,
    container,
    runtime_folders,
    servers_in,
)
from tests.benchmarks.image import MB_OF_A_PROCESSOR, PYTHON, Packed, build, image
from tests.benchmarks.rounds import Spread
from tests.benchmarks.table import Row, Section, ms
from tests.infrastructure.stack import ROOT, Stack
from tests.sam_local.engine import docker
from tests.sam_local.sam import logical
from tests.support.jobs import granted

MEASURED = ("plan_quotes", "commit_quotes", "api", "fetch_quotes")
# A cold start within a second costs no slot, as the states of these functions wait two seconds.
BOUND_MS = {"plan_quotes": 1000.0, "commit_quotes": 1000.0}
ROUNDS = 11


def measure(*, quick: bool) -> Section:
    """Start each function many times, and give it its first event."""
    rounds = 1 if quick else ROUNDS
    section = Section("First event after a cold start, with TLS and IAM")
    below = ROOT / ".local"  # Docker engines do not see every folder
    below.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=below) as place, ExitStack() as stack:
        folder = Path(place)
        python = docker("run", "--rm", "--entrypoint", PYTHON, image(), "-V")  # pulls the image
        build(folder / "built")
        runtimes = runtime_folders(folder)
        servers = stack.enter_context(servers_in(folder))
        for name in MEASURED:
            properties = Stack().functions()[logical(name)]
            packed = Packed(folder / "built", next(one for one in FUNCTIONS if one.name == name))
            share = f"{properties['MemorySize'] / MB_OF_A_PROCESSOR:.2f}"
            ways = {
                (botocore, cpus): stack.enter_context(
                    container(packed, share, runtime, servers, _event_of(name))
                )
                for botocore, runtime in runtimes.items()
                for cpus in ("1", share)
            }
            section.rows += _rows(name, properties["MemorySize"], ways, servers, rounds)
    section.notes.append(f"{image()}: {python}; Redis and market on the same machine")
    return section


def _rows(
    name: str,
    memory_mb: int,
    ways: Mapping[tuple[str, str], Started],
    servers: Servers,
    rounds: int,
) -> list[Row]:
    """Start each function in turn, in another order each round; the first round does not count."""
    seconds: dict[tuple[str, str], list[tuple[float, float]]] = {way: [] for way in ways}
    order = list(ways)
    for number in range(rounds + 1):
        shift = number % len(order)
        for way in order[shift:] + order[:shift]:
            if name != "api":
                servers.empty()
            took = ways[way].first_event(way[1])
            if number:
                seconds[way].append(took)
    rows = []
    for (botocore, cpus), times in seconds.items():
        how = "" if cpus == "1" else ", no more processor at the start"
        title = f"{name}, {memory_mb} MB, botocore {botocore}{how}"
        rows += [
            Row(f"{title}: import", ms(Spread.of([init_s for init_s, _ in times]))),
            Row(f"{title}: first event", ms(Spread.of([event_s for _, event_s in times]))),
            Row(
                f"{title}: both",
                ms(Spread.of([sum(pair) for pair in times])),
                at_most=BOUND_MS.get(name) if cpus == "1" else None,
            ),
        ]
    return rows


def _event_of(function: str) -> Callable[[], dict[str, Any]]:
    """Return a function that makes the event for a Lambda function."""
    samples = {"api": "api__http_quotes", "commit_quotes": "commit_quotes__report"}
    if function == "plan_quotes":
        return lambda: {"slot": int(time.time()) // 5 * 5, "execution": "benchmark"}
    name = samples.get(function, "fetch_quotes__crypto")
    sample = json.loads((ROOT / "events" / f"{name}.json").read_text(encoding="utf-8"))
    if function == "fetch_quotes":  # for a stock, so that yfinance is used
        stock = {"symbol": "AAPL", "ids": {}}
        sample |= {"asset_class": "stocks", "instruments": [stock]}
        sample["attempts"] = [granted(Source.YFINANCE, 1)]
    return lambda: sample
