from __future__ import annotations

import json
from urllib.parse import quote as quoted

import pytest
import requests

from marketdata.cache.client import connect
from marketdata.cache.quote_store import QuoteStore
from marketdata.cache.stored_quotes import json_objects
from marketdata.domain.quotes import Source
from marketdata.settings import Settings
from tests.deployment.api import Answer, ask, quotes
from tests.deployment.ground import HOST
from tests.deployment.minute import Minute
from tests.deployment.sam import Deployed


@pytest.fixture(scope="module")
def gateway(stack: Deployed, routes: list[str], minute: Minute) -> str:
    """The address of the HTTP API, with the one route that the emulator reads from no document."""
    assert "$default" not in routes
    client, api = stack.client("apigatewayv2"), stack.id("HttpApi")
    integration = client.create_integration(
        ApiId=api,
        IntegrationType="AWS_PROXY",
        IntegrationUri=stack.function("Api")["FunctionArn"],
        PayloadFormatVersion="2.0",
    )["IntegrationId"]
    client.create_route(ApiId=api, RouteKey="$default", Target=f"integrations/{integration}")
    return f"{stack.ground.emulator.url}/_aws/execute-api/{api}/$default"


def get(stack: Deployed, url: str) -> requests.Response:
    """One answer over HTTP."""
    return requests.get(url, verify=str(stack.ground.emulator.certificate), timeout=10)


def test_api_tells_what_redis_has(stack: Deployed, minute: Minute):
    """The api answers with exactly the prices that are in the real Redis."""
    answer = ask(stack, "/v1/quotes", symbols=",".join(minute.symbols))
    env = {"REDIS_HOST": HOST, "REDIS_PORT": str(stack.ground.redis_port)}
    cache = connect(Settings.from_env({**env, "REDIS_PREFIX": stack.name}))
    stored = QuoteStore(cache, retention_s=60).read(minute.symbols)
    cache.close()
    assert None not in stored
    assert json_objects(stored, stale_before=b"").decode() in answer.text


def test_service_is_healthy(minute: Minute):
    """After a minute /health says healthy, with every active symbol fresh."""
    assert minute.health.status == 200
    told = minute.health.json
    assert (told["status"], told["reasons"]) == ("healthy", []), told


def test_every_provider_is_well(stack: Deployed, minute: Minute):
    """/v1/providers shows all five, none disabled, every breaker closed."""
    told = ask(stack, "/v1/providers").json["providers"]
    assert {provider["provider"] for provider in told} == {source.value for source in Source}
    states = {entry["state"] for provider in told for entry in provider["classes"]}
    assert states == {"closed"}


def test_what_is_missing_is_named(stack: Deployed, minute: Minute):
    """An unknown symbol is pending, junk is refused, and an unknown path is a problem."""
    told = ask(stack, "/v1/quotes", symbols="AAPL,NOPE123,$$$").json
    assert [quote["symbol"] for quote in told["quotes"]] == ["AAPL"]
    assert {error["symbol"]: error["code"] for error in told["errors"]} == {
        "NOPE123": "pending",
        "$$$": "invalid_symbol",
    }
    assert ask(stack, "/v1/nothing").status == 404


def test_gateway_serves_quotes(stack: Deployed, gateway: str, minute: Minute):
    """Over HTTP, through the gateway, every quote is the one that the function gives."""
    answer = get(stack, f"{gateway}/v1/quotes?symbols={quoted(','.join(minute.symbols))}")
    assert answer.status_code == 200
    assert answer.headers["cache-control"].startswith("public, max-age=")
    told = {quote["symbol"]: quote for quote in Answer(200, answer.text).json["quotes"]}
    assert told == quotes(stack, ",".join(minute.symbols))


def test_gateway_serves_the_board(stack: Deployed, gateway: str):
    """Over HTTP the board and the documentation are pages, and a wrong request is a problem."""
    for path in ("/", "/docs"):
        page = get(stack, gateway + path)
        assert page.status_code == 200, page.text
        assert page.headers["content-type"].startswith("text/html")
    wrong = get(stack, f"{gateway}/v1/quotes?symbol=AAPL")
    assert wrong.status_code == 400
    assert wrong.headers["content-type"] == "application/problem+json"
    assert "symbol" in json.loads(wrong.text)["detail"]
