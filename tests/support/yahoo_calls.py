"""Calls through the real yfinance, as the tests of Yahoo's sender make and read them."""

from collections.abc import Callable
from pathlib import Path

import pytest
import yfinance
from yfinance import cache
from yfinance.data import SingletonMeta, YfData

from marketdata.clock import parse_utc
from marketdata.domain.catalogue import Instrument
from marketdata.domain.symbols import parse_symbol
from marketdata.errors import UnavailableError
from marketdata.providers.contract import CallAllowance, Response
from marketdata.providers.yahoo import Yahoo
from marketdata.providers.yahoo_session import YahooSender
from tests.support.fake_yahoo import (
    QUOTE,
    FakeYahoo,
)

NOW = parse_utc("2026-01-05T15:00:05Z")
LONG_S = 30.0
MANY = 50  # more HTTP requests than any call of a test needs


def forget_yfinance(folder: Path) -> None:
    """Reset yfinance to the state of a new process; otherwise it keeps cookies and answers."""
    YfData.cache_get.cache_clear()
    SingletonMeta._instances.clear()
    cache._TzCacheManager._tz_cache = None
    yfinance.config.network.proxy = None
    yfinance.set_tz_cache_location(str(folder))


def batch(*symbols: str) -> list[Instrument]:
    """Shares."""
    return [Instrument(parse_symbol(symbol)) for symbol in symbols]


def ask(
    sender: YahooSender, *symbols: str, timeout_s: float = LONG_S, calls: int = MANY
) -> Response:
    """The answer for shares, AAPL and MSFT if none are named, within so many HTTP requests."""
    request = Yahoo().build_request(batch(*(symbols or ("AAPL", "MSFT"))))
    return sender.send(request, timeout_s, CallAllowance(calls))


def prices(response: Response, *symbols: str) -> dict[str, str]:
    """The prices in an answer, by symbol."""
    parsed = Yahoo().parse(batch(*(symbols or ("AAPL", "MSFT"))), response, NOW)
    return {quote.symbol: str(quote.price) for quote in parsed.quotes}


def crumbs(yahoo: FakeYahoo) -> set[str | None]:
    """All crumbs that were sent."""
    return {seen.query.get("crumb") for seen in yahoo.seen if seen.path == QUOTE}


def failure_of(call: Callable[[], object]) -> str:
    """The message of a call that fails."""
    with pytest.raises(UnavailableError) as caught:
        call()
    return str(caught.value)
