"""The bill: its arithmetic, its comparisons, and what free keys allow."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from local.bill import prices, usage
from local.bill.free_keys import allowed, pace_s
from local.bill.month import bill, other_designs, total
from local.bill.usage import Workload
from marketdata.domain.quotes import Source
from marketdata.domain.symbols import AssetClass

ROOT = Path(__file__).parents[3]


def dollars(load: Workload, name: str, **how: bool) -> float:
    (item,) = (item for item in bill(load, **how) if item.name == name)
    return item.dollars


def test_the_loop_costs_what_express_executions_of_nearly_two_minutes_cost():
    """43,800 executions of 64 MB and 116 seconds each cost about five dollars."""
    load = Workload(symbols=20)
    loop = dollars(load, "Step Functions: starts") + dollars(load, "Step Functions: memory")
    assert loop == pytest.approx(5.34, abs=0.01)


def test_a_trace_of_each_execution_is_free_or_costs_cents():
    """43,800 traces are fewer than an account has free, and cost 22 cents beyond that."""
    assert dollars(Workload(), "X-Ray") == pytest.approx(0.22, abs=0.01)
    assert dollars(Workload(), "X-Ray", free_tier=True) == 0


def test_the_log_has_the_lines_of_lambda_too():
    """Each invocation adds two lines of Lambda's own, of about 700 bytes together."""
    quiet = Workload(symbols=0, requests_per_day=0)
    lines = usage.SLOTS * usage.PLAN_LINES * usage.LOG_LINE_BYTES
    assert usage.used(quiet).log_gb * 1e9 == pytest.approx(lines + 700 * usage.SLOTS)


def test_a_cache_is_billed_at_least_a_tenth_of_a_gigabyte():
    """The storage of one quote costs as much as the minimum: $6.13."""
    assert dollars(Workload(symbols=1), "ElastiCache: storage") == pytest.approx(6.13, abs=0.01)


def test_requests_cost_in_proportion_to_those_that_reach_the_api():
    """If a CDN answers nine of ten requests, the gateway costs a tenth."""
    load = Workload(requests_per_day=1_000_000)
    with_cdn = replace(load, cdn_share=0.9)
    assert dollars(load, "API Gateway") == pytest.approx(30.42, abs=0.01)
    assert dollars(with_cdn, "API Gateway") == pytest.approx(3.04, abs=0.01)


def test_the_free_tier_lowers_no_cost_below_zero():
    """With the free tier no item is negative, and none costs more than without it."""
    load = Workload()
    pairs = zip(bill(load), bill(load, free_tier=True), strict=True)
    assert all(0 <= less.dollars <= item.dollars for item, less in pairs)


def test_more_of_anything_never_costs_less():
    """More symbols, more requests, a shorter interval and x86 each cost more."""
    least = total(bill(Workload(symbols=20, interval_s=60)))
    for more in (
        Workload(symbols=2_000, interval_s=60),
        Workload(symbols=20, interval_s=5),
        Workload(symbols=20, interval_s=60, requests_per_day=1_000_000),
        Workload(symbols=20, interval_s=60, arm=False),
    ):
        assert total(bill(more)) > least


def test_a_service_without_symbols_and_readers_still_has_a_bill():
    """Without symbols and requests the loop and the cache cost more than $10."""
    assert total(bill(Workload(symbols=0, requests_per_day=0))) > 10


def test_every_other_design_costs_more_at_a_small_scale():
    """A NAT gateway, Standard workflows and cache nodes all add to the bill."""
    assert all(more > 0 for _, more in other_designs(Workload(symbols=200)))


def test_a_nat_gateway_costs_its_hours_and_its_address():
    """A NAT gateway that carries no data costs $36.50 a month."""
    nothing = other_designs(Workload(symbols=0))
    assert dict(nothing)["a NAT gateway, so that functions in the VPC fetch"] == pytest.approx(36.5)


def test_each_class_makes_as_many_jobs_as_its_largest_batches_need():
    """1,000 symbols are 500 stocks, 400 coins and 100 pairs: five, two and one job."""
    assert Workload(symbols=1_000).jobs_per_round == 8


def test_memory_grows_in_the_chunks_that_express_bills():
    """20 symbols need one chunk of 64 MB, and 5,000 symbols need more."""
    few, many = (usage.used(Workload(symbols=symbols)) for symbols in (20, 5_000))
    assert many.express_gb_seconds > few.express_gb_seconds
    chunk = usage.MINUTES * usage.EXECUTION_S * prices.EXPRESS_CHUNK_MB / 1024
    assert few.express_gb_seconds == pytest.approx(chunk)


