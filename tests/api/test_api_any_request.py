"""Random requests to all routes, checked against the OpenAPI document."""

import subprocess
import sys
from pathlib import Path

import pytest

from marketdata.domain.outcomes import MissingQuote, Reason
from marketdata.domain.symbols import AssetClass
from tests.support.api_service import Service
from tests.support.caches import emptied
from tests.support.examples import TIMES

ROOT = Path(__file__).parents[2]
# Random requests to each route, in addition to those that cover each rule of the document.
EXAMPLES = 15 * TIMES
GUARD_S = 300


@pytest.fixture
def service(plain_redis):
    """A service with quotes, lists and a reason of a missing quote."""
    with emptied(plain_redis) as cache:
        service = Service(cache)
        service.at_work()
        service.stores.quotes.explain([MissingQuote("TSLA", Reason.BUDGET_EXHAUSTED, "why", 60)])
        service.now_ms += 5_000
        service.list_assets(AssetClass.CRYPTO, [f"C{number}-USD" for number in range(30)], "v2")
        yield service


@pytest.mark.timeout(GUARD_S)
def test_every_request_is_answered_as_documented(service, tmp_path):
    """Every valid or invalid request that Schemathesis sends gets a documented answer."""
    with service.served() as origin:
        done = subprocess.run(  # noqa: S603  (fixed arguments)
            [
                Path(sys.executable).with_name("schemathesis"),
                "--config-file", ROOT / "schemathesis.toml",
                "run", f"{origin}/openapi.json",
                "--checks", "all",
                "--mode", "all",
                "--max-examples", str(EXAMPLES),
                "--generation-deterministic",
                "--continue-on-failure",
                "--no-color",
            ],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            timeout=GUARD_S,
        )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Tested: 7" in done.stdout
