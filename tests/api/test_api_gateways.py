"""The api behind both kinds of API Gateway, with the sample events."""

import base64
import gzip
import json
from pathlib import Path

import pytest

from marketdata.domain.symbols import AssetClass
from tests.support.api_service import Service

EVENTS = Path(__file__).parents[2] / "events"


def event(name):
    """Return one of the sample events."""
    return json.loads((EVENTS / f"api__{name}.json").read_text(encoding="utf-8"))


@pytest.fixture
def service(cache):
    """A service with a quote and a list."""
    service = Service(cache)
    service.price("AAPL", "BTC-USD", "EUR/USD")
    service.list_assets(AssetClass.CRYPTO, [f"C{number}-USD" for number in range(30)])
    return service


def call(service, name):
    """Return the Lambda function's answer to a sample event."""
    with service.behind_gateway() as handler:
        return handler(event(name), None)


@pytest.mark.parametrize("name", ["http_quotes", "rest_quotes"])
def test_both_gateways_get_the_same_quotes(service, name):
    """The body is text, and equals byte for byte the answer over HTTP."""
    answer = call(service, name)
    assert (answer["statusCode"], answer["isBase64Encoded"]) == (200, False)
    direct = service.get("/v1/quotes?symbols=AAPL,BTC-USD,EUR/USD,NOPE123")
    assert answer["body"].encode() == direct.body
    assert answer["headers"]["etag"] == direct.headers["etag"]


@pytest.mark.parametrize("name", ["http_quote_with_slash", "rest_quote_encoded_slash"])
def test_a_currency_pair_may_stand_in_the_path(service, name):
    """A currency pair in the path is read with a plain or an encoded slash."""
    answer = call(service, name)
    assert answer["statusCode"] == 200
    assert json.loads(answer["body"])["symbol"] == "EUR/USD"


@pytest.mark.parametrize("name", ["http_unknown_parameter", "rest_unknown_parameter"])
def test_a_problem_is_sent_as_text(service, name):
    """A problem is sent to the gateway as text, not as base64."""
    answer = call(service, name)
    assert (answer["statusCode"], answer["isBase64Encoded"]) == (400, False)
    assert answer["headers"]["content-type"] == "application/problem+json"
    assert json.loads(answer["body"])["code"] == "unknown_parameter"


def test_a_compressed_body_is_sent_as_base64(service):
    """A compressed body is sent to the gateway as base64."""
    answer = call(service, "http_assets_gzip")
    assert answer["isBase64Encoded"] is True
    assert answer["headers"]["content-encoding"] == "gzip"
    body = json.loads(gzip.decompress(base64.b64decode(answer["body"])))
    assert len(body["assets"]) == 20


def test_head_has_no_body(service):
    """HEAD has no body, and a Content-Length above zero."""
    answer = call(service, "rest_head")
    assert (answer["statusCode"], answer["body"]) == (200, "")
    assert int(answer["headers"]["content-length"]) > 0


def test_health_answers_a_gateway(service):
    """The health of a service whose loop never ran is unhealthy."""
    answer = call(service, "http_health")
    assert (answer["statusCode"], answer["isBase64Encoded"]) == (503, False)
    assert json.loads(answer["body"])["status"] == "unhealthy"


def test_the_board_is_sent_as_html(service):
    """The board is sent as HTML with its security policy."""
    answer = call(service, "http_board")
    assert answer["statusCode"] == 200
    assert answer["headers"]["content-type"] == "text/html; charset=utf-8"
    assert "script-src 'sha256-" in answer["headers"]["content-security-policy"]


def test_every_sample_event_is_answered(service):
    """Each sample event gets status 200, 400 or 503."""
    names = sorted(path.stem.removeprefix("api__") for path in EVENTS.glob("api__*.json"))
    assert {name.partition("_")[0] for name in names} == {"http", "rest"}
    for name in names:
        assert call(service, name)["statusCode"] in (200, 400, 503), name
