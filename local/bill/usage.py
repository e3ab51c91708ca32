"""The use of a month: how often each function runs, for how long, and how many bytes it moves.

The benchmarks measured the times on one whole processor. A function with less memory has a part of
a processor and takes longer in proportion.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from local.bill import prices
from marketdata.clock import SLOT_S
from marketdata.domain.catalogue import CHAINS, FACTS
from marketdata.domain.symbols import AssetClass

SLOTS = prices.SECONDS // SLOT_S
MINUTES = prices.SECONDS // 60
SHARES = {AssetClass.STOCKS: 0.5, AssetClass.CRYPTO: 0.4, AssetClass.FOREX: 0.1}

# Memory of each function in MB, as in template.yaml.
API_MB, PLAN_MB, FETCH_MB, COMMIT_MB = 512, 1024, 1024, 1024
# Measured: processor time in ms, for a call and for each symbol of it.
API_MS, API_SYMBOL_MS = 0.45, 0.0015
PLAN_MS, PLAN_SYMBOL_MS = 1.0, 0.014
FETCH_MS, FETCH_SYMBOL_MS = 5.0, 0.1
COMMIT_MS, COMMIT_SYMBOL_MS = 1.5, 0.04
PROVIDER_MS = 250  # ms of waiting for a provider, without using the processor
REDIS_TRIP_MS = 0.7  # ms of waiting for Redis in another zone
QUOTE_BYTES = 240
QUOTE_STORED_BYTES, ASSET_STORED_BYTES = 890, 350
# A day of minutes and a month of hours. Redis reserves more room than the growing texts need.
HISTORY_STORED_BYTES = 35_000
TICK_BYTES_PER_SYMBOL = 900  # to and from Redis, when it is priced
ANSWER_HEAD_BYTES = 700
GZIP = 0.15  # what is left of an answer with many quotes
# Lines of the log for each slot and each job, with those of the metrics, as a test counts them.
# CloudWatch bills 26 bytes more than a line has.
PLAN_LINES, JOB_LINES = 3.17, 4
LOG_LINE_BYTES = 700
# The api's line, which has its metrics, and the gateway's line for each request.
REQUEST_LOG_BYTES = 1_100
# Lambda's own two lines for each invocation, at SystemLogLevel=INFO.
SYSTEM_LOG_BYTES = 700
ASSETS = 30_000
# An Express execution starts in the minute before its slots, and ends with the jobs of the last
# slot.
EXECUTION_S = 116
METRIC_SERIES, ALARM_COUNT = 33, 20
# plan_assets runs every ten minutes to find out whether a list is due or lost.
REFRESH_TRANSITIONS = MINUTES / 10 * 4.5


@dataclass(frozen=True, slots=True)
class Workload:
    """The work of the service.

    `interval_s`: seconds between two prices of a symbol. `cdn_share`: the part of all requests that
    a CDN in front answers, 0 without a CDN.
    """

    symbols: int = 20
    requests_per_day: int = 10_000
    symbols_per_request: int = 10
    interval_s: int = SLOT_S
    cdn_share: float = 0.0
    arm: bool = True

    @property
    def requests(self) -> float:
        """Return the requests a month that reach the api."""
        return self.requests_per_day * prices.DAYS * (1 - self.cdn_share)

    @property
    def jobs_per_round(self) -> int:
        """Return the number of jobs that price every symbol once."""
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
class Usage:
    """All billed amounts, in the units of `prices`."""

    invocations: float
    gb_seconds: float
    ecpus: float
    stored_gb: float
    out_gb: float
    provider_gb: float
    log_gb: float
    express_gb_seconds: float
    transitions: float


def used(load: Workload) -> Usage:
    """Return what a month with this load uses."""
    per_job = load.priced / load.jobs if load.jobs else 0.0
    due = load.priced / SLOTS
    gb_seconds = (
        SLOTS * _gb_s(PLAN_MB, PLAN_MS + PLAN_SYMBOL_MS * due, 4 * REDIS_TRIP_MS)
        + load.jobs * _gb_s(FETCH_MB, FETCH_MS + FETCH_SYMBOL_MS * per_job, PROVIDER_MS)
        + load.jobs * _gb_s(COMMIT_MB, COMMIT_MS + COMMIT_SYMBOL_MS * per_job, 2 * REDIS_TRIP_MS)
        + load.requests
        * _gb_s(API_MB, API_MS + API_SYMBOL_MS * load.symbols_per_request, REDIS_TRIP_MS)
    )
    read_bytes = load.symbols_per_request * QUOTE_BYTES
    answer_bytes = ANSWER_HEAD_BYTES + read_bytes * (GZIP if read_bytes > 1024 else 1)
    return Usage(
        invocations=_invocations(load),
        gb_seconds=gb_seconds,
        ecpus=(
            SLOTS * 4
            + load.priced * TICK_BYTES_PER_SYMBOL / 1024
            + load.requests * max(1, read_bytes / 1024)
        ),
        stored_gb=_stored_bytes(load) / 1e9,
        out_gb=load.requests * answer_bytes / 1e9,
        provider_gb=load.priced * 2 * QUOTE_BYTES / 1e9,
        log_gb=_log_bytes(load) / 1e9,
        express_gb_seconds=MINUTES * EXECUTION_S * _express_mb(load) / 1024,
        transitions=SLOTS * 4 + load.jobs * 2,
    )


def _stored_bytes(load: Workload) -> float:
    return load.symbols * (QUOTE_STORED_BYTES + HISTORY_STORED_BYTES) + ASSETS * ASSET_STORED_BYTES


def _invocations(load: Workload) -> float:
    return SLOTS + 2 * load.jobs + load.requests


def _log_bytes(load: Workload) -> float:
    lines = SLOTS * PLAN_LINES + load.jobs * JOB_LINES
    return (
        lines * LOG_LINE_BYTES
        + load.requests * REQUEST_LOG_BYTES
        + _invocations(load) * SYSTEM_LOG_BYTES
    )


def _gb_s(memory_mb: int, work_ms: float, wait_ms: float) -> float:
    """Return the GB-seconds of one call; Lambda counts whole milliseconds."""
    slower = max(1.0, prices.LAMBDA_MB_PER_CPU / memory_mb)
    return memory_mb / 1024 * math.ceil(work_ms * slower + wait_ms) / 1000


def _express_mb(load: Workload) -> float:
    """Return the memory that one execution is billed for: definition and payloads of states."""
    held_mb = 12 * 3 * load.jobs / SLOTS * 0.1
    chunks = math.ceil((prices.EXPRESS_BASE_MB + held_mb) / prices.EXPRESS_CHUNK_MB)
    return chunks * prices.EXPRESS_CHUNK_MB
