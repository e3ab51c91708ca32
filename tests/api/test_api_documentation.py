"""The OpenAPI document and the documentation page, compared with real answers."""

import re
from base64 import b64encode
from hashlib import sha256
from html import unescape

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from marketdata.api.problems import KINDS
from marketdata.domain.outcomes import MissingQuote, Reason
from marketdata.domain.symbols import AssetClass
from tests.support.api_examples import examples
from tests.support.api_service import Service


@pytest.fixture
def service(cache):
    """A service with quotes, a list, and a reason of a missing quote."""
    service = Service(cache, FINNHUB_API_KEY="k")
    service.price("AAPL", "BTC-USD", "EUR/USD", age_s=2)
    service.price("MSFT", age_s=400)
    missing = [MissingQuote("TSLA", Reason.BUDGET_EXHAUSTED, "why")]
    service.stores.quotes.explain(missing)
    service.list_assets(AssetClass.CRYPTO, ["BTC-USD", "ETH-USD", "SOL-USD"])
    service.watched()
    return service


def answers(service):
    """Yield the target, the path in the document, and the real answer of each request."""
    symbols = "AAPL,MSFT,TSLA,NOPE,A*B,EUR/USD"
    for target, path in (
        (f"/v1/quotes?symbols={symbols}&max_age=60", "/v1/quotes"),
        (f"/v1/quotes?symbols={symbols}", "/v1/quotes"),
        ("/v1/quotes", "/v1/quotes"),
        ("/v1/quotes?symbol=A", "/v1/quotes"),
        ("/v1/quotes?symbols=%00", "/v1/quotes"),
        ("/v1/quotes/AAPL", "/v1/quotes/{symbol}"),
        ("/v1/quotes/TSLA", "/v1/quotes/{symbol}"),
        ("/v1/quotes/A*B", "/v1/quotes/{symbol}"),
        ("/v1/quotes?symbols=AAPL,MSFT,EUR/USD,NOPE&currency=EUR", "/v1/quotes"),
        ("/v1/quotes/AAPL?currency=chf", "/v1/quotes/{symbol}"),
        ("/v1/quotes/AAPL?currency=GBp", "/v1/quotes/{symbol}"),
        ("/v1/history?symbols=aapl,NOPE,A*B", "/v1/history"),
        ("/v1/history?symbols=AAPL&range=2h", "/v1/history"),
        ("/v1/search?q=bit", "/v1/search"),
        ("/v1/search?q=bit&asset_type=forex", "/v1/search"),
        ("/v1/search?q=bit&asset_type=bonds", "/v1/search"),
        ("/v1/search", "/v1/search"),
        ("/v1/assets/crypto?limit=2", "/v1/assets/{asset_type}"),
        ("/v1/assets/crypto?q=zzz", "/v1/assets/{asset_type}"),
        ("/v1/assets/forex", "/v1/assets/{asset_type}"),
        ("/v1/assets/bonds", "/v1/assets/{asset_type}"),
        ("/v1/assets/crypto?cursor=x", "/v1/assets/{asset_type}"),
        ("/v1/providers", "/v1/providers"),
        ("/health", "/health"),
    ):
        yield target, path, service.get(target)


def test_every_answer_is_as_documented(service):
    """Each answer fits the documented schema of its status and media type."""
    document = service.get("/openapi.json").json
    for target, path, reply in answers(service):
        documented = document["paths"][path]["get"]["responses"][str(reply.status)]
        media_type = reply.headers["content-type"]
        schema = documented["content"][media_type]["schema"]
        schema = {**schema, "components": document["components"]}
        validator = Draft202012Validator(schema, format_checker=FormatChecker())
        errors = [error.message for error in validator.iter_errors(reply.json)]
        assert errors == [], target


def test_every_public_route_is_documented(service):
    """The document has each public route and no other."""
    document = service.get("/openapi.json").json
    assert list(document["paths"]) == [
        "/v1/quotes",
        "/v1/quotes/{symbol}",
        "/v1/history",
        "/v1/search",
        "/v1/assets/{asset_type}",
        "/v1/providers",
        "/health",
    ]
    assert document["openapi"].startswith("3.1")


def test_the_examples_of_the_documented_parameters_are_accepted(service):
    """The documented examples of all parameters are accepted."""
    document = service.get("/openapi.json").json
    for path, operations in document["paths"].items():
        target, query = path, []
        for parameter in operations["get"].get("parameters", []):
            examples = parameter["schema"].get("examples") or parameter.get("examples")
            if parameter["in"] == "path":
                target = target.replace(f"{{{parameter['name']}}}", examples[0])
            elif examples:
                value = examples[0]
                text = ",".join(value) if isinstance(value, list) else value
                query.append(f"{parameter['name']}={text}")
        reply = service.get(f"{target}?{'&'.join(query)}")
        assert reply.status in (200, 503), path


def test_every_kind_of_problem_is_explained_where_its_type_points(service):
    """The page explains each kind of problem at the anchor that `type` links to."""
    page = unescape(service.get("/docs").body.decode())
    for code, kind in KINDS.items():
        assert f'id="{code}"' in page
        assert kind.title in page
    anchors = set(re.findall(r'id="([^"]+)"', page))
    assert set(re.findall(r'href="#([^"]+)"', page)) <= anchors


def test_the_page_is_swagger_ui_of_this_host(service):
    """The page is Swagger UI, loads files of this host only, and no other script may run."""
    reply = service.get("/docs")
    page = reply.body.decode()
    assert reply.headers["content-type"] == "text/html; charset=utf-8"
    assert "SwaggerUIBundle(" in page
    addresses = re.findall(r'(?:href|src)="([^"#]+)"', page)
    assert len(addresses) >= 3
    for address in addresses:
        assert address.startswith("/docs/static/")
        assert service.get(address).status == 200
    (script,) = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    digest = b64encode(sha256(script.encode()).digest()).decode()
    assert f"script-src 'self' 'sha256-{digest}';" in reply.headers["content-security-policy"]


def test_the_examples_are_what_the_api_answers(cache, service):
    """Each example is a real answer; `python -m tests.support.api_examples` writes them again."""
    document = service.get("/openapi.json").json
    cache.command("FLUSHALL")
    real = examples(cache)
    documented = {}
    for operations in document["paths"].values():
        for status, response in operations["get"]["responses"].items():
            for content in response.get("content", {}).values():
                if "example" in content:
                    name = operations["get"]["operationId"]
                    documented.setdefault(name, {})[status] = content["example"]
    assert documented == real


def test_an_answer_without_an_etag_has_no_documented_304(service):
    """The answer of /health has no ETag, so no 304 is documented for it."""
    responses = service.get("/openapi.json").json["paths"]["/health"]["get"]["responses"]
    assert "304" not in responses
    assert list(responses["200"]["headers"]) == ["X-Market-Data", "Cache-Control"]
