"""One tick through `sam local start-lambda` on the simulated market, read through the API."""

from __future__ import annotations

import json
import time
from decimal import Decimal

from local.simulator import Market
from marketdata.clock import SLOT_S
from marketdata.domain.quotes import Source
from tests.infrastructure.answers import EVENTS
from tests.infrastructure.sample_events import IN_2100_MS
from tests.sam_local.conftest import ACTIVE
from tests.support.api_times import epoch_ms


def test_prices_of_the_market_come_to_a_reader(sam, api, empty):
    """Plan, fetch and commit run in their containers, and the API serves each fetched price."""
    with sam.serving("start-lambda") as functions:
        # A job has a few seconds; building the image and starting the container takes longer.
        functions.call("fetch_quotes", _stocks_without_deadline())
        plan = functions.call("plan_quotes", {"slot": int(time.time()) // SLOT_S * SLOT_S})
        reports = [functions.call("fetch_quotes", job) for job in plan["jobs"]]
        for report in reports:
            summary = functions.call("commit_quotes", report)
            assert sum(summary["written"].values()) == len(report["quotes"])
    fetched = {quote["symbol"]: quote for report in reports for quote in report["quotes"]}
    assert fetched.keys() == set(ACTIVE.split(","))
    answer = api.get(f"/v1/quotes?symbols={ACTIVE}")
    payload = json.loads(answer.text, parse_float=Decimal)
    assert {quote["symbol"]: Decimal(quote["price"]) for quote in payload["quotes"]} == {
        symbol: Decimal(quote["price"]) for symbol, quote in fetched.items()
    }
    market = Market()  # prices depend on symbol and time alone, so they equal the container's
    for quote in payload["quotes"]:
        at_ms, source = epoch_ms(quote["timestamp"]), Source(quote["source"])
        assert market.is_true(quote["symbol"], Decimal(quote["price"]), at_ms, source), quote


def _stocks_without_deadline() -> dict[str, object]:
    """Return the sample job of stocks with a deadline in the year 2100."""
    job = json.loads(EVENTS["fetch_quotes__late"].read_text(encoding="utf-8"))
    return {**job, "deadline_ms": IN_2100_MS}
