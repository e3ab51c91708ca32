"""The start of a function on Lambda: it loads all modules, also without Redis or the secret."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from local.service.redis_server import free_port
from local.simulator import MarketServers
from marketdata.domain.quotes import Source
from marketdata.settings import ENV_PREFIXES
from tests.infrastructure.stack import ROOT
from tests.support.jobs import granted
from tests.support.pipeline import GENEROUS_MARKET

IN_VPC = ("plan_quotes", "commit_quotes", "plan_assets", "commit_assets", "api")
FETCHING = ("fetch_quotes", "fetch_assets")
# Prints the modules that a function's first event loads, which should be loaded at its start.
PROGRAM = """
import importlib, json, sys, time
name, event = sys.argv[1], json.loads(sys.argv[2])
app = importlib.import_module(f"functions.{name}.app")
started = set(sys.modules)
class Context:
    function_name, memory_limit_in_mb, aws_request_id = name, 512, "request-1"
    invoked_function_arn = "arn:aws:lambda:eu-central-1:123456789012:function:" + name
if event is not None:
    if name == "plan_quotes":
        event["slot"] = int(time.time()) // 5 * 5
    app.handler(event, Context())
loaded = sorted(set(sys.modules) - started)
large = [one for one in ("yfinance", "botocore.signers", "boto3") if one in started]
print("LOADED", json.dumps([loaded, large]))
"""


def started(name: str, event: Any = None, **env: str) -> tuple[list[str], list[str], str]:
    """Start a function as Lambda does and give it an event.

    Return the modules that the event loaded, which of three large ones were loaded before it,
    and everything that was printed.
    """
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", PROGRAM, name, json.dumps(event)],
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'layers' / 'core'}",
            "AWS_LAMBDA_FUNCTION_NAME": name,
            "AWS_REGION": "eu-central-1",
            "AWS_DEFAULT_REGION": "eu-central-1",
            "AWS_ACCESS_KEY_ID": "a",
            "AWS_SECRET_ACCESS_KEY": "b",
            "METRICS_SERVICE": "prod",
            "ACTIVE_SYMBOLS": "AAPL",
            **env,
        },
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    loaded, before = json.loads(done.stdout.rpartition("LOADED ")[2])
    return loaded, before, done.stdout


def ours_or_foreign(modules: list[str]) -> list[str]:
    """Those that are not of the standard library."""
    return [name for name in modules if name.partition(".")[0] not in sys.stdlib_module_names]


def sample(name: str) -> dict[str, Any]:
    """A sample event."""
    event: dict[str, Any] = json.loads((ROOT / "events" / f"{name}.json").read_text())
    return event


@pytest.mark.parametrize(
    ("name", "event"),
    [
        ("plan_quotes", {"execution": "run"}),
        ("commit_quotes", sample("commit_quotes__report")),
        ("api", sample("api__http_quotes")),
    ],
    ids=["plan_quotes", "commit_quotes", "api"],
)
def test_the_first_event_loads_nothing(redis_server, name, event):
    """All modules are loaded at the start, because Lambda gives a whole processor only then."""
    loaded, _, _ = started(name, event, **redis_server.env())
    assert ours_or_foreign(loaded) == []


def test_the_first_job_loads_nothing():
    """All modules of a job for Yahoo are loaded at the start, yfinance included."""
    job = sample("fetch_quotes__crypto")
    stock = {"symbol": "AAPL", "ids": {}}
    job |= {"asset_class": "stocks", "instruments": [stock]}
    job["attempts"] = [granted(Source.YFINANCE, 1)]
    with MarketServers(limits=GENEROUS_MARKET) as market:
        urls = {f"{ENV_PREFIXES[one]}_BASE_URL": url for one, url in market.base_urls.items()}
        loaded, before, _ = started("fetch_quotes", job, **urls)
    assert before == ["yfinance"]
    assert ours_or_foreign(loaded) == []


@pytest.mark.parametrize("name", IN_VPC)
def test_a_start_without_redis_is_a_warning(name):
    """A Redis that does not answer is a warning at the start, and not an error."""
    _, _, printed = started(
        name, REDIS_HOST="127.0.0.1", REDIS_PORT=str(free_port()), REDIS_TLS="true",
        REDIS_AUTH="iam", REDIS_USERNAME="functions", REDIS_CACHE_NAME="prices",
        ARCHIVE_BUCKET="a-bucket",
    )  # fmt: skip
    assert "cache not reached at start" in printed


def test_the_signing_code_is_loaded_at_the_start():
    """With IAM the code that signs a connection is loaded at the start."""
    _, before, _ = started(
        "plan_quotes", REDIS_HOST="127.0.0.1", REDIS_PORT=str(free_port()), REDIS_TLS="true",
        REDIS_AUTH="iam", REDIS_USERNAME="functions", REDIS_CACHE_NAME="prices",
    )  # fmt: skip
    assert before == ["botocore.signers"]


@pytest.mark.parametrize("name", FETCHING)
def test_a_start_without_the_secret_is_a_warning(name):
    """A Secrets Manager that cannot be reached is a warning at the start, and not an error."""
    nowhere = f"http://127.0.0.1:{free_port()}"
    _, before, printed = started(
        name, PROVIDER_KEYS_SECRET="keys", AWS_ENDPOINT_URL=nowhere, ARCHIVE_BUCKET="a-bucket"
    )
    assert before == ["yfinance", "botocore.signers", "boto3"]
    assert "the keys in Secrets Manager cannot be read" in printed
