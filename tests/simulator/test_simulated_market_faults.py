"""Every fault that can be planted in the simulated market, as a client meets it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime

import pytest
import requests

from local.simulator import MarketServers
from marketdata.domain.quotes import Source
from tests.support.simulated_market import SYMBOLS, WEDNESDAY_MS, Clients, Clock, plant

MANY = dict.fromkeys(Source, "100000/minute")
UPDATE_S = dict.fromkeys(Source, 0.0)


@pytest.fixture
def clock() -> Clock:
    """The market's clock."""
    return Clock()


@pytest.fixture
def clients(clock) -> Iterator[Clients]:
    """Clients of a market without faults yet."""
    with (
        MarketServers(clock=clock, limits=MANY, update_s=UPDATE_S) as market,
        requests.Session() as session,
    ):
        clients = Clients(market, session)
        clients._crumb()
        yield clients


def price_of(clients: Clients, source: Source) -> tuple[Decimal, int]:
    """Price and time in ms of the provider's one quote."""
    body = json.loads(clients.quote(source).text, parse_float=Decimal)
    if source is Source.YFINANCE:
        row = body["quoteResponse"]["result"][0]
        return row["regularMarketPrice"], row["regularMarketTime"] * 1000
    if source is Source.FINNHUB:
        return body["c"], body["t"] * 1000
    if source is Source.COINGECKO:
        return body["bitcoin"]["usd"], body["bitcoin"]["last_updated_at"] * 1000
    if source is Source.COINMARKETCAP:
        quote = body["data"][0]["quote"][0]
        return quote["price"], _ms(quote["last_updated"])
    rate = body["Realtime Currency Exchange Rate"]
    return Decimal(rate["5. Exchange Rate"]), _ms(rate["6. Last Refreshed"] + "Z")


def _ms(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp()) * 1000


@pytest.mark.parametrize("source", Source)
def test_a_hanging_provider_never_answers(clients, source):
    """The client waits until it gives up; others are answered meanwhile."""
    plant(clients, "hang", provider=source)
    url = clients.market.base_urls[source]
    with pytest.raises(requests.Timeout):
        requests.get(url + "/ping", timeout=0.15)
    clients.market.clear()
    assert clients.quote(source).status_code == 200


@pytest.mark.parametrize("source", Source)
def test_a_refusing_provider_closes_the_connection(clients, source):
    """The connection ends without an answer, and the record says so."""
    plant(clients, "refuse", provider=source)
    with pytest.raises(requests.ConnectionError):
        clients.quote(source)
    assert clients.market.calls[source][-1].status == 0


RATE_LIMITS = {
    Source.YFINANCE: (429, "Too Many Requests\r\n"),
    Source.FINNHUB: (429, "API limit reached"),
    Source.COINGECKO: (429, '"error_code":429'),
    Source.COINMARKETCAP: (429, '"error_code":1008'),
    Source.ALPHA_VANTAGE: (200, "1 request per second"),
}


@pytest.mark.parametrize("source", Source)
def test_rate_limits_on_command(clients, source):
    """The error has the provider's words, and a Retry-After as seconds, as a date, or none."""
    status, text = RATE_LIMITS[source]
    plant(clients, "rate_limited", provider=source, retry_after=17, answers=1)
    answer = clients.quote(source)
    assert (answer.status_code, text in answer.text) == (status, True)
    assert answer.headers["retry-after"] == "17"
    plant(clients, "rate_limited", provider=source, retry_after=17, form="date", answers=1)
    when = parsedate_to_datetime(clients.quote(source).headers["retry-after"])
    assert when.timestamp() == WEDNESDAY_MS / 1000 + 17
    plant(clients, "rate_limited", provider=source, form="none", answers=1)
    assert "retry-after" not in clients.quote(source).headers
    assert clients.quote(source).status_code == 200


@pytest.mark.parametrize(
    ("source", "window", "text"),
    [
        (Source.COINMARKETCAP, "month", '"error_code":1010'),
        (Source.ALPHA_VANTAGE, "day", "25 requests per day"),
    ],
)
def test_a_rate_limit_names_the_window_of_the_fault(clients, source, window, text):
    """Where a provider says which window is spent, the fault chooses it."""
    plant(clients, "rate_limited", provider=source, window=window)
    assert text in clients.quote(source).text


def test_a_rate_limited_yahoo_gives_no_crumb(clients):
    """The 429 comes in place of the crumb too, as text that could be taken for one."""
    plant(clients, "rate_limited", provider="yfinance")
    answer = clients.get(Source.YFINANCE, "/v1/test/getcrumb")
    assert (answer.status_code, answer.text) == (429, "Too Many Requests\r\n")


