"""The simulated market counts calls as the real providers do, with their error texts."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests

from local.simulator import MarketServers
from marketdata.domain.quotes import Source
from tests.support.simulated_market import QUOTE_CALLS, WEDNESDAY_MS, Clients

LISTING = {"function": "LISTING_STATUS"}
LIMITS = dict.fromkeys(Source, "3/minute,4/day") | {Source.ALPHA_VANTAGE: "3/day,1/second"}


@pytest.fixture
def clients(clock) -> Iterator[Clients]:
    """Clients of a market with small limits."""
    with MarketServers(clock=clock, limits=LIMITS) as market, requests.Session() as session:
        yield Clients(market, session)


LIMIT_ERRORS = {
    Source.YFINANCE: (429, "Too Many Requests\r\n"),
    Source.FINNHUB: (429, "API limit reached"),
    Source.COINGECKO: (429, "You've exceeded the Rate Limit"),
    Source.COINMARKETCAP: (429, '"error_code":1008'),
}


@pytest.mark.parametrize("source", LIMIT_ERRORS)
def test_a_minute_admits_its_limit_and_no_more(clients, clock, source):
    """The call beyond a limit gets an error until the oldest one is a minute old."""
    assert [clients.quote(source).status_code for _ in range(3)] == [200] * 3
    status, text = LIMIT_ERRORS[source]
    answer = clients.quote(source)
    assert answer.status_code == status
    assert text in answer.text
    clock.pass_s(59.999)
    assert clients.quote(source).status_code == 429
    clock.pass_s(0.001)
    assert clients.quote(source).status_code == 200
    assert clients.market.violations[source] == 2
    assert clients.market.peak(source) == {"minute": 5, "day": 6}
    assert clients.market.quotas[source].used("day", clock()) == 4


def test_errors_carry_the_headers_of_their_provider(clients, clock):
    """CoinGecko's 429 has Retry-After, Finnhub's has the time of the reset, others neither."""
    for source in LIMIT_ERRORS:
        for _ in range(3):
            clients.quote(source)
    assert clients.quote(Source.COINGECKO).headers["retry-after"] == "60"
    finnhub = clients.quote(Source.FINNHUB).headers
    assert finnhub["x-ratelimit-remaining"] == "0"
    assert int(finnhub["x-ratelimit-reset"]) == WEDNESDAY_MS // 1000 + 61
    for source in (Source.YFINANCE, Source.COINMARKETCAP):
        assert "retry-after" not in clients.quote(source).headers


def test_a_used_up_day_is_named_as_a_day(clients, clock):
    """A spent day has its own code at CoinMarketCap, and a long Retry-After at CoinGecko."""
    for source in (Source.COINMARKETCAP, Source.COINGECKO):
        for _ in range(4):
            clients.quote(source)
            clock.pass_s(30)
    assert '"error_code":1009' in clients.quote(Source.COINMARKETCAP).text
    assert int(clients.quote(Source.COINGECKO).headers["retry-after"]) == 86_400 - 120


def test_alpha_vantage_rejects_calls_with_status_200(clients, clock):
    """Alpha Vantage answers a burst and a spent day with status 200 and `Information`."""
    source = Source.ALPHA_VANTAGE
    assert "Realtime Currency Exchange Rate" in clients.quote(source).json()
    burst = clients.quote(source)
    assert (burst.status_code, "1 request per second" in burst.json()["Information"]) == (200, True)
    assert clients.get(source, "/query", **LISTING).text.splitlines()[1] == "I,n,f,o,r,m,a"
    for _ in range(2):
        clock.pass_s(1)
        clients.quote(source)
    clock.pass_s(1)
    daily = clients.quote(source).json()["Information"]
    assert "25 requests per day" in daily
    assert "goodkey" in daily


def test_cookies_crumbs_and_bad_keys_use_no_quota(clients):
    """Cookies, crumbs, calls with a bad key and key/info use no quota."""
    for _ in range(5):
        clients.crumb = ""
        clients._crumb()
        url = clients.market.base_urls[Source.COINMARKETCAP] + QUOTE_CALLS[Source.COINMARKETCAP][0]
        assert requests.get(url, timeout=5).status_code == 401
        assert clients.get(Source.COINMARKETCAP, "/v1/key/info").status_code == 200
    assert set(clients.market.violations.values()) == {0}
    assert clients.market.peak(Source.COINMARKETCAP) == {"minute": 0, "day": 0}


def test_every_call_is_recorded(clients, clock):
    """The record of a call has its time, its kind, its status and its number of symbols."""
    path = QUOTE_CALLS[Source.YFINANCE][0]
    clients.get(Source.YFINANCE, path, symbols="AAPL,MSFT,EURUSD=X")
    clock.pass_s(1)
    clients.get(Source.YFINANCE, path, symbols="AAPL", crumb="wrong")
    assert [tuple(call) for call in clients.market.calls[Source.YFINANCE]] == [
        (WEDNESDAY_MS, "cookie", 404, 0),
        (WEDNESDAY_MS, "crumb", 200, 0),
        (WEDNESDAY_MS, "quote", 200, 3),
        (WEDNESDAY_MS + 1000, "quote", 401, 1),
    ]


def test_free_prices_move_once_a_minute_paid_ones_at_once(clock):
    """CoinGecko's free price is a minute's, and one with a shorter period changes sooner."""

    def times_of(market: MarketServers) -> list[int]:
        times = []
        with requests.Session() as session:
            for _ in range(3):
                bitcoin = Clients(market, session).quote(Source.COINGECKO).json()["bitcoin"]
                times.append(bitcoin["last_updated_at"] - WEDNESDAY_MS // 1000)
                clock.pass_s(30)
        clock.now_ms = WEDNESDAY_MS
        return times

    with MarketServers(clock=clock) as market:
        assert times_of(market) == [0, 0, 60]
    with MarketServers(clock=clock, update_s={Source.COINGECKO: 5}) as market:
        assert times_of(market) == [0, 30, 60]
