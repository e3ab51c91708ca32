"""Connections to providers outlive an invocation: the real handlers' parts, and counted doors."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from functools import cache

from local.market import MarketServers
from marketdata.bootstrap import MOST_CALLS_AT_ONCE, wall_ms
from marketdata.fetching import Clock, Fetcher
from marketdata.providers.registry import make_provider, make_sender
from marketdata.quotes import Source
from marketdata.settings import ENV_PREFIXES, Settings
from tests.redis_servers import Doorway

INVOCATIONS = 20
KEYS = {f"{ENV_PREFIXES[source]}_API_KEY": "planted" for source in Source}
JOBS = {
    Source.YFINANCE: ("stocks", {"AAPL": {}, "MSFT": {}, "GOOGL": {}}),
    Source.FINNHUB: ("stocks", {"AAPL": {}, "MSFT": {}, "GOOGL": {}}),
    Source.COINGECKO: ("crypto", {"BTC-USD": {"coingecko": "bitcoin"}}),
    Source.COINMARKETCAP: ("crypto", {"BTC-USD": {"coinmarketcap": "1"}}),
    Source.ALPHA_VANTAGE: ("forex", {"EUR/USD": {}, "GBP/USD": {}}),
}
