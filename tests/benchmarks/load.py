"""Both services behind uvicorn, under load from another process: requests a second, p50, p99.

Each server is a process with one worker. This process is the client, with enough connections that
the server never waits for a request. The two servers take turns.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from statistics import quantiles

from tests.benchmarks.cold_start import ROOT
from tests.benchmarks.rounds import Spread
from tests.benchmarks.stage import (
    SYMBOLS,
    cache_of,
    quotes_target,
    redis_of_our_own,
    store_quotes,
)
from tests.benchmarks.table import Row, Section, ms

CONNECTIONS = 16
START_S = 30
SERVERS = {
    "this service": "marketdata.api.serving:on_one_machine",
    "the plain way": "tests.benchmarks.load:plain",
}


def measure(*, quick: bool) -> Section:
    """Load both servers with requests for 1, 10 and 100 symbols, in turns."""
    rounds, seconds = (1, 0.2) if quick else (5, 2.0)
    section = Section(f"Under load: uvicorn, one worker, {CONNECTIONS} connections")
    with redis_of_our_own() as server, cache_of(server) as cache, contextlib.ExitStack() as stack:
        ports = {name: stack.enter_context(_served(app)) for name, app in SERVERS.items()}
        for count in (1, 10, 100):
            target = quotes_target(SYMBOLS[:count])
            rates: dict[str, list[float]] = {name: [] for name in ports}
            times: dict[str, list[float]] = {name: [] for name in ports}
            for number in range(rounds + 1):
                store_quotes(cache, server, time.time_ns() // 1_000_000)
                for name, port in ports.items():
                    taken = asyncio.run(_load(port, target, seconds))
                    if number:  # the first round warms up
                        rates[name].append(len(taken) / seconds)
                        times[name] += taken
            section.rows += _rows(count, rates, times)
    return section


def plain():
    """Return the plain way as uvicorn serves it."""
    from tests.benchmarks.plain_way import plain_app

    host, port = os.environ["REDIS_HOST"], int(os.environ["REDIS_PORT"])
    return plain_app(host, port, time.time_ns() // 1_000_000)


def _rows(count: int, rates: dict[str, list[float]], times: dict[str, list[float]]) -> list[Row]:
    what = f"{count} symbol{'s' if count > 1 else ''}"
    rows = []
    for name, values in rates.items():
        rows.append(Row(f"{what}: {name}", Spread.of(values), "req/s"))
        hundredths = quantiles(times[name], n=100, method="inclusive")
        for place in (50, 99):
            point = hundredths[place - 1]
            rows.append(Row(f"{what}: {name}, p{place}", ms(Spread(point, point, point))))
    ours, theirs = rates.values()
    ratio = Spread.of([one / other for one, other in zip(ours, theirs, strict=True)])
    rows.append(Row(f"{what}: this service / the plain way", ratio, "x"))
    return rows


async def _load(port: int, target: str, seconds: float) -> list[float]:
    """Return how long each request took that was answered within `seconds`."""
    request = f"GET {target} HTTP/1.1\r\nHost: benchmark\r\nAccept: */*\r\n\r\n".encode()
    end = time.perf_counter() + seconds
    taken = await asyncio.gather(*(_client(port, request, end) for _ in range(CONNECTIONS)))
    return [one for client in taken for one in client]


async def _client(port: int, request: bytes, end: float) -> Sequence[float]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    taken = []
    try:
        while (began := time.perf_counter()) < end:
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200"), head
            _, _, rest = head.lower().partition(b"content-length:")
            await reader.readexactly(int(rest.partition(b"\r\n")[0]))
            taken.append(time.perf_counter() - began)
    finally:
        writer.close()
        await writer.wait_closed()
    return taken


@contextlib.contextmanager
def _served(app: str) -> Iterator[int]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    command = [
        sys.executable, "-m", "uvicorn", "--factory", app, "--port", str(port),
        "--log-level", "error", "--no-access-log", "--ws", "none",
    ]  # fmt: skip
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL) as process:  # noqa: S603  (fixed arguments)
        try:
            deadline = time.monotonic() + START_S
            while not _listens(port):
                assert process.poll() is None, "uvicorn ended at its start"
                assert time.monotonic() < deadline, "uvicorn does not answer"
                time.sleep(0.05)
            yield port
        finally:
            process.terminate()


def _listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False