def test_an_outage_does_not_look_at_crumbs(clients):
    """A failing Yahoo fails for visitors without a crumb too; broken content spares the crumb."""
    plant(clients, "status", provider="yfinance", answers=1)
    path = "/v7/finance/quote"
    assert clients.get(Source.YFINANCE, path, symbols="AAPL", crumb="wrong").status_code == 503
    plant(clients, "cut", provider="yfinance")
    assert len(clients.get(Source.YFINANCE, "/v1/test/getcrumb").text) == 11
    plant(clients, "cut", provider="yfinance", path="/v1/test/getcrumb")
    assert len(clients.get(Source.YFINANCE, "/v1/test/getcrumb").text) == 5


@pytest.mark.parametrize("source", Source)
def test_server_errors_html_and_cut_bodies(clients, source):
    """A provider can fail, show a maintenance page, or break off in two ways."""
    plant(clients, "status", provider=source, status=502, answers=1)
    assert clients.quote(source).status_code == 502
    plant(clients, "html", provider=source, answers=1)
    page = clients.quote(source)
    assert (page.status_code, page.text.startswith("<!DOCTYPE html>")) == (200, True)
    plant(clients, "cut", provider=source, answers=1)
    with pytest.raises(requests.JSONDecodeError):
        clients.quote(source).json()
    plant(clients, "cut", provider=source, close=True, answers=1)
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        clients.quote(source)
    assert clients.quote(source).status_code == 200


BAD_KEYS = {
    Source.YFINANCE: (401, "Invalid Crumb"),
    Source.FINNHUB: (401, "Invalid API key."),
    Source.COINGECKO: (401, "10002"),
    Source.COINMARKETCAP: (401, "1001"),
    Source.ALPHA_VANTAGE: (200, "apikey is invalid"),
}
PLANS = {
    Source.YFINANCE: (403, "User is unable to access this feature"),
    Source.FINNHUB: (403, "You don't have access to this resource."),
    Source.COINGECKO: (401, "10005"),
    Source.COINMARKETCAP: (403, "1006"),
    Source.ALPHA_VANTAGE: (200, "premium endpoint"),
}


@pytest.mark.parametrize(("fault", "answers"), [("bad_key", BAD_KEYS), ("not_entitled", PLANS)])
@pytest.mark.parametrize("source", Source)
def test_keys_and_plans_are_rejected_with_the_providers_texts(clients, fault, answers, source):
    """A key can go bad and a plan can end."""
    plant(clients, fault, provider=source)
    answer = clients.quote(source)
    status, text = answers[source]
    assert answer.status_code == status
    assert text in answer.text


@pytest.mark.parametrize("source", Source)
def test_empty_answers(clients, source):
    """Each provider's way to say nothing at all."""
    plant(clients, "empty", provider=source)
    body = clients.quote(source).json()
    assert body in (
        {},
        {"quoteResponse": {"result": [], "error": None}},
        {"c": 0, "d": None, "dp": None, "h": 0, "l": 0, "o": 0, "pc": 0, "t": 0},
        {"status": {"error_code": "0", "error_message": "", "credit_count": 0}, "data": []},
    )


@pytest.mark.parametrize("source", Source)
def test_a_price_that_is_not_a_number(clients, source):
    """NaN comes where the price was."""
    plant(clients, "nan", provider=source, symbol=SYMBOLS[source])
    assert "NaN" in clients.quote(source).text


@pytest.mark.parametrize("source", Source)
def test_a_stale_provider_tells_an_old_time_and_the_price_of_then(clients, source):
    """A stale answer is old, not wrong."""
    plant(clients, "stale", provider=source, age_s=7200)
    price, at_ms = price_of(clients, source)
    assert at_ms == WEDNESDAY_MS - 7_200_000
    assert clients.market.is_true(SYMBOLS[source], price, at_ms, source)


@pytest.mark.parametrize("source", Source)
def test_a_bad_tick_is_wrong_once_and_on_record(clients, source):
    """A planted price is served as often as was asked for, and is never true."""
    plant(clients, "bad_tick", provider=source, symbol=SYMBOLS[source], factor=0.01, answers=2)
    for _ in range(2):
        price, at_ms = price_of(clients, source)
        assert not clients.market.is_true(SYMBOLS[source], price, at_ms, source)
    price, at_ms = price_of(clients, source)
    assert clients.market.is_true(SYMBOLS[source], price, at_ms, source)
    assert len(clients.market.planted) == 2
    tick = clients.market.planted[0]
    assert (tick.source, tick.symbol, tick.timestamp_ms) == (source, SYMBOLS[source], WEDNESDAY_MS)


@pytest.mark.parametrize("source", Source)
def test_a_jump_is_true_at_every_provider(clients, clock, source):
    """After a jump all tell the new price, and it is the true one."""
    before, _ = price_of(clients, source)
    plant(clients, "jump", symbol=SYMBOLS[source], factor=2)
    clock.pass_s(4)
    price, at_ms = price_of(clients, source)
    assert price / before == pytest.approx(Decimal(2), rel=Decimal("0.01"))
    assert clients.market.is_true(SYMBOLS[source], price, at_ms, source)


