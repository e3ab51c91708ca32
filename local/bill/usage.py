"""What a month uses: how often each function runs, for how long, and what it moves.

Times are those that the benchmarks measured on one whole processor; a function with less memory
has that part of a processor only, and takes so much longer.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from local.bill import prices
from marketdata.domain.catalogue import CHAINS, FACTS
from marketdata.domain.symbols import AssetClass

SLOT_S = 5
SLOTS = prices.SECONDS // SLOT_S
MINUTES = prices.SECONDS // 60
SHARES = {AssetClass.STOCKS: 0.5, AssetClass.CRYPTO: 0.4, AssetClass.FOREX: 0.1}

# Memory of each function in MB, as in the template.
API_MB, PLAN_MB, FETCH_MB, COMMIT_MB = 512, 512, 1024, 512
# Measured: processor time in ms, for a call and for each symbol of it.
API_MS, API_SYMBOL_MS = 0.15, 0.001
PLAN_MS, PLAN_SYMBOL_MS = 1.0, 0.014
FETCH_MS, FETCH_SYMBOL_MS = 5.0, 0.1
COMMIT_MS, COMMIT_SYMBOL_MS = 1.5, 0.04
PROVIDER_MS = 250  # waiting for a provider, which needs no processor
REDIS_TRIP_MS = 0.7  # waiting for Redis in another zone
QUOTE_BYTES = 240
QUOTE_STORED_BYTES, ASSET_STORED_BYTES = 410, 230
TICK_BYTES_PER_SYMBOL = 900  # to and from Redis, when it is priced
ANSWER_HEAD_BYTES = 700
GZIP = 0.15  # what is left of an answer with many quotes
# What each step logs on average, in lines of ours and lines of metrics, and how long a line is.
PLAN_LINES, FETCH_LINES, COMMIT_LINES = 2.5, 1, 3
LOG_LINE_BYTES = 600
# The api's line and the gateway's line for each request.
REQUEST_LOG_BYTES = 1_100
# Lambda's own two lines for each invocation, at SystemLogLevel=INFO.
SYSTEM_LOG_BYTES = 700
ASSETS = 30_000
# An Express execution starts with the minute before its own, and ends with the last slot's jobs.
EXECUTION_S = 116
METRIC_SERIES, ALARM_COUNT = 32, 19
# The refresh looks every ten minutes whether a list is due or lost.
REFRESH_TRANSITIONS = MINUTES / 10 * 4.5


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the service is to do.

    `interval_s`: how often each symbol is priced; `cdn_share`: the part of all requests that a CDN
    in front answers by itself, 0 without one.
    """

    symbols: int = 20
    requests_per_day: int = 10_000
    symbols_per_request: int = 10
    interval_s: int = SLOT_S
    cdn_share: float = 0.0
    arm: bool = True

    @property
    def requests(self) -> float:
        """Requests a month that reach the api."""
        return self.requests_per_day * prices.DAYS * (1 - self.cdn_share)

    @property
    def jobs_per_round(self) -> int:
        """How many jobs price every symbol once."""
        return sum(
            math.ceil(self.symbols * share / max(FACTS[s].batch_size for s in CHAINS[one]))
            for one, share in SHARES.items()
        )

    @property
    def jobs(self) -> float:
        """Jobs a month."""
        return self.jobs_per_round * prices.SECONDS / self.interval_s

    @property
    def priced(self) -> float:
        """Prices a month."""
        return self.symbols * prices.SECONDS / self.interval_s


@dataclass(frozen=True, slots=True)
class Used:
    """What is billed, in the units of `prices`."""

    invocations: float
    gb_seconds: float
    ecpus: float
    stored_gb: float
    out_gb: float
    provider_gb: float
    log_gb: float
    express_gb_seconds: float
    transitions: float


def used(wanted: Wanted) -> Used:
    """What a month of this uses."""
    per_job = wanted.priced / wanted.jobs if wanted.jobs else 0.0
    due = wanted.priced / SLOTS
    gb_seconds = (
        SLOTS * _gb_s(PLAN_MB, PLAN_MS + PLAN_SYMBOL_MS * due, 4 * REDIS_TRIP_MS)
        + wanted.jobs * _gb_s(FETCH_MB, FETCH_MS + FETCH_SYMBOL_MS * per_job, PROVIDER_MS)
        + wanted.jobs * _gb_s(COMMIT_MB, COMMIT_MS + COMMIT_SYMBOL_MS * per_job, 2 * REDIS_TRIP_MS)
        + wanted.requests
        * _gb_s(API_MB, API_MS + API_SYMBOL_MS * wanted.symbols_per_request, REDIS_TRIP_MS)
    )
    read_bytes = wanted.symbols_per_request * QUOTE_BYTES
    answer_bytes = ANSWER_HEAD_BYTES + read_bytes * (GZIP if read_bytes > 1024 else 1)
    return Used(
        invocations=_invocations(wanted),
        gb_seconds=gb_seconds,
        ecpus=(
            SLOTS * 4
            + wanted.priced * TICK_BYTES_PER_SYMBOL / 1024
            + wanted.requests * max(1, read_bytes / 1024)
        ),
        stored_gb=(wanted.symbols * QUOTE_STORED_BYTES + ASSETS * ASSET_STORED_BYTES) / 1e9,
        out_gb=wanted.requests * answer_bytes / 1e9,
        provider_gb=wanted.priced * 2 * QUOTE_BYTES / 1e9,
        log_gb=_log_bytes(wanted) / 1e9,
        express_gb_seconds=MINUTES * EXECUTION_S * _express_mb(wanted) / 1024,
        transitions=SLOTS * 4 + wanted.jobs * 2,
    )


def _invocations(wanted: Wanted) -> float:
    return SLOTS + 2 * wanted.jobs + wanted.requests


def _log_bytes(wanted: Wanted) -> float:
    lines = SLOTS * PLAN_LINES + wanted.jobs * (FETCH_LINES + COMMIT_LINES)
    return (
        lines * LOG_LINE_BYTES
        + wanted.requests * REQUEST_LOG_BYTES
        + _invocations(wanted) * SYSTEM_LOG_BYTES
    )


def _gb_s(memory_mb: int, work_ms: float, wait_ms: float) -> float:
    """What one call is billed; Lambda counts whole milliseconds."""
    slower = max(1.0, prices.LAMBDA_MB_PER_CPU / memory_mb)
    return memory_mb / 1024 * math.ceil(work_ms * slower + wait_ms) / 1000


def _express_mb(wanted: Wanted) -> float:
    """The memory that one execution is billed for: its definition, and what its states hold."""
    held_mb = 12 * 3 * wanted.jobs / SLOTS * 0.1
    chunks = math.ceil((prices.EXPRESS_BASE_MB + held_mb) / prices.EXPRESS_CHUNK_MB)
    return chunks * prices.EXPRESS_CHUNK_MB
