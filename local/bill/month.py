"""A month's bill by item, and the same month in other designs: pure arithmetic."""

from __future__ import annotations

from dataclasses import dataclass

from local.bill import prices, usage
from local.bill.prices import Price
from local.bill.usage import Workload

NOTHING = "nothing"
JOBS = "jobs: up to 100 stocks, 250 coins or 100 pairs each"
READERS = "requests"


@dataclass(frozen=True, slots=True)
class Item:
    """One line of a bill: the units, their costs, and the cause of their growth."""

    name: str
    units: float
    price: Price
    dollars: float
    grows_with: str


def bill(load: Workload, *, free_tier: bool = False) -> list[Item]:
    """Return the items of a month. With `free_tier` the free units of an account are not billed."""
    used = usage.used(load)
    compute = prices.LAMBDA_ARM if load.arm else prices.LAMBDA_X86
    storage_gb = max(prices.CACHE_LEAST_GB, used.stored_gb)
    counted = (
        ("Step Functions: starts", usage.MINUTES, prices.STEP_FUNCTIONS_STARTS, NOTHING),
        (
            "Step Functions: memory",
            used.express_gb_seconds,
            prices.STEP_FUNCTIONS_MEMORY,
            "jobs, in steps of 64 MB",
        ),
        (
            "Step Functions: refresh",
            usage.REFRESH_TRANSITIONS,
            prices.STEP_FUNCTIONS_TRANSITIONS,
            NOTHING,
        ),
        ("Lambda: invocations", used.invocations, prices.LAMBDA_REQUESTS, f"{JOBS}; {READERS}"),
        ("Lambda: compute", used.gb_seconds, compute, f"jobs; {READERS}"),
        (
            "ElastiCache: storage",
            storage_gb * prices.HOURS,
            prices.CACHE_STORAGE,
            "symbols, beyond 0.1 GB",
        ),
        ("ElastiCache: commands", used.ecpus, prices.CACHE_ECPU, f"symbols; {READERS}"),
        ("API Gateway", load.requests, prices.HTTP_API, READERS),
        ("Transfer to clients", used.out_gb, prices.TRANSFER_OUT, READERS),
        ("CloudWatch: metrics", usage.METRIC_SERIES, prices.METRICS, NOTHING),
        ("CloudWatch: alarms", usage.ALARM_COUNT, prices.ALARMS, NOTHING),
        ("CloudWatch: dashboard", 1, prices.DASHBOARDS, NOTHING),
        ("CloudWatch: logs", used.log_gb, prices.LOGS, f"jobs; {READERS}"),
        ("X-Ray", usage.MINUTES, prices.TRACES, NOTHING),
        ("Scheduler", usage.MINUTES * 1.1, prices.SCHEDULES, NOTHING),
        ("Secrets Manager", 1, prices.SECRETS, NOTHING),
    )
    return [_item(*one, free_tier=free_tier) for one in counted]


def total(items: list[Item]) -> float:
    """Return the sum of a bill."""
    return sum(item.dollars for item in items)


def other_designs(load: Workload) -> list[tuple[str, float]]:
    """Return what other designs add to the bill, before any free tier; negative if they save."""
    used = usage.used(load)
    express = (
        usage.MINUTES * prices.STEP_FUNCTIONS_STARTS.dollars
        + used.express_gb_seconds * prices.STEP_FUNCTIONS_MEMORY.dollars
    )
    standard = used.transitions * prices.STEP_FUNCTIONS_TRANSITIONS.dollars
    nat = prices.HOURS * prices.NAT_HOURS.dollars
    nat_data = used.provider_gb * prices.NAT_DATA.dollars
    serverless = (
        max(prices.CACHE_LEAST_GB, used.stored_gb) * prices.HOURS * prices.CACHE_STORAGE.dollars
        + used.ecpus * prices.CACHE_ECPU.dollars
    )
    nodes = 2 * prices.HOURS * prices.CACHE_NODE.dollars
    return [
        ("a NAT gateway, so that functions in the VPC fetch", nat + nat_data),
        ("NAT gateways in two zones", 2 * nat + nat_data),
        ("Standard workflows in place of Express", standard - express),
        ("two cache nodes in place of a serverless cache", nodes - serverless),
    ]


def _item(name: str, units: float, price: Price, grows_with: str, *, free_tier: bool) -> Item:
    billed = max(0.0, units - price.free) if free_tier else units
    return Item(name, units, price, billed * price.dollars, grows_with)