@pytest.mark.parametrize("source", Source)
def test_a_symbol_can_become_unknown(clients, source):
    """A provider forgets one symbol, in the way in which it does not know any other."""
    plant(clients, "unknown", provider=source, symbol=SYMBOLS[source])
    text = clients.quote(source).text
    assert any(
        part in text for part in ('"result":[]', '"c":0', "{}", '"data":[]', "Invalid API call")
    )


@pytest.mark.parametrize("source", Source)
@pytest.mark.parametrize("offset_s", [120, -45])
def test_a_clock_offset_shifts_the_time_and_not_the_price(clients, source, offset_s):
    """The price is the one of now, its time is shifted, and the market knows that it is right."""
    plant(clients, "clock_offset", provider=source, offset_s=offset_s, answers=1)
    price, at_ms = price_of(clients, source)
    assert at_ms == WEDNESDAY_MS + offset_s * 1000
    assert clients.market.is_true(SYMBOLS[source], price, at_ms, source)
    assert not clients.market.is_true(SYMBOLS[source], price * 2, at_ms, source)
    assert price_of(clients, source) == (price, WEDNESDAY_MS)


LABELS = {
    Source.YFINANCE: lambda body: body["quoteResponse"]["result"][0]["currency"],
    Source.COINGECKO: lambda body: min(set(body["bitcoin"]) - {"last_updated_at"}),
    Source.COINMARKETCAP: lambda body: body["data"][0]["quote"][0]["symbol"],
    Source.ALPHA_VANTAGE: lambda body: body["Realtime Currency Exchange Rate"][
        "3. To_Currency Code"
    ],
}


@pytest.mark.parametrize(("oddity", "label"), [("unknown_unit", "XX"), ("other_currency", "EUR")])
@pytest.mark.parametrize("source", LABELS)
def test_an_odd_row_has_another_label(clients, source, oddity, label):
    """The price comes in a unit that does not exist, or in a currency that was not asked for."""
    plant(clients, "odd_row", provider=source, symbol=SYMBOLS[source], oddity=oddity)
    assert LABELS[source](clients.quote(source).json()).upper() == label


def test_the_numbers_of_an_odd_row_are_in_its_unit(clients):
    """A service that ignores the label would have a wrong price."""
    plant(clients, "odd_row", provider="yfinance", symbol="AAPL", oddity="unknown_unit")
    price, at_ms = price_of(clients, Source.YFINANCE)
    assert not clients.market.is_true("AAPL", price, at_ms, Source.YFINANCE)


@pytest.mark.parametrize("source", Source)
def test_an_odd_row_can_be_without_a_price(clients, source):
    """Each provider has its own way to leave out a price."""
    plant(clients, "odd_row", provider=source, symbol=SYMBOLS[source], oddity="no_price", answers=1)
    body = clients.quote(source).json()
    found = {
        Source.YFINANCE: lambda: body["quoteResponse"]["result"][0].get("regularMarketPrice"),
        Source.FINNHUB: lambda: body["c"],
        Source.COINGECKO: lambda: body["bitcoin"]["usd"],
        Source.COINMARKETCAP: lambda: body["data"][0]["quote"][0]["price"],
        Source.ALPHA_VANTAGE: lambda: body["Realtime Currency Exchange Rate"]["5. Exchange Rate"],
    }[source]()
    assert found in (None, "-")
    assert price_of(clients, source)[0] > 0


def test_an_odd_row_can_come_twice(clients):
    """Yahoo and CoinMarketCap send a second row that is years old, before the live one."""
    for source in ("yfinance", "coinmarketcap"):
        symbol = SYMBOLS[Source(source)]
        plant(clients, "odd_row", provider=source, symbol=symbol, oddity="doubled")
    dead, live = clients.quote(Source.YFINANCE).json()["quoteResponse"]["result"]
    assert dead["symbol"] == live["symbol"]
    assert dead["regularMarketTime"] < live["regularMarketTime"] - 86_400
    assert dead["regularMarketPrice"] != live["regularMarketPrice"]
    old, new = clients.quote(Source.COINMARKETCAP).json()["data"]
    assert old["id"] == new["id"]
    assert old["last_updated"] < new["last_updated"]


@pytest.mark.parametrize(("kind", "factor"), [("crash", 0.62), ("pump", 1.6)])
def test_a_crash_and_a_pump_go_on_at_every_provider(clients, clock, kind, factor):
    """The price is multiplied at each step, stops after the last one, and is true throughout."""
    before = float(clients.market.price("BTC-USD", WEDNESDAY_MS))
    plant(clients, kind, symbol="BTC-USD", steps=4, every_s=10)
    for step in (1, 2, 3, 4, 4, 4):
        for source in (Source.COINGECKO, Source.COINMARKETCAP):
            price, at_ms = price_of(clients, source)
            assert float(price) == pytest.approx(before * factor**step, rel=0.02)
            assert clients.market.is_true("BTC-USD", price, at_ms, source)
        clock.pass_s(10)
