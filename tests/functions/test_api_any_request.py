"""Schemathesis asks what nobody would, and holds every answer to the OpenAPI document."""

import pytest
import schemathesis
from hypothesis import HealthCheck, settings

from marketdata.cache.client import connect
from marketdata.outcomes import Missing, Reason
from marketdata.settings import Settings
from marketdata.symbols import AssetClass
from tests.api_service import Service

EXAMPLES = 40  # for each route and each way of making requests


@pytest.fixture(scope="module")
def api_schema(plain_redis):
    """The document of a service with something of everything."""
    with plain_redis.client() as client:
        client.flushall()
    cache = connect(Settings.from_env(plain_redis.env()))
    service = Service(cache, threads=True)
    service.at_work()
    service.price("AAPL", "BTC-USD", "EUR/USD")
    service.stores.quotes.explain([Missing("TSLA", Reason.BUDGET_EXHAUSTED, "why")], {"TSLA": 60})
    service.list_assets(AssetClass.CRYPTO, [f"C{number}-USD" for number in range(30)], "v2")
    yield schemathesis.openapi.from_asgi("/openapi.json", service.app)
    cache.close()


schema = schemathesis.pytest.from_fixture("api_schema")


@schema.parametrize()
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
def test_any_request_is_answered_as_documented(case):
    """Status, media type, headers and body; and what must be refused is refused."""
    case.call_and_validate()
