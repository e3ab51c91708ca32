"""`sam local start-api` over HTTP, while `make start` fills the same Redis."""

from __future__ import annotations

import gzip
import json

import pytest
import requests

from tests.sam_local.conftest import ACTIVE
from tests.support.running_service import RunningService, eventually


@pytest.fixture(scope="module")
def full(api, engine, tmp_path_factory):
    """The API, once the service on this machine has filled the Redis that both use."""
    engine.empty_redis()
    home = tmp_path_factory.mktemp("home")
    where = {"REDIS_HOST": "127.0.0.1", "REDIS_PORT": str(engine.redis_port), "REDIS_PREFIX": "mda"}
    with RunningService(home, ACTIVE_SYMBOLS=ACTIVE, **where) as service:
        service.ready()
        eventually(lambda: is_full(api), "every price and every list")
        yield api


def is_full(api) -> bool:
    """Return whether all prices and a list of each class are there."""
    return api.get("/health").status_code == 200 and len(quotes(api)) == len(ACTIVE.split(","))


def quotes(api) -> list[str]:
    """Return the active symbols that have a quote."""
    answer = api.get(f"/v1/quotes?symbols={ACTIVE}")
    return [quote["symbol"] for quote in answer.json().get("quotes", ())]


def test_quotes_come_in_the_order_asked_for(full):
    """Each symbol is once in `quotes` or in `errors`, in the order asked for."""
    answer = full.get("/v1/quotes?symbols=EUR/USD,NOPE123,AAPL,btc-usd")
    assert answer.status_code == 200
    payload = answer.json()
    assert [quote["symbol"] for quote in payload["quotes"]] == ["EUR/USD", "AAPL", "BTC-USD"]
    assert [error["symbol"] for error in payload["errors"]] == ["NOPE123"]
    assert not [quote for quote in payload["quotes"] if quote["stale"]]


@pytest.mark.parametrize("spelled", ["EUR%2FUSD", "EUR/USD", "EURUSD=X"])
def test_a_pair_is_found_by_each_of_its_spellings(full, spelled):
    """A pair is found by each spelling, also with an encoded slash in the path."""
    answer = full.get(f"/v1/quotes/{spelled}")
    assert (answer.status_code, answer.json()["symbol"]) == (200, "EUR/USD")


@pytest.mark.parametrize("asset_class", ["stocks", "crypto", "forex"])
def test_assets_are_listed_and_paged(full, asset_class):
    """Two pages have different assets, and the list has its total."""
    first = full.get(f"/v1/assets/{asset_class}?limit=5").json()
    second = full.get(f"/v1/assets/{asset_class}?limit=5&cursor={first['next_cursor']}").json()
    symbols = [asset["symbol"] for page in (first, second) for asset in page["assets"]]
    assert len(set(symbols)) == 10 < first["total"]


def test_providers_say_which_were_asked(full):
    """Each of the five providers is listed with its budget, and Yahoo has answered."""
    payload = {entry["provider"]: entry for entry in full.get("/v1/providers").json()["providers"]}
    assert len(payload) == 5
    assert payload["yfinance"]["budget"]
    assert any(entry["last_success"] for entry in payload["yfinance"]["classes"])


def test_health_is_good(full):
    """The service is healthy or degraded, and Redis is reachable."""
    payload = full.get("/health").json()
    assert payload["status"] in {"healthy", "degraded"}
    assert payload["redis"]["reachable"]


def test_head_has_the_headers_and_no_body(full):
    """HEAD has the ETag of GET and no body."""
    head, whole = full.get("/v1/assets/forex", "HEAD"), full.get("/v1/assets/forex")
    assert head.status_code == 200
    assert head.headers["ETag"] == whole.headers["ETag"]
    assert not head.content


def test_a_known_tag_is_answered_with_304(full):
    """A request with the current tag of the list gets 304 without a body."""
    tag = full.get("/v1/assets/forex").headers["ETag"]
    again = full.get("/v1/assets/forex", If_None_Match=tag)
    assert (again.status_code, again.content) == (304, b"")


def test_a_long_answer_is_compressed_for_clients_that_accept_gzip(full):
    """A long answer is gzip on the wire, if the client accepts gzip."""
    url = f"http://127.0.0.1:{full.port}/v1/assets/crypto?limit=50"
    plain = full.get("/v1/assets/crypto?limit=50", Accept_Encoding="identity")
    with requests.get(url, headers={"Accept-Encoding": "gzip"}, stream=True, timeout=30) as answer:
        raw = answer.raw.read(decode_content=False)
    assert answer.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(raw) == plain.content
    assert len(raw) < len(plain.content) / 2


def test_a_wrong_request_gets_an_error_that_names_it(full):
    """A problem body names the parameter and what is allowed."""
    answer = full.get("/v1/quotes?symbol=AAPL")
    assert answer.status_code == 400
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert "symbol" in answer.json()["detail"]


def test_an_unknown_path_is_answered_by_the_function(full):
    """An unknown path gets a problem body of the api, not an error of SAM."""
    answer = full.get("/v2/nothing/here")
    assert (answer.status_code, answer.json()["code"]) == (404, "no_such_route")


def test_the_board_and_the_documentation_are_pages(full):
    """The board and the documentation are HTML pages."""
    for path in ("/", "/docs"):
        answer = full.get(path)
        assert answer.status_code == 200
        assert answer.headers["Content-Type"].startswith("text/html")


def test_a_request_is_one_line_of_the_log(full):
    """A request is one line of the log with its metrics, also at Lambda's level DEBUG."""
    before = len(full.log)
    full.get("/v1/quotes/AAPL")
    lines = [line for line in full.log[before:].splitlines() if line.startswith("{")]
    (line,) = map(json.loads, lines)
    assert line["route"] == "/v1/quotes/{symbol:path}"
    assert line["ApiLatency"] == line["duration_ms"]


def test_without_redis_the_api_answers_with_503(full, engine):
    """The answer is 503 with Retry-After, and prices are back with Redis and the loop."""
    engine.stop_redis()
    try:
        answer = full.get("/v1/quotes?symbols=AAPL")
        assert (answer.status_code, answer.json()["code"]) == (503, "cache_unavailable")
        assert int(answer.headers["Retry-After"]) > 0
        assert full.get("/health").status_code == 503
    finally:
        engine.start_redis()
    eventually(lambda: quotes(full), "prices again")
