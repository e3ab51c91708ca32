"""Connections to the providers are used by many invocations; a proxy counts them."""

from __future__ import annotations

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

from local.simulator import MarketServers
from marketdata.clock import wall_ms
from marketdata.composition import MOST_CALLS_AT_ONCE
from marketdata.domain.messages import Job
from marketdata.domain.quotes import Source
from marketdata.prices.fetching import Clock, Fetcher
from marketdata.providers.registry import make_provider, make_sender
from marketdata.settings import ENV_PREFIXES, Settings
from tests.support.jobs import granted
from tests.support.running_service import doors_to

INVOCATIONS = 20
KEYS = {f"{ENV_PREFIXES[source]}_API_KEY": "planted" for source in Source}
PLENTY = dict.fromkeys(Source, "10000/minute")
# The symbols that each provider is asked for, and the number of calls at once.
ASKED = {
    Source.YFINANCE: ("stocks", {"AAPL": {}, "MSFT": {}}, 1),
    Source.FINNHUB: ("stocks", {"AAPL": {}, "MSFT": {}}, 2),
    Source.COINGECKO: ("crypto", {"BTC-USD": {"coingecko": "bitcoin"}}, 1),
    Source.COINMARKETCAP: ("crypto", {"BTC-USD": {"coinmarketcap": "1"}}, 1),
    Source.ALPHA_VANTAGE: ("forex", {"EUR/USD": {}, "GBP/USD": {}}, 2),
}


def job_for(source: Source) -> Job:
    """Return a job that asks one provider."""
    asset_class, symbols, calls = ASKED[source]
    job = {
        "asset_class": asset_class,
        "deadline_ms": wall_ms() + 20_000,
        "instruments": [{"symbol": symbol, "ids": ids} for symbol, ids in symbols.items()],
        "attempts": [granted(source, calls)],
        "id": "1763820310-0-t1",
        "slot": 1763820310,
    }
    return Job.model_validate(job)


def test_invocations_share_their_connections():
    """Twenty invocations open as many connections to a provider as one has calls at once."""
    with ExitStack() as stack:
        market = stack.enter_context(MarketServers(limits=PLENTY))
        doors, env = doors_to(market, stack)
        settings = Settings.from_env({**env, **KEYS})
        senders = {source: make_sender(source, settings) for source in Source}
        fetcher = Fetcher(
            lambda source: make_provider(source, settings),
            senders.__getitem__,
            stack.enter_context(ThreadPoolExecutor(MOST_CALLS_AT_ONCE)),
            Clock(wall_ms, time.monotonic),
        )
        for source in set(Source) - {Source.YFINANCE}:
            stack.callback(senders[source].close)
        for _ in range(INVOCATIONS):
            for source, (_, symbols, _) in ASKED.items():
                assert len(fetcher.fetch(job_for(source)).quotes) == len(symbols), source
        asked = Counter({s: sum(c.kind == "quote" for c in market.calls[s]) for s in Source})
        assert asked == {s: INVOCATIONS * calls for s, (_, _, calls) in ASKED.items()}
        opened = {source: door.connections for source, door in doors.items()}
    # curl keeps a connection for each thread, and these jobs use at most two threads.
    assert opened.pop(Source.YFINANCE) <= 2
    assert opened == {source: ASKED[source][2] for source in opened}
