"""The real yfinance with the simulated market: a session rewrites the hosts of Yahoo."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest
import yfinance
from curl_cffi import requests
from yfinance.data import YfData

from local.simulator import MarketServers
from marketdata.domain.quotes import Source
from tests.support.simulated_market import WEDNESDAY_MS, Clock
from tests.support.yahoo_calls import forget_yfinance


class RewritingSession(requests.Session):
    """Sends requests for any host of Yahoo to one origin, with that host's name as Host."""

    def __init__(self, origin: str) -> None:
        super().__init__(impersonate="chrome")
        self._origin = urlsplit(origin)

    def request(self, method: str, url: str, **options: Any) -> requests.Response:
        parts = urlsplit(url)
        headers = {**(options.pop("headers", None) or {}), "Host": parts.netloc}
        target = urlunsplit((*self._origin[:2], parts.path or "/", parts.query, ""))
        return super().request(method, target, headers=headers, **options)


@pytest.fixture
def market() -> Iterator[MarketServers]:
    """A market whose clock stands still on a Wednesday."""
    with MarketServers(clock=Clock()) as market:
        yield market


@pytest.fixture
def session(market, tmp_path) -> Iterator[RewritingSession]:
    """A session of a yfinance as in a new process."""
    forget_yfinance(tmp_path)
    session = RewritingSession(market.base_urls[Source.YFINANCE])
    yield session
    session.close()
    forget_yfinance(tmp_path)


def test_one_batch_of_quotes(market, session):
    """One call prices all symbols, after those for the cookie and the crumb."""
    answer = YfData(session=session).get_raw_json(
        "https://query1.finance.yahoo.com/v7/finance/quote",
        params={"symbols": "AAPL,BRK-B,EURUSD=X,NOPE123", "formatted": "false"},
    )
    rows = {row["symbol"]: row for row in answer["quoteResponse"]["result"]}
    assert set(rows) == {"AAPL", "BRK-B", "EURUSD=X"}
    price, at_ms = market.truth("AAPL", WEDNESDAY_MS)
    assert rows["AAPL"]["regularMarketPrice"] == float(price)
    assert rows["AAPL"]["regularMarketTime"] * 1000 == at_ms
    kinds = Counter(call.kind for call in market.calls[Source.YFINANCE])
    assert (kinds["crumb"], kinds["quote"]) == (1, 1)


@pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning")
def test_the_public_price_of_one_symbol(market, session):
    """The public call of yfinance for one symbol gives the market's price."""
    ticker = yfinance.Ticker("AAPL", session=session)
    price, _ = market.truth("AAPL", WEDNESDAY_MS)
    assert ticker.fast_info.last_price == float(price)
    assert ticker.fast_info.currency == "USD"
    assert len(ticker.history(period="5d")) == 5


def test_the_screener_lists_us_stocks(session):
    """A custom query pages through the US stocks, the biggest first."""
    query = yfinance.EquityQuery("eq", ["region", "us"])
    page = yfinance.screen(
        query, offset=0, size=250, sortField="intradaymarketcap", session=session
    )
    total = page["total"]
    assert total > 2_400
    assert len(page["quotes"]) == 250
    assert page["quotes"][0]["symbol"] == "AAPL"
    rest = yfinance.screen(query, offset=total - 6, size=250, session=session)
    assert len(rest["quotes"]) == 6
    known = yfinance.screen("most_actives", count=5, session=session)
    assert [len(known["quotes"]), known["count"]] == [5, 5]


def test_a_rate_limited_crumb_poisons_yfinance(market, session):
    """By itself yfinance keeps the text of a 429 in place of a crumb."""
    market.control("rate_limited", provider="yfinance", path="/v1/test/getcrumb", answers=1)
    data = YfData(session=session)
    with pytest.raises(yfinance.exceptions.YFRateLimitError):
        data._get_cookie_and_crumb()
    assert data._crumb == "Too Many Requests\r\n"
