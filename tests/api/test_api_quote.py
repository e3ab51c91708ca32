"""One quote over HTTP."""

import pytest

from marketdata.domain.outcomes import Reason
from tests.support.api_service import Service


@pytest.mark.parametrize("path", ["EUR/USD", "EUR%2FUSD", "EUR%252FUSD", "eur-usd", "EURUSD=X"])
def test_one_quote_is_found_by_any_spelling(cache, path):
    """A quote is found by each spelling, also with a slash in the path."""
    service = Service(cache)
    service.price("EUR/USD", price="1.0812")
    reply = service.get(f"/v1/quotes/{path}")
    assert reply.status == 200
    assert (reply.json["symbol"], reply.json["price"]) == ("EUR/USD", 1.0812)
    assert reply.headers["etag"]


@pytest.mark.parametrize(
    ("reason", "status"),
    [
        (Reason.NOT_FOUND, 404),
        (Reason.BUDGET_EXHAUSTED, 503),
        (Reason.PROVIDER_UNAVAILABLE, 503),
    ],
)
def test_one_missing_quote_is_a_problem_with_the_reason(cache, reason, status):
    """The code of the problem is the stored reason."""
    service = Service(cache)
    service.explain("AAPL", reason, 42)
    reply = service.get("/v1/quotes/AAPL")
    assert (reply.status, reply.json["code"]) == (status, reason.value)
    assert (reply.json["detail"], reply.json["retry_after"]) == ("why AAPL", 42)
    assert reply.headers["retry-after"] == "42"


def test_one_untracked_symbol_is_pending_and_watched(cache):
    """A request for an unwatched symbol gets `pending` with Retry-After, and starts the watch."""
    service = Service(cache)
    reply = service.get("/v1/quotes/TSLA")
    assert (reply.status, reply.json["code"]) == (404, "pending")
    assert reply.headers["retry-after"] == "5"
    assert service.watched() == {"TSLA"}


def test_one_quote_may_be_too_old(cache):
    """A quote that is older than `max_age` is a problem."""
    service = Service(cache)
    service.price("AAPL", age_s=61)
    assert service.get("/v1/quotes/AAPL?max_age=61").status == 200
    reply = service.get("/v1/quotes/AAPL?max_age=60")
    assert (reply.status, reply.json["code"]) == (503, "stale")


@pytest.mark.parametrize(
    "path", ["", "%00", "..%2f..%2fetc%2fpasswd", "A*B", "%F0%9F%9A%80", "A" * 21]
)
def test_one_invalid_symbol_is_a_problem(cache, path):
    """An invalid symbol gets 400, and the detail names accepted spellings."""
    service = Service(cache)
    reply = service.get(f"/v1/quotes/{path}")
    assert (reply.status, reply.json["code"]) == (400, "invalid_symbol")
    assert "AAPL" in reply.json["detail"]
