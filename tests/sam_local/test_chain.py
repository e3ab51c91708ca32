"""One tick through `sam local start-lambda`, on the simulated market, to a reader of the API."""

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
    """Plan, fetch and commit in their containers; the API tells each price that was fetched."""
    with sam.serving("start-lambda") as functions:
        # A job has seconds, and an image that is built and a container that starts take longer.
        functions.call("fetch_quotes", _stocks_whenever())
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
    market = Market()  # prices are a function of symbol and time, here as in the container
    for quote in payload["quotes"]:
        at_ms, source = epoch_ms(quote["timestamp"]), Source(quote["source"])
        assert market.is_true(quote["symbol"], Decimal(quote["price"]), at_ms, source), quote


def _stocks_whenever() -> dict[str, object]:
    """The sample job of stocks, for whenever it is asked."""
    job = json.loads(EVENTS["fetch_quotes__late"].read_text(encoding="utf-8"))
    return {**job, "deadline_ms": IN_2100_MS}
