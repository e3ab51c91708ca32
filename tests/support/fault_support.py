"""Workers as processes that a test can kill, and a check of a running service from outside.

Run as a module it is such a worker: it plans one slot, prints the plan and dies with its jobs.
"""

from __future__ import annotations

import itertools
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any, Self

import requests

from local.simulator import MarketServers
from marketdata.cache.asset_store import AssetStore
from marketdata.cache.client import Cache, connect
from marketdata.cache.control import ControlState
from marketdata.cache.quote_store import QuoteStore
from marketdata.clock import parse_utc
from marketdata.domain.breaker import BreakerPolicy
from marketdata.domain.quotes import Source
from marketdata.prices.planning import Planner
from marketdata.settings import ENV_PREFIXES, Settings
from tests.support.pipeline import Pipeline
from tests.support.running_service import RunningService, eventually
from tests.support.simulated_market import Clock

ROOT = Path(__file__).parents[2]
# Plans on which every symbol is priced in every slot, with no call to spare at Finnhub.
PLANS = {
    Source.COINGECKO: "60/minute",
    Source.COINMARKETCAP: "60/minute",
    Source.ALPHA_VANTAGE: "120/minute",
}
LIMITS = {f"{ENV_PREFIXES[source]}_LIMITS": limits for source, limits in PLANS.items()}
SYMBOLS = "AAPL,GOOGL,MSFT,BTC-USD,ETH-USD,EUR/USD"
# A line of the terminal for each tick; that of a failed tick has no number of written quotes.
TICK = re.compile(r"^\d\d:\d\d:\d\d  (?:due +\d+  written +(\d+))?", re.MULTILINE)
# How many symbols are active by default.
ACTIVE_COUNT = len(Settings.from_env({}).active_symbols)
PATHS = (
    f"/v1/quotes?symbols={SYMBOLS}",
    "/v1/quotes/AAPL",
    "/v1/providers",
    "/v1/assets/crypto?limit=3",
    "/health",
)


@dataclass(frozen=True, slots=True)
class Seen:
    """One answer of the API: path, time of the request (monotonic), duration, status."""

    path: str
    at_s: float
    took_s: float
    status: int
    retry_after: str | None


class Watch:
    """Asks a service's API again and again during `with`, and checks each answer.

    A quote may be pending, which is a 404, after Redis lost it. `wrong` holds every price that the
    market never had.
    """

    def __init__(self, service: RunningService, market: MarketServers) -> None:
        self.seen: list[Seen] = []
        self.wrong: list[dict[str, Any]] = []
        self.broken: list[str] = []
        self._service, self._market = service, market
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def statuses(self, since_s: float = 0, paths: tuple[str, ...] = PATHS[:4]) -> list[int]:
        """The statuses of answers to requests since then, of all routes except health."""
        return [seen.status for seen in self.seen if seen.at_s >= since_s and seen.path in paths]

    def wait_for(self, status: int, count: int, since_s: float) -> None:
        """Return once so many answers with a status have come since then."""
        what = f"{count} answers {status}"
        eventually(lambda: self.statuses(since_s).count(status) >= count, what)

    def harmless(self) -> str:
        """Fail if an answer was wrong or broken; return how many there were, as text."""
        assert not self.wrong, self.wrong[:3]
        assert not self.broken, self.broken[:3]
        away = [seen for seen in self.seen if seen.status == 503 and seen.path != "/health"]
        assert all(seen.retry_after for seen in away)
        slowest_s = max(seen.took_s for seen in self.seen)
        return (
            f"{len(self.seen)} answers, {len(away)} of them 503, the slowest in {slowest_s:.2f} s"
        )

    def _look(self) -> None:
        for path in itertools.cycle(PATHS):
            if self._over.wait(0.03):
                return
            started = time.monotonic()
            try:
                answer = self._service.get(path)
            except requests.RequestException as error:
                self.broken.append(f"{path}: {error!r}")
                continue
            took_s, headers = time.monotonic() - started, answer.headers
            pending = answer.status_code == 404 and answer.json()["code"] == "pending"
            if answer.status_code not in (200, 503) and not pending:
                self.broken.append(f"{path}: {answer.status_code} {answer.text}")
            self.seen.append(
                Seen(path, started, took_s, answer.status_code, headers.get("Retry-After"))
            )
            if answer.status_code == 200 and path.startswith("/v1/quotes"):
                body = answer.json()
                self.wrong += [q for q in body.get("quotes", [body]) if not self._is_true(q)]

    def _is_true(self, quote: dict[str, Any]) -> bool:
        stamp = quote["timestamp"]
        at_ms = None if stamp is None else round(parse_utc(stamp).timestamp() * 1000)
        source, price = Source(quote["source"]), Decimal(str(quote["price"]))
        return self._market.is_true(quote["symbol"], price, at_ms, source)


