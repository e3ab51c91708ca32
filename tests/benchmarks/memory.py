"""The memory of each function over 10,000 symbols, and the memory of each symbol in Redis.

Every step runs in a new process and is called by its Lambda handler. Its output is the input of the
next step, as in the state machine.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from local.day.parts import memory_of
from marketdata.cache.asset_store import AssetStore
from marketdata.cache.client import Cache
from marketdata.cache.quote_store import QuoteStore
from tests.benchmarks.cold_start import ROOT
from tests.benchmarks.market import coin_list, running_market, symbols_of
from tests.benchmarks.stage import (
    RETENTION_S,
    a_quote,
    cache_of,
    event,
    quotes_target,
    redis_of_our_own,
    store_assets,
)
from tests.benchmarks.table import Row, Section, exact

SYMBOLS, ASSETS = 10_000, 30_000


def measure(*, quick: bool) -> Section:
    """Run one tick and a few requests, each step in a process of its own."""
    symbols, assets = (50, 300) if quick else (SYMBOLS, ASSETS)
    section = Section(f"Memory, with {symbols:,} active symbols and {assets:,} assets")
    with redis_of_our_own() as server, running_market() as market, cache_of(server) as cache:
        chosen = symbols_of(symbols)
        env = {**os.environ, **market.env(), "ACTIVE_SYMBOLS": ",".join(chosen)}
        section.rows += redis_rows(cache, symbols, assets)
        assert AssetStore(cache).swap(coin_list(_now_ms()))
        plan, plan_mib = step("plan_quotes", {"slot": _now_ms() // 5000 * 5}, env)
        job = max(plan["jobs"], key=lambda one: len(one["instruments"]))
        report, fetch_mib = step("fetch_quotes", {**job, "deadline_ms": _now_ms() + 20_000}, env)
        _, commit_mib = step("commit_quotes", report, env)
        targets = (quotes_target(chosen[:100]), "/v1/assets/stocks?q=foods", "/health")
        api_mib = max(step("api", event(target), env)[1] for target in targets)
        idle = step("", {}, env)[1]
    section.rows += [
        Row("a bare Python", exact(idle), "MiB"),
        Row(f"plan_quotes: {symbols:,} symbols", exact(plan_mib), "MiB"),
        Row(f"fetch_quotes: a job of {len(job['instruments'])}", exact(fetch_mib), "MiB"),
        Row("commit_quotes: its report", exact(commit_mib), "MiB"),
        Row(f"api: 100 quotes, a search in {assets:,}, /health", exact(api_mib), "MiB"),
    ]
    return section


def redis_rows(cache: Cache, symbols: int, assets: int) -> list[Row]:
    """Return the memory of each quote and each asset in Redis, including keys and indexes."""
    store, now_ms = QuoteStore(cache, retention_s=RETENTION_S), _now_ms()
    before = memory_of(cache)[1]
    quotes = [a_quote(f"BM{place:05d}", now_ms) for place in range(symbols)]
    for start in range(0, symbols, 500):
        store.put(quotes[start : start + 500], now_ms)
    after = memory_of(cache)[1]
    store_assets(cache, assets, now_ms)
    return [
        Row("Redis: bytes per quote", exact((after - before) / symbols), "B"),
        Row("Redis: bytes per asset", exact((memory_of(cache)[1] - after) / assets), "B"),
    ]


def step(name: str, given: Mapping[str, Any], env: Mapping[str, str]) -> tuple[Any, float]:
    """Return a handler's answer in a new process, and the peak of its memory in MiB."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "step.json"
        file.write_text(json.dumps(given))
        subprocess.run(  # noqa: S603  (fixed arguments)
            [sys.executable, "-m", "tests.benchmarks.memory_child", name, str(file)],
            env=dict(env), cwd=ROOT, check=True, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        answer, mib = json.loads(file.read_text())
    return answer, mib


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
