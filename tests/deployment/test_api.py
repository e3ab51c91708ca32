"""The deployed api: its answers by events, and through the gateway over HTTP."""

from __future__ import annotations

from urllib.parse import quote as quoted

from marketdata.cache.client import connect
from marketdata.cache.quote_store import QuoteStore
from marketdata.cache.stored_quotes import json_objects
from marketdata.domain.quotes import Source
from marketdata.settings import Settings
from tests.deployment.api import Answer, ask, quotes
from tests.deployment.ground import HOST
from tests.deployment.minute import Minute
from tests.deployment.sam import Deployed
from tests.deployment.smoke import Target, smoke


def test_api_tells_what_redis_has(stack: Deployed, minute: Minute):
    """The api answers with exactly the prices that are in Redis."""
    answer = ask(stack, "/v1/quotes", symbols=",".join(minute.symbols))
    env = {"REDIS_HOST": HOST, "REDIS_PORT": str(stack.ground.redis_port)}
    cache = connect(Settings.from_env({**env, "REDIS_PREFIX": stack.name}))
    stored = QuoteStore(cache, retention_s=60).read(minute.symbols)
    cache.close()
    assert None not in stored
    assert json_objects(stored).decode() in answer.text


def test_service_is_healthy(minute: Minute):
    """After a minute /health is healthy without a reason."""
    assert minute.health.status == 200
    payload = minute.health.json
    assert (payload["status"], payload["reasons"]) == ("healthy", []), payload


def test_every_provider_is_well(stack: Deployed, minute: Minute):
    """/v1/providers shows all five providers, none disabled, every breaker closed."""
    payload = ask(stack, "/v1/providers").json["providers"]
    assert {provider["provider"] for provider in payload} == {source.value for source in Source}
    states = {entry["state"] for provider in payload for entry in provider["classes"]}
    assert states == {"closed"}


def test_what_is_missing_is_named(stack: Deployed, minute: Minute):
    """An unknown symbol is pending, `$$$` is an invalid symbol, and an unknown path is a 404."""
    payload = ask(stack, "/v1/quotes", symbols="AAPL,NOPE123,$$$").json
    assert [quote["symbol"] for quote in payload["quotes"]] == ["AAPL"]
    assert {error["symbol"]: error["code"] for error in payload["errors"]} == {
        "NOPE123": "pending",
        "$$$": "invalid_symbol",
    }
    assert ask(stack, "/v1/nothing").status == 404


def test_a_ping_is_answered_with_nothing(stack: Deployed, minute: Minute):
    """An event that is not a request gets an empty answer and no error."""
    for event in ({"warmup": True}, {"source": "aws.scheduler"}, {}, [], None):
        assert stack.invoke("Api", event) == {}, event


def test_gateway_serves_quotes(stack: Deployed, gateway: Target, minute: Minute):
    """Quotes through the gateway over HTTP equal those of the function."""
    answer = gateway.get(f"/v1/quotes?symbols={quoted(','.join(minute.symbols))}")
    assert answer.status_code == 200
    assert answer.headers["cache-control"].startswith("public, max-age=")
    payload = {quote["symbol"]: quote for quote in Answer(200, answer.text).json["quotes"]}
    assert payload == quotes(stack, ",".join(minute.symbols))


def test_the_deployment_passes_the_smoke_check(gateway: Target):
    """Every check of `make smoke` passes through the gateway."""
    assert smoke(gateway, wait_s=0)


def test_a_browser_may_send_what_the_api_reads(gateway: Target):
    """A preflight allows the headers of the document, and may be kept for a day."""
    reply = gateway.preflight("/v1/quotes")
    allowed = reply.headers["Access-Control-Allow-Headers"].split(",")
    assert {"authorization", "if-none-match"} <= {name.strip() for name in allowed}
    assert reply.headers["Access-Control-Max-Age"] == "86400"


def test_an_unknown_path_is_answered_by_the_function(gateway: Target):
    """An unknown path gets a problem body of the api, not an error of the gateway."""
    reply = gateway.get("/v2/nothing/here")
    assert (reply.status_code, reply.headers["content-type"]) == (404, "application/problem+json")
