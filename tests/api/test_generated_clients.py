"""Clients generated from the OpenAPI document by two generators read all answers."""

from __future__ import annotations

import importlib
import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from marketdata.cache.client import connect
from marketdata.clock import parse_utc
from marketdata.domain.outcomes import MissingQuote, Reason
from marketdata.domain.quotes import (
    FIGURES,
    ChangeBasis,
    ExtendedPrice,
    ExtendedSession,
    MarketState,
)
from marketdata.domain.symbols import AssetClass
from marketdata.settings import Settings
from tests.support.api_service import Service, quote
from tests.support.caches import emptied

CLIENTS = Path(__file__).with_name("clients")
GUARD_S = 300
FIGURE_TEXTS = ("181.3", "181", "183.125", "180.5", "7", "8e12")  # in the order of FIGURES
# Requests for each kind of answer, and the model of the answer.
ANSWERS = (
    ("/v1/quotes?symbols=AAPL,BTC-USD,OCDO.L,^GSPC,brk-b&currency=EUR", "Quotes"),
    ("/v1/quotes?symbols=AAPL,btc/usd,NOPE,A*B,BTC-USDT,MSFT&currency=CHF", "Quotes"),
    ("/v1/quotes/AAPL", "SingleQuote"),
    ("/v1/quotes/AAPL?currency=EUR", "SingleQuote"),
    ("/v1/quotes/AAPL?currency=CHF", "SingleQuote"),
    ("/v1/history?symbols=AAPL,^GSPC,eurusd,NOPE,A*B&range=1h", "Histories"),
    ("/v1/history?symbols=BTC-USD&range=30d", "Histories"),
    ("/v1/search?q=app", "Search"),
    ("/v1/search?q=usd%20eur&asset_type=forex", "Search"),
    ("/v1/assets/stocks?limit=1", "Assets"),
    ("/v1/providers", "Providers"),
    ("/health", "Health"),
    ("/v1/quotes/NOPE", "Problem"),
    ("/v1/quotes/A*B", "Problem"),
    ("/v1/quotes?symbols=AAPL&currency=GBp", "Problem"),
    ("/v1/quote", "Problem"),
)


@pytest.fixture
def service(plain_redis):
    """A service with quotes that have every field, lists, a history, and each kind of reason."""
    with emptied(plain_redis) as cache:
        yield filled(Service(cache))


def filled(service):
    """Return the service after storing the quotes, lists and reasons."""
    service.price("AAPL", "BRK.B")
    service.now_ms += 61_000
    put(service, "AAPL", "182.53", extended=after_hours(), market_state=MarketState.POST)
    put(service, "BTC-USD", "0.00001234567", change_basis=ChangeBasis.ROLLING_24H)
    put(service, "EUR/USD", "1.0873", change=None, percent_change=None, change_basis=None)
    put(service, "OCDO.L", "3.015", currency="GBP", market_state=MarketState.OPEN)
    put(service, "^GSPC", "5000.25", currency=None, timestamp=None, volume=None, market_cap=None)
    service.list_assets(AssetClass.STOCKS, {"AAPL": "Apple Inc.", "NOP": "Nope Holdings"})
    service.list_assets(AssetClass.CRYPTO, {"BTC-USD": "Bitcoin"})
    service.list_assets(AssetClass.FOREX, {"EUR/USD": "Euro in US Dollar"})
    unknown = MissingQuote("NOPE", Reason.NOT_FOUND, "yfinance: no quote for NOPE")
    limited = MissingQuote("MSFT", Reason.BUDGET_EXHAUSTED, "paced, next call in 284 s", 284)
    service.stores.quotes.explain([unknown, limited])
    return service


def put(service, symbol, price, **fields):
    """Store a quote that has every figure."""
    figures = dict(zip(FIGURES, (Decimal(text) for text in FIGURE_TEXTS), strict=True))
    made = replace(quote(symbol, service.now_ms, price), **{**figures, **fields})
    assert service.stores.quotes.put([made], service.now_ms)[0].result == "written"


def after_hours():
    """Return a price from after-hours trading."""
    time = datetime(2025, 11, 22, 22, tzinfo=UTC)
    return ExtendedPrice(
        ExtendedSession.POST, Decimal("182.6"), Decimal("0.07"), Decimal("0.03835"), time
    )


def members(value):
    """Return the names of all members of an answer that are not null."""
    if isinstance(value, list):
        return {name for one in value for name in members(one)}
    if not isinstance(value, dict):
        return set()
    inner = {name for member in value.values() for name in members(member)}
    return inner | {name for name, member in value.items() if member not in (None, [], {})}


@pytest.fixture(scope="module")
def document(tmp_path_factory):
    """A file with the OpenAPI document, written without Redis."""
    path = tmp_path_factory.mktemp("document") / "openapi.json"
    path.write_bytes(Service(connect(Settings.from_env({}))).get("/openapi.json").body)
    return path


@pytest.fixture(scope="module")
def python_client(document, tmp_path_factory):
    """The folder of a generated client, `client_py`, made without a warning."""
    folder = tmp_path_factory.mktemp("python")
    command = ("openapi-python-client", "generate", "--path", document, "--meta", "none")
    output = run(*command, "--output-path", folder / "client_py", folder=folder)
    assert "warning" not in output.lower(), output
    sys.path.insert(0, str(folder))
    yield folder / "client_py"
    sys.path.remove(str(folder))


