"""A month's bill by item, and the same month in other designs: pure arithmetic."""

from __future__ import annotations

from dataclasses import dataclass

from local.bill import prices, usage
from local.bill.prices import Price
from local.bill.usage import Wanted


@dataclass(frozen=True, slots=True)
class Item:
    """One line of a bill: so many units of something, and what they cost."""

    name: str
    units: float
    price: Price
    dollars: float


def bill(wanted: Wanted, *, free_tier: bool = False) -> list[Item]:
    """The items of a month. With `free_tier` every account's free units are not billed."""
    used = usage.used(wanted)
    compute = prices.LAMBDA_ARM if wanted.arm else prices.LAMBDA_X86
    storage_gb = max(prices.CACHE_LEAST_GB, used.stored_gb)
    counted = (
        ("Step Functions: starts", usage.MINUTES, prices.STEP_FUNCTIONS_STARTS),
        ("Step Functions: memory", used.express_gb_seconds, prices.STEP_FUNCTIONS_MEMORY),
        (
            "Step Functions: refresh",
            usage.REFRESH_TRANSITIONS,
            prices.STEP_FUNCTIONS_TRANSITIONS,
        ),
        ("Lambda: invocations", used.invocations, prices.LAMBDA_REQUESTS),
        ("Lambda: compute", used.gb_seconds, compute),
        ("ElastiCache: storage", storage_gb * prices.HOURS, prices.CACHE_STORAGE),
        ("ElastiCache: commands", used.ecpus, prices.CACHE_ECPU),
        ("API Gateway", wanted.requests, prices.HTTP_API),
        ("Transfer to clients", used.out_gb, prices.TRANSFER_OUT),
        ("CloudWatch: metrics", usage.METRIC_SERIES, prices.METRICS),
        ("CloudWatch: alarms", usage.ALARM_COUNT, prices.ALARMS),
        ("CloudWatch: dashboard", 1, prices.DASHBOARDS),
        ("CloudWatch: logs", used.log_gb, prices.LOGS),
        ("Scheduler", usage.MINUTES + prices.DAYS, prices.SCHEDULES),
        ("Secrets Manager", 1, prices.SECRETS),
    )
    return [_item(name, units, price, free_tier) for name, units, price in counted]


def total(items: list[Item]) -> float:
    """The sum of a bill."""
    return sum(item.dollars for item in items)


def other_designs(wanted: Wanted) -> list[tuple[str, float]]:
    """What other designs add to the bill (less, if negative), before any free tier."""
    used = usage.used(wanted)
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


def _item(name: str, units: float, price: Price, free_tier: bool) -> Item:  # noqa: FBT001
    billed = max(0.0, units - price.free) if free_tier else units
    return Item(name, units, price, billed * price.dollars)
