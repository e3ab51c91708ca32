"""Answers of Yahoo that are errors: which error each is, and how long Yahoo is paused."""

import pytest

from marketdata.errors import BadPayloadError, RateLimitedError, UnavailableError
from marketdata.providers.contract import Parsed, Response
from marketdata.providers.yahoo import Yahoo
from tests.support.provider_support import NOW, answer, instrument


def parse(response: Response, symbol: str) -> Parsed:
    """Read an answer about one symbol."""
    return Yahoo().parse([instrument(symbol)], response, NOW)


@pytest.mark.parametrize(
    "response",
    [
        answer("Too Many Requests\r\n", 429),
        answer("Edge: Too Many Requests", 429),
        answer("Edge: Too Many Requests", 200),
        answer("", 999),
    ],
)
def test_both_rate_limit_texts_hold_yahoo_for_a_minute(response):
    """A rate limit of Yahoo without Retry-After lasts a minute."""
    with pytest.raises(RateLimitedError) as caught:
        parse(response, "AAPL")
    assert caught.value.retry_after_s == 60


def test_a_retry_after_of_yahoo_is_obeyed():
    """A rate limit of Yahoo with Retry-After lasts as long as that header says."""
    with pytest.raises(RateLimitedError) as caught:
        parse(answer("", 429, retry_after="300"), "AAPL")
    assert caught.value.retry_after_s == 300


@pytest.mark.parametrize(
    ("response", "error"),
    [
        (answer("Edge: Too Many Requests", 429), RateLimitedError),
        (answer("<html>Sorry</html>", 429, content_type="text/html"), RateLimitedError),
        (answer("<html>Sorry</html>", 403, content_type="text/html"), UnavailableError),
    ],
)
def test_an_address_that_yahoo_does_not_accept_is_named_as_that(response, error):
    """A page, or a notice of Yahoo's edge, means that Yahoo does not accept our address."""
    with pytest.raises(error, match=r"Yahoo does not accept calls from this address \(status 4"):
        parse(response, "AAPL")


@pytest.mark.parametrize("status", [401, 403, 404, 410, 500, 502, 503])
def test_no_status_of_yahoos_is_a_bad_key(status):
    """An error status of Yahoo means unavailable, because Yahoo has no key to reject."""
    with pytest.raises(UnavailableError, match=str(status)):
        parse(answer('{"finance":{}}', status), "AAPL")


@pytest.mark.parametrize(
    "response",
    [
        answer("<html>Will be right back...</html>"),
        answer('{"quoteResponse":{"result":[{"sym'),
        answer("[]"),
        answer("{}"),
        answer('{"quoteResponse":{"result":null,"error":null}}'),
        answer('{"quoteResponse":{"result":{},"error":null}}'),
        answer('{"quoteResponse":{"result":[],"error":{"code":"internal-error"}}}'),
        answer("{}", 400),
    ],
    ids=["HTML", "cut", "array", "empty", "null", "object", "error", "400"],
)
def test_what_is_not_a_v7_answer_is_a_bad_payload(response):
    """A page, half an answer or JSON of another shape is a bad payload."""
    with pytest.raises(BadPayloadError):
        parse(response, "AAPL")
