"""Two workers make no more HTTP requests to Yahoo than its budget, counted at the server."""

from collections import deque
from collections.abc import Callable, Iterator

import pytest

from marketdata.domain.quotes import Source
from tests.support.caches import emptied
from tests.support.fake_yahoo import (
    CRUMB,
    INVALID_CRUMB,
    QUOTE,
    UPSTREAM,
    Answer,
    FakeYahoo,
    chart,
    quote_row,
)
from tests.support.pipeline import SLOT_S, Make, simulated

NAMES = ("AAPL", "MSFT", "NVDA", "KO", "TSLA")
SLOTS_A_MINUTE = 60 // SLOT_S


class Always(deque[Answer | Callable]):
    """A queue that gives one answer to every request."""

    def popleft(self) -> Answer | Callable:
        """Return the answer without removing it."""
        return self[0]


@pytest.fixture
def yahoo() -> Iterator[FakeYahoo]:
    """A server with five shares, their charts and a pair."""
    with FakeYahoo() as server:
        server.rows = {name: quote_row(name, 244.6) for name in NAMES}
        server.rows["EURUSD=X"] = quote_row("EURUSD=X", 1.05)
        server.charts = {name: chart(name, 244.6, 240.01) for name in NAMES}
        yield server


@pytest.fixture
def make(plain_redis) -> Iterator[Make]:
    """Workers over one Redis."""
    with emptied(plain_redis) as cache, simulated(cache) as make:
        yield make


def break_nothing(_yahoo: FakeYahoo) -> None:
    """Change nothing."""


def break_crumbs(yahoo: FakeYahoo) -> None:
    """Answer the crumb page with an error page."""
    yahoo.faults[CRUMB] = Always([UPSTREAM])


def refuse_crumbs(yahoo: FakeYahoo) -> None:
    """Accept no crumb."""
    yahoo.faults[QUOTE] = Always([INVALID_CRUMB])


def remove_quotes(yahoo: FakeYahoo) -> None:
    """Remove the call for many symbols."""
    yahoo.gone.add(QUOTE)


def fail_quotes(yahoo: FakeYahoo) -> None:
    """Answer the call for many symbols with an error page."""
    yahoo.faults[QUOTE] = Always([UPSTREAM])


@pytest.mark.parametrize("limit", [6, 60])
@pytest.mark.parametrize(
    "fault", [break_nothing, break_crumbs, refuse_crumbs, remove_quotes, fail_quotes]
)
def test_yahoo_never_counts_more_than_the_limit(make, yahoo, fault, limit):
    """Two workers together never make more requests in a minute than the limit allows."""
    env = {
        "urls": {Source.YFINANCE: yahoo.url},
        "ACTIVE_SYMBOLS": ",".join((*NAMES, "EUR/USD")),
        "ALPHA_VANTAGE_API_KEY": "",
        "YAHOO_LIMITS": f"{limit}/minute",
    }
    workers = [make(**env), make(**env)]
    fault(yahoo)
    seen = []
    for slot in range(3 * SLOTS_A_MINUTE):
        workers[slot % 2].run_next()
        seen.append(len(yahoo.seen))
    for end in range(SLOTS_A_MINUTE, len(seen)):
        assert seen[end] - seen[end - SLOTS_A_MINUTE] <= limit
    assert seen[-1] > 0
    counted = workers[0].provider_status(Source.YFINANCE)["used"]["minute"]
    assert counted >= seen[-1] - seen[-SLOTS_A_MINUTE]


def test_a_cold_worker_reaches_its_quotes_with_a_tiny_budget(make, yahoo):
    """With two calls a minute a new worker gets its cookie, its crumb and then its quotes."""
    worker = make(
        urls={Source.YFINANCE: yahoo.url}, ACTIVE_SYMBOLS="AAPL", FINNHUB_API_KEY="",
        YAHOO_LIMITS="2/minute",
    )  # fmt: skip
    for _ in range(2 * SLOTS_A_MINUTE + 4):
        worker.run_next()
    assert worker.read("AAPL")["AAPL"]["source"] == "yfinance"
