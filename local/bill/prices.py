"""Prices of AWS, in US dollars, for us-east-1, as of the date below.

Prices change: look them up before you rely on them, and change them here. `sure` is false for a
price that was not found on a page of AWS or on a page that quotes AWS.
"""

from __future__ import annotations

from dataclasses import dataclass

AS_OF = "2026-11-22"
REGION = "us-east-1"
HOURS = 730  # in a month, as AWS counts
DAYS = HOURS / 24
SECONDS = HOURS * 3600


@dataclass(frozen=True, slots=True)
class Price:
    """The price of one unit. `free`: units a month that cost nothing in every account."""

    dollars: float
    unit: str
    free: float = 0.0
    sure: bool = True


STEP_FUNCTIONS_STARTS = Price(1.00e-6, "start of an Express execution")
STEP_FUNCTIONS_MEMORY = Price(0.06 / 3600, "GB-second of an Express execution")
STEP_FUNCTIONS_TRANSITIONS = Price(25e-6, "transition of a Standard execution", free=4_000)
LAMBDA_REQUESTS = Price(0.20e-6, "invocation", free=1e6)
LAMBDA_ARM = Price(1.33334e-5, "GB-second on arm64", free=400_000)
LAMBDA_X86 = Price(1.66667e-5, "GB-second on x86_64", free=400_000)
CACHE_STORAGE = Price(0.084, "GB-hour of ElastiCache Serverless for Valkey, 0.1 GB at least")
CACHE_ECPU = Price(0.0023e-6, "ECPU: a simple command, or a kilobyte of one")
CACHE_NODE = Price(0.0128, "hour of a cache.t4g.micro node with Valkey", sure=False)
HTTP_API = Price(1.00e-6, "request to an HTTP API")
TRANSFER_OUT = Price(0.09, "GB to the internet", free=100, sure=False)
METRICS = Price(0.30, "custom metric", free=10)
ALARMS = Price(0.10, "alarm", free=10)
DASHBOARDS = Price(3.00, "dashboard", free=3)
TRACES = Price(5e-6, "trace of X-Ray", free=100_000)
LOGS = Price(0.50, "GB of logs taken in", free=5, sure=False)
SCHEDULES = Price(1.00e-6, "invocation by the Scheduler", free=14e6, sure=False)
SECRETS = Price(0.40, "secret", sure=False)
NAT_HOURS = Price(0.045 + 0.005, "hour of a NAT gateway with its address")
NAT_DATA = Price(0.045, "GB through a NAT gateway")
# The least storage that the cache bills.
CACHE_LEAST_GB = 0.1
# An Express execution is billed in chunks of 64 MB; 50 MB are the least that an execution takes.
EXPRESS_CHUNK_MB, EXPRESS_BASE_MB = 64, 50
# A Lambda function with this much memory has one whole processor.
LAMBDA_MB_PER_CPU = 1_769