def ticks_until_well(service: RunningService) -> int:
    """Wait until `/health` is healthy; return how many ticks from now on priced less than all."""
    skipped = len(service.output)

    def written() -> list[int]:
        return [int(count or 0) for count in TICK.findall(service.output[skipped:])]

    def is_well() -> bool:
        whole = any(count >= ACTIVE_COUNT for count in written())
        return whole and bool(service.get("/health").json()["status"] == "healthy")

    eventually(is_well, f"health: {service.output}")
    return [count >= ACTIVE_COUNT for count in written()].index(True)


class Workers:
    """Makes workers over one cache and market, each with a separate clock and other tokens."""

    def __init__(self, cache: Cache, market: MarketServers) -> None:
        self._cache, self._market = cache, market
        self._made: list[Pipeline] = []

    def __call__(self, clock: Clock, **env: str) -> Pipeline:
        """One more worker, on paid plans."""
        worker = Pipeline(self._cache, self._market, clock, **{**LIMITS, **env})
        number, mint = len(self._made), worker.planner.token
        worker.planner = replace(worker.planner, token=lambda: f"w{number}-{mint()}")
        self._made.append(worker)
        return worker

    def close(self) -> None:
        """End all workers."""
        for worker in self._made:
            worker.close()


def moving_market(clock: Clock) -> MarketServers:
    """A market on paid plans whose prices move with every slot, and whose quotas are exact."""
    return MarketServers(clock=clock, limits=PLANS, update_s=dict.fromkeys(PLANS, 0.0))


def used(worker: Pipeline, source: Source) -> int:
    """How many calls a provider's ledger counts in the minute."""
    return int(worker.provider_status(source)["used"]["minute"])


def plan_and_be_killed(env: dict[str, str], slot_s: int, now_ms: int) -> dict[str, Any]:
    """Let a process plan a slot, kill this process, and return its plan."""
    path = os.pathsep.join((str(ROOT), str(ROOT / "layers" / "core")))
    worker = subprocess.Popen(  # noqa: S603  (fixed arguments)
        [sys.executable, "-m", "tests.support.fault_support", str(slot_s), str(now_ms)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": path, **env},
        stdin=subprocess.PIPE,  # the process runs until it is killed or this pipe is closed
        stdout=subprocess.PIPE,
    )
    with worker:
        assert worker.stdout is not None
        plan: dict[str, Any] = json.loads(worker.stdout.readline())
        worker.kill()
    assert worker.returncode == -signal.SIGKILL
    return plan


def _plan(slot_s: int, now_ms: int) -> dict[str, Any]:
    settings = Settings.from_env(os.environ)
    cache = connect(settings, caller_time=True)
    control = ControlState(cache, limits=settings.limits, policy=BreakerPolicy())
    quotes = QuoteStore(cache, retention_s=settings.quote_retention)
    token = f"worker-{os.getpid()}"
    planner = Planner(settings, control, quotes, AssetStore(cache), lambda: token)
    return planner.plan(slot_s, now_ms).to_event()


if __name__ == "__main__":
    sys.stdout.write(json.dumps(_plan(*map(int, sys.argv[1:]))) + "\n")
    sys.stdout.flush()
    sys.stdin.read()
