"""Faults of whole answers in the simulated market: no answer, errors, pages, cut bodies."""

from __future__ import annotations

from email.utils import parsedate_to_datetime

import pytest
import requests

from marketdata.domain.quotes import Source
from tests.support.simulated_market import WEDNESDAY_MS, plant


@pytest.mark.parametrize("source", Source)
def test_a_hanging_provider_never_answers(clients, source):
    """A provider that hangs gives no answer until the fault is cleared."""
    plant(clients, "hang", provider=source)
    url = clients.market.base_urls[source]
    with pytest.raises(requests.Timeout):
        requests.get(url + "/ping", timeout=0.15)
    clients.market.clear()
    assert clients.quote(source).status_code == 200


@pytest.mark.parametrize("source", Source)
def test_a_refusing_provider_closes_the_connection(clients, source):
    """A provider that refuses closes the connection without an answer, which is recorded as 0."""
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
def test_a_planted_rate_limit(clients, source):
    """A planted rate limit has the provider's text, and Retry-After in each of its forms."""
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
    """The window of a planted rate limit is named in the text of the provider."""
    plant(clients, "rate_limited", provider=source, window=window)
    assert text in clients.quote(source).text


def test_a_rate_limited_yahoo_gives_no_crumb(clients):
    """A rate-limited Yahoo answers the request for a crumb with the text of its 429."""
    plant(clients, "rate_limited", provider="yfinance")
    answer = clients.get(Source.YFINANCE, "/v1/test/getcrumb")
    assert (answer.status_code, answer.text) == (429, "Too Many Requests\r\n")


def test_an_outage_comes_before_the_check_of_the_crumb(clients):
    """An outage fails every request, and a cut body applies to a crumb only by its own path."""
    plant(clients, "status", provider="yfinance", answers=1)
    path = "/v7/finance/quote"
    assert clients.get(Source.YFINANCE, path, symbols="AAPL", crumb="wrong").status_code == 503
    plant(clients, "cut", provider="yfinance")
    assert len(clients.get(Source.YFINANCE, "/v1/test/getcrumb").text) == 11
    plant(clients, "cut", provider="yfinance", path="/v1/test/getcrumb")
    assert len(clients.get(Source.YFINANCE, "/v1/test/getcrumb").text) == 5


@pytest.mark.parametrize("source", Source)
def test_server_errors_html_and_cut_bodies(clients, source):
    """A provider can give an error status, a page, or a body that is cut in two ways."""
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
    """A bad key and too small a plan have the texts of each provider."""
    plant(clients, fault, provider=source)
    answer = clients.quote(source)
    status, text = answers[source]
    assert answer.status_code == status
    assert text in answer.text


@pytest.mark.parametrize("source", Source)
def test_empty_answers(clients, source):
    """With the fault `empty` each provider has its own answer without any price."""
    plant(clients, "empty", provider=source)
    body = clients.quote(source).json()
    assert body in (
        {},
        {"quoteResponse": {"result": [], "error": None}},
        {"c": 0, "d": None, "dp": None, "h": 0, "l": 0, "o": 0, "pc": 0, "t": 0},
        {"status": {"error_code": "0", "error_message": "", "credit_count": 0}, "data": []},
    )
