"""The figures of the bill, compared with log lines and keys that the service writes."""

from __future__ import annotations

import importlib
import json
import random
import re
import time
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest

from local.bill import usage
from local.simulator import MarketServers
from marketdata.cache.quote_store import QuoteStore
from marketdata.domain.history import HOURS_KEPT, MINUTES_KEPT
from tests.infrastructure.lambda_process import lambda_process
from tests.infrastructure.stack import ROOT, Stack
from tests.support.lambda_context import LambdaContext
from tests.support.pipeline import GENEROUS_MARKET
from tests.support.sample_quotes import at_ms, quote

NAME = "market-data"
# As long as AWS's own names are.
FUNCTION = f"{NAME}-CommitQuotes-1A2B3C4D5E6F"
ARN = "arn:aws:{}:us-east-1:123456789012:{}"
EXECUTION = ARN.format("states", f"express:PriceLoop-1A2B3C4D5E6F:{uuid4()}:{uuid4()}")
TRACE = f"Root=1-67891233-{'a' * 24};Parent={'b' * 16};Sampled=1;Lineage=1:{'c' * 8}:0"
# What the access log has in place of a variable, where its length matters.
GATEWAY = {
    "requestTime": "28/Nov/2026:10:00:00 +0000",
    "requestId": "Xb1cdh0BIAMEVhA=",
    "integration.requestId": str(uuid4()),
    "identity.sourceIp": "203.0.113.117",
    "path": "/v1/quotes",
    "routeKey": "ANY /{proxy+}",
}
BILLED_MORE = 26  # bytes that CloudWatch adds to each line
GAUGES = ("QuoteAge", "BudgetLeft", "BreakerState")


@dataclass(frozen=True)
class Written:
    """The lines of one slot: its plan (the first of a minute), its jobs, and one request."""

    plan: list[str]
    jobs: list[list[str]]
    request: list[str]

    @property
    def gauges(self) -> list[str]:
        """The lines that a plan writes once a minute."""
        return [line for line in self.plan if any(name in line for name in GAUGES)]


@pytest.fixture
def written(redis_server, capsys) -> Written:
    """The lines that the deployed functions write, with every key and the default symbols."""
    variables = Stack().functions()["PlanQuotes"]["Environment"]["Variables"]
    environment = {
        "ACTIVE_SYMBOLS": variables["ACTIVE_SYMBOLS"],
        "METRICS_SERVICE": NAME,
        "AWS_LAMBDA_FUNCTION_NAME": FUNCTION,
        "_X_AMZN_TRACE_ID": TRACE,
    }

    def lines_of(function: str, event: dict[str, Any]) -> tuple[Any, list[str]]:
        capsys.readouterr()
        context = LambdaContext(
            function_name=FUNCTION,
            invoked_function_arn=ARN.format("lambda", f"function:{FUNCTION}"),
            aws_request_id=str(uuid4()),
        )
        handler = importlib.import_module(f"functions.{function}.app").handler
        answer = handler(event, context)
        return answer, capsys.readouterr().out.splitlines()

    with (
        MarketServers(limits=GENEROUS_MARKET) as market,
        lambda_process(redis_server, market, **environment),
    ):
        for function in ("plan_quotes", "fetch_quotes", "commit_quotes", "api"):
            importlib.import_module(f"functions.{function}.app")
        asked = {"slot": int(time.time()) // 5 * 5, "execution": EXECUTION}
        plan, _ = lines_of("plan_quotes", asked)
        jobs = []
        for job in plan["jobs"]:
            late = {**job, "deadline_ms": job["deadline_ms"] + 20_000}  # for a busy machine
            report, fetched = lines_of("fetch_quotes", late)
            _, committed = lines_of("commit_quotes", report)
            jobs.append(fetched + committed)
        with redis_server.client() as client:  # so that a second plan is the first of its minute
            client.delete("mda:{control}:slot")
        asked["slot"] = int(time.time()) // 5 * 5
        again, planned = lines_of("plan_quotes", asked)
        assert again["claimed"]
        sample = json.loads((ROOT / "events" / "api__http_quotes.json").read_text())
        _, request = lines_of("api", sample)
    return Written(planned, jobs, request)


def billed(lines: list[str]) -> int:
    """The bytes that CloudWatch bills for some lines."""
    return sum(len(line.encode()) + BILLED_MORE for line in lines)


def test_the_bill_counts_the_lines_of_a_plan_and_of_a_job(written):
    """A plan has two lines and those of the gauges once a minute; a job has four."""
    once_a_minute = len(written.gauges) / 12
    lines = len(written.plan) - len(written.gauges) + once_a_minute
    assert pytest.approx(lines, abs=0.05) == usage.PLAN_LINES
    assert {len(lines) for lines in written.jobs} == {usage.JOB_LINES}


def test_the_bill_counts_the_bytes_of_a_line(written):
    """A line of plan, fetch and commit is on average as long as the bill says."""
    plan = [line for line in written.plan if line not in written.gauges]
    jobs = [line for lines in written.jobs for line in lines]
    size = billed(plan) + billed(written.gauges) / 12 + billed(jobs)
    count = len(plan) + len(written.gauges) / 12 + len(jobs)
    assert pytest.approx(size / count, rel=0.1) == usage.LOG_LINE_BYTES


def test_the_bill_counts_the_lines_of_a_request(written):
    """A request has a line of the api, which has its metrics, and one of the gateway."""
    assert len(written.request) == 1
    (stage,) = Stack().of_type("AWS::ApiGatewayV2::Stage").values()
    gateway = re.sub(
        r"\$context\.([\w.]+)",
        lambda variable: GATEWAY.get(variable[1], "123"),
        stage["AccessLogSettings"]["Format"],
    )
    size = billed([*written.request, gateway])
    assert pytest.approx(size, rel=0.1) == usage.REQUEST_LOG_BYTES


def test_the_bill_counts_the_history_that_redis_holds_of_a_symbol(cache):
    """The history of a symbol, of a day and of a month, takes the bytes that the bill says."""
    store, chance = QuoteStore(cache, retention_s=usage.MINUTES * 60), random.Random(1)
    prices = {"AAPL": (182.34, 2), "BTC-USD": (84493.47, 3), "EUR/USD": (1.08423, 5)}
    second = 0
    steps = [3600] * (HOURS_KEPT + 60) + [60] * (MINUTES_KEPT + 120)
    for step in steps:
        second += step
        store.put(
            [
                quote(f"{price * chance.uniform(0.9, 1.1):.{digits}f}", second, symbol=symbol)
                for symbol, (price, digits) in prices.items()
            ],
            at_ms(second),
        )

    def held(kind: str, symbol: str) -> int:
        return int(cache.command("MEMORY", "USAGE", cache.key("quotes", kind, symbol)))

    shares = {"AAPL": 0.5, "BTC-USD": 0.4, "EUR/USD": 0.1}
    history = sum(
        share * (held("minutes", symbol) + held("hours", symbol))
        for symbol, share in shares.items()
    )
    assert pytest.approx(history, rel=0.25) == usage.HISTORY_STORED_BYTES