@pytest.mark.parametrize(
    ("source", "seconds"),
    [
        (Source.YFINANCE, 1),
        (Source.FINNHUB, 1),
        (Source.COINGECKO, 297.6),
        (Source.ALPHA_VANTAGE, 3840),
    ],
)
def test_a_free_plan_has_a_pace(source, seconds):
    """Day and month windows are spent evenly, except for the tenth that is kept back."""
    assert pace_s(source) == pytest.approx(seconds)


def test_a_free_month_of_coins_is_a_batch_every_five_minutes():
    """A batch of coins is free every 297.6 s, and twice as often with CoinMarketCap's key."""
    alone = allowed(AssetClass.CRYPTO, 100, ())
    both = allowed(AssetClass.CRYPTO, 100, (Source.COINMARKETCAP,))
    assert alone.sources == (Source.COINGECKO,)
    assert alone.period_s == pytest.approx(297.6)
    assert both.period_s == pytest.approx(297.6 / 2)
    assert alone.most_live == both.most_live == 0


def test_yahoo_prices_five_hundred_stocks_every_slot():
    """Sixty calls a minute of 100 symbols each price 500 stocks in 5 s and 1,000 in 10 s."""
    assert allowed(AssetClass.STOCKS, 500, ()).period_s == 5
    assert allowed(AssetClass.STOCKS, 1_000, ()).period_s == 10
    assert allowed(AssetClass.STOCKS, 500, ()).most_live == 500


def printed(*arguments: str) -> str:
    """Return what `python -m local bill` prints."""
    return subprocess.run(  # noqa: S603 - our own arguments
        [sys.executable, "-m", "local", "bill", *arguments],
        cwd=ROOT, env={"PYTHONPATH": "layers/core"}, check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip


def test_the_guide_shows_what_the_command_prints():
    """docs/deploying.md holds the table of `make bill ARGS=--markdown`, figure by figure."""
    guide = (ROOT / "docs" / "deploying.md").read_text(encoding="utf-8")
    begin, end = "<!-- make bill ARGS=--markdown -->\n", "<!-- end -->"
    assert guide.partition(begin)[2].partition(end)[0].strip() == printed("--markdown").strip()


@pytest.mark.parametrize("path", ["README.md", "docs/deploying.md"])
def test_the_month_costs_the_same_in_every_document(path):
    """Each `about $N a month` is the total of the command without arguments."""
    text = (ROOT / path).read_text(encoding="utf-8")
    stated = re.findall(r"about \$(\d+) a month", text)
    assert set(stated) == {f"{total(bill(Workload())):.0f}"}


def test_the_guide_says_what_more_and_less_cost():
    """docs/deploying.md has the differences that the command shows, rounded to ten cents."""
    text = (ROOT / "docs" / "deploying.md").read_text(encoding="utf-8")
    least = Workload()
    for pattern, load in (
        (
            r"another 200 symbols priced every five seconds add \$([\d.]+)",
            replace(least, symbols=220),
        ),
        (
            r"another million requests adds \$([\d.]+)",
            replace(least, requests_per_day=least.requests_per_day + 1e6 / prices.DAYS),
        ),
        (r"`PriceFetchInterval=60` saves \$([\d.]+)", replace(least, interval_s=60)),
    ):
        (stated,) = re.findall(pattern, text)
        exact = abs(total(bill(load)) - total(bill(least)))
        assert float(stated) == pytest.approx(exact, abs=0.5 if "." not in stated else 0.05), (
            pattern
        )
    (stated,) = re.findall(r"`SystemLogLevel=WARN` saves \$(\d+(?:\.\d+)?)", text)
    lines_gb = usage.used(least).invocations * usage.SYSTEM_LOG_BYTES / 1e9
    assert float(stated) == pytest.approx(lines_gb * prices.LOGS.dollars, abs=0.05)


def test_the_guide_to_scaling_has_the_figures_of_the_command():
    """docs/scaling.md has the command's cost of a million requests a day, and a CDN's saving."""
    text = (ROOT / "docs" / "scaling.md").read_text(encoding="utf-8")
    (stated,) = re.findall(
        r"the month costs \$(\d+), of which \$(\d+) .*\nrequests saves \$(\d+)", text
    )
    busy = Workload(symbols=200, requests_per_day=1_000_000)
    whole, idle, with_cdn = (
        total(bill(load))
        for load in (busy, replace(busy, requests_per_day=0), replace(busy, cdn_share=0.9))
    )
    assert stated == (f"{whole:.0f}", f"{whole - idle:.0f}", f"{whole - with_cdn:.0f}")


def test_the_command_prints_items_designs_and_free_plans():
    """`python -m local bill` takes a service's sizes and prints each part of the bill."""
    answer = printed("--symbols", "200", "--requests-per-day", "1000000", "--cdn-share", "0.5")
    assert f"prices of {prices.AS_OF}" in answer
    for text in ("API Gateway", "Standard workflows in place of Express", "without any key"):
        assert text in answer
