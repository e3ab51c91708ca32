"""One request for each kind of problem."""

import pytest
from starlette.exceptions import HTTPException

from marketdata.api.problems import KINDS
from marketdata.cache.client import connect
from marketdata.domain.outcomes import MissingQuote, Reason
from marketdata.domain.symbols import AssetClass
from marketdata.settings import Settings
from tests.support.api_service import Service, quote

MEMBERS = {"type", "title", "status", "detail", "code", "instance"}


@pytest.fixture
def service(cache):
    """A service in which every symbol but AAPL has an error."""
    service = Service(cache)
    service.price("AAPL")
    service.price("MSFT", age_s=60)
    service.stores.quotes.put([quote("MSFT", service.now_ms, "18250")], service.now_ms)
    missing = [
        MissingQuote("NOSUCH", Reason.NOT_FOUND, "yfinance: no quote for NOSUCH"),
        MissingQuote("SPENT", Reason.BUDGET_EXHAUSTED, "yfinance: no call left"),
        MissingQuote("DOWN", Reason.PROVIDER_UNAVAILABLE, "yfinance: breaker open"),
    ]
    service.stores.quotes.explain(missing)
    service.list_assets(AssetClass.CRYPTO, ["BTC-USD", "ETH-USD"])

    def raising(error):
        def endpoint(request):
            raise error

        return endpoint

    service.app.add_route("/boom", raising(RuntimeError("boom")))
    service.app.add_route("/teapot", raising(HTTPException(418)))
    return service


# One request for each code.
TARGETS = {
    "invalid_parameter": "/v1/quotes?symbols=AAPL&max_age=x",
    "unknown_parameter": "/v1/quotes?symbol=AAPL",
    "too_many_symbols": "/v1/quotes?symbols=" + ",".join(f"S{n}" for n in range(101)),
    "invalid_cursor": "/v1/assets/crypto?cursor=x",
    "bad_request": "/teapot",
    "no_such_route": "/v1/assets/bonds",
    "unknown_cursor": "/v1/assets/crypto?cursor=WyJj" + "A" * 40,
    "internal_error": "/boom",
    "invalid_symbol": "/v1/quotes/A*B",
    "not_found": "/v1/quotes/NOSUCH",
    "pending": "/v1/quotes/TSLA",
    "stale": "/v1/quotes/AAPL?max_age=0",
    "quarantined": "/v1/quotes/MSFT?max_age=30",
    "budget_exhausted": "/v1/quotes/SPENT",
    "provider_unavailable": "/v1/quotes/DOWN",
}
# Codes that need more than a target.
OTHERS = {
    "method_not_allowed", "payload_too_large", "cursor_expired",
    "cache_unavailable",
}  # fmt: skip


def check(reply, code):
    """Assert that a reply is a problem with this code that names nothing internal."""
    assert reply.headers["content-type"] == "application/problem+json"
    problem = reply.json
    assert problem["code"] == code
    assert set(problem) - {"retry_after", "suggestions"} == MEMBERS
    assert (problem["status"], problem["title"]) == (KINDS[code].status, KINDS[code].title)
    assert problem["status"] == reply.status
    for inside in ("Traceback", "marketdata.", "boom", "redis", "Redis"):
        assert inside not in problem["detail"]


def test_every_kind_of_problem_has_a_request():
    """Each kind of problem has a test in this file."""
    assert {*TARGETS, *OTHERS} == set(KINDS)


@pytest.mark.parametrize("code", TARGETS)
def test_a_request_leads_to_each_problem(service, code):
    """The body of each problem has the common shape, and the status and title of its kind."""
    if code == "stale":
        service.now_ms += 5_000
    check(service.get(TARGETS[code]), code)


def test_a_wrong_method_and_a_large_body_are_problems(service):
    """A wrong method and a large body have problems of their own."""
    check(service.get("/health", "DELETE"), "method_not_allowed")
    check(service.get("/health", content_length="99999"), "payload_too_large")


def test_a_page_of_a_list_that_is_gone_is_a_problem(service, cache):
    """The next page of a deleted list is `cursor_expired`, also in a search."""
    for target in ("/v1/assets/crypto?limit=1", "/v1/assets/crypto?limit=1&q=usd"):
        service.list_assets(AssetClass.CRYPTO, ["BTC-USD", "ETH-USD"])
        cursor = service.get(target).json["next_cursor"]
        fresh = Service(cache)  # has no index of its own
        for part in ("rows", "index"):
            cache.command("UNLINK", cache.key("assets:crypto", "v1", part))
        check(fresh.get(f"{target}&cursor={cursor}"), "cursor_expired")


def test_a_cache_that_is_gone_is_a_problem(redis_server):
    """A request for data without Redis is `cache_unavailable`."""
    service = Service(connect(Settings.from_env(redis_server.env()), caller_time=True))
    redis_server.kill()
    check(service.get("/v1/quotes?symbols=AAPL"), "cache_unavailable")
