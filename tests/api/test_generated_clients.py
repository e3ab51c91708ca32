"""Two generators make clients from the OpenAPI document, and the clients fit the answers."""

from __future__ import annotations

import importlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from marketdata.cache.client import connect
from marketdata.clock import parse_utc
from marketdata.domain.symbols import AssetClass
from marketdata.settings import Settings
from tests.support.api_service import Service

CLIENTS = Path(__file__).with_name("clients")
GUARD_S = 300


@pytest.fixture
def service(cache):
    """A service with a quote of each class, a list and a history."""
    service = Service(cache)
    service.price("AAPL", "BTC-USD", "EUR/USD")
    service.list_assets(AssetClass.STOCKS, {"AAPL": "Apple Inc."})
    return service


@pytest.fixture
def document(tmp_path):
    """The document in a file; it needs no cache."""
    path = tmp_path / "openapi.json"
    path.write_bytes(Service(connect(Settings.from_env({}))).get("/openapi.json").body)
    return path


def run(*command, folder):
    """Run a command to its end; its output is the message of a failure."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(  # noqa: S603 - the test's own commands
        command,
        cwd=folder,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        timeout=GUARD_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def same_times(value):
    """A value with all its times written in one way."""
    if isinstance(value, dict):
        return {name: same_times(member) for name, member in value.items()}
    if isinstance(value, list):
        return [same_times(member) for member in value]
    is_time = isinstance(value, str) and re.match(r"\d{4}-\d\d-\d\dT", value)
    return parse_utc(value) if is_time else value


def test_a_python_client_reads_every_answer(service, document, tmp_path, monkeypatch):
    """It is generated without a warning, and its models take what the routes answer."""
    output = run(
        "openapi-python-client",
        *(
            "generate",
            "--path",
            document,
            "--meta",
            "none",
            "--output-path",
            tmp_path / "client_py",
        ),
        folder=tmp_path,
    )
    assert "warning" not in output.lower(), output
    monkeypatch.syspath_prepend(str(tmp_path))
    models = importlib.import_module("client_py.models")
    for target, name in (
        ("/v1/quotes?symbols=AAPL,BTC-USD,btc/usd,NOPE,A*B&currency=EUR", "Quotes"),
        ("/v1/quotes/AAPL", "SingleQuote"),
        ("/v1/quotes/AAPL?currency=CHF", "SingleQuote"),
        ("/v1/history?symbols=AAPL&range=1h", "Histories"),
        ("/v1/search?q=app", "Search"),
        ("/v1/assets/stocks", "Assets"),
        ("/v1/providers", "Providers"),
        ("/health", "Health"),
        ("/v1/quotes/NOPE", "Problem"),
    ):
        answer = service.get(target).json
        read = getattr(models, name).from_dict(answer).to_dict()
        assert same_times(read) == same_times(answer), target


def test_a_typescript_client_has_every_operation(document, tmp_path):
    """Each operation, and the named enums."""
    assert shutil.which("npm"), "npm is needed: https://nodejs.org"
    folder = tmp_path / "clients"
    shutil.copytree(CLIENTS, folder, ignore=shutil.ignore_patterns("node_modules"))
    run("npm", "ci", "--no-audit", "--no-fund", folder=folder)
    run("npx", "--no-install", "openapi-typescript", document, "-o", "client.ts", folder=folder)
    text = (folder / "client.ts").read_text(encoding="utf-8")
    for operations in json.loads(document.read_bytes())["paths"].values():
        assert f"{operations['get']['operationId']}: {{" in text
    assert 'AssetClass: "stocks" | "crypto" | "forex";' in text