def run(*command, folder):
    """Return the output of a command; a failing command fails the test with its output."""
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
    """Return a value with all its times parsed."""
    if isinstance(value, dict):
        return {name: same_times(member) for name, member in value.items()}
    if isinstance(value, list):
        return [same_times(member) for member in value]
    is_time = isinstance(value, str) and re.match(r"\d{4}-\d\d-\d\dT", value)
    return parse_utc(value) if is_time else value


def unknown_members(model, path=""):
    """Yield the path of each member of a model that the document does not have."""
    if isinstance(model, list):
        for place, one in enumerate(model):
            yield from unknown_members(one, f"{path}[{place}]")
    if not hasattr(model, "to_dict"):
        return
    names = [name for name in type(model).__slots__ if name != "__weakref__"]
    for name in names:
        value = getattr(model, name)
        if name == "additional_properties":
            # A model that is a map by symbol has all its members here.
            yield from (f"{path}.{one}" for one in value if len(names) > 1)
        else:
            yield from unknown_members(value, f"{path}.{name}")


def test_the_answers_have_every_member(service):
    """No member is null or empty in all answers, so the clients are tried with each one."""
    found = set()
    for target, _ in ANSWERS[:8]:
        found |= members(service.get(target).json)
    quotes = {*FIGURES, "extended", "session", "market_state", "timestamp", "change_basis"}
    converted = {"converted", "rate", "rate_symbol", "rate_timestamp", "conversion_error"}
    reasons = {"errors", "code", "message", "retry_after", "suggestions", "aliases"}
    assert found >= quotes | converted | reasons | {"history", "points", "interval_s", "total"}


@pytest.mark.usefixtures("python_client")
def test_a_python_client_reads_every_answer(service):
    """The models of the Python client know each member of the answers."""
    models = importlib.import_module("client_py.models")
    for target, name in ANSWERS:
        answer = service.get(target).json
        read = getattr(models, name).from_dict(answer)
        assert same_times(read.to_dict()) == same_times(answer), target
        assert list(unknown_members(read)) == [], target
    quotes = models.Quotes.from_dict(service.get(ANSWERS[0][0]).json)
    first = quotes.quotes[0]
    assert (first.extended.session, first.extended.price) == (models.ExtendedSession.POST, 182.6)
    assert first.converted.price == round(182.53 * first.converted.rate, 9)
    assert (first.market_state, first.timestamp.tzinfo) == (models.MarketState.POST, UTC)
    assert quotes.aliases["brk-b"] == "BRK.B"


def test_a_python_client_asks_and_reads(service, python_client):
    """The functions of the Python client send requests and return models."""
    models = importlib.import_module("client_py.models")
    calls = {
        module.stem: importlib.import_module(f"client_py.api.{module.parent.name}.{module.stem}")
        for module in python_client.glob("api/*/*.py")
    }
    new_client = importlib.import_module("client_py").Client
    with service.served() as url, new_client(base_url=url) as client:
        quotes = calls["get_quotes"].sync(
            client=client, symbols=["AAPL", "btc/usd", "NOPE"], currency="EUR"
        )
        assert [one.symbol for one in quotes.quotes] == ["AAPL", "BTC-USD"]
        assert quotes.quotes[0].converted.currency == "EUR"
        assert [(one.code, one.symbol) for one in quotes.errors] == [
            (models.Reason.NOT_FOUND, "NOPE")
        ]
        history = calls["get_history"].sync(
            client=client, symbols=["AAPL"], range_=models.HistoryRange.HOUR
        )
        assert [price for _, price in history.history[0].points] == [182.5, 182.53]
        problem = calls["get_quote"].sync(client=client, symbol="NOPE")
        assert (problem.status, problem.code) == (404, "not_found")


def test_a_typescript_client_has_every_operation_and_type(service, document, tmp_path):
    """The TypeScript client has each operation and named enum, and each answer fits its type."""
    assert shutil.which("npm"), "npm is needed: https://nodejs.org"
    folder = tmp_path / "clients"
    shutil.copytree(CLIENTS, folder, ignore=shutil.ignore_patterns("node_modules"))
    run("npm", "ci", "--no-audit", "--no-fund", folder=folder)
    run("npx", "--no-install", "openapi-typescript", document, "-o", "client.ts", folder=folder)
    text = (folder / "client.ts").read_text(encoding="utf-8")
    for operations in json.loads(document.read_bytes())["paths"].values():
        assert f"{operations['get']['operationId']}: {{" in text
    assert 'AssetClass: "stocks" | "crypto" | "forex";' in text
    lines = ['import type { components } from "./client";']
    for number, (target, name) in enumerate(ANSWERS):
        answer = service.get(target).body.decode()
        lines.append(f'export const a{number}: components["schemas"]["{name}"] = {answer};')
    (folder / "answers.ts").write_text("\n".join(lines), encoding="utf-8")
    run("npx", "--no-install", "tsc", "--noEmit", "--strict", "answers.ts", folder=folder)
