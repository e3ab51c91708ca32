"""A server in place of Yahoo, a sender for it, and a yfinance that is reset after each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from marketdata.providers.yahoo_session import YahooSender
from tests.support.fake_yahoo import (
    QUOTE,
    FakeYahoo,
    chart,
    quote_row,
)
from tests.support.yahoo_calls import forget_yfinance


@pytest.fixture(autouse=True)
def new_process(tmp_path: Path) -> Iterator[None]:
    """Reset yfinance after each test."""
    yield
    forget_yfinance(tmp_path)


@pytest.fixture
def yahoo() -> Iterator[FakeYahoo]:
    """A server with two shares."""
    with FakeYahoo() as server:
        server.rows = {"AAPL": quote_row("AAPL", 244.6), "MSFT": quote_row("MSFT", 410.5)}
        yield server


@pytest.fixture
def sender(yahoo: FakeYahoo) -> YahooSender:
    """A sender with yfinance loaded, before its first request."""
    sender = YahooSender(yahoo.url)
    sender.warm()
    return sender


@pytest.fixture
def new_sender(yahoo: FakeYahoo) -> tuple[list[float], YahooSender]:
    """A clock that the test moves, in its only element, and a sender that reads it."""
    now = [1000.0]
    return now, YahooSender(yahoo.url, clock=lambda: now[0])


@pytest.fixture
def charts(yahoo: FakeYahoo) -> FakeYahoo:
    """A server whose batch path is gone."""
    yahoo.gone.add(QUOTE)
    yahoo.charts = {
        "AAPL": chart("AAPL", 244.87, 240.01),
        "MSFT": chart("MSFT", 410.5, 400.0, regularMarketTime=None),
    }
    return yahoo
