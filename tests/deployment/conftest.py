"""One stack for the whole suite: deployed, given keys and lists, and watched for a minute.

Each step is a session fixture. The terminal shows how long each step takes.
"""

from __future__ import annotations

import json
import signal
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local.service.signals import interrupted_by
from local.service.terminal import say
from tests.deployment import commands
from tests.deployment.ground import Ground, ground
from tests.deployment.logs import Logs
from tests.deployment.minute import Minute, next_minute_s, warm, watch
from tests.deployment.sam import Deployed, Sam, parameters
from tests.deployment.smoke import Target
from tests.infrastructure.stack import Stack

NAME = "market-data"
KEYS = {
    f"{provider}_API_KEY": f"planted-{provider.lower()}-7d1f0c"
    for provider in ("FINNHUB", "COINMARKETCAP", "ALPHA_VANTAGE", "COINGECKO")
}
# The order of a deployment; tests that change or damage the stack come last.
ORDER = ("stack", "lists", "minute", "api", "logs", "changes", "gaps")
# The second deployment is started if at least this time is left before the next minute.
SPARE_S = 30
_OUTCOMES = {"passed": "ok", "failed": "FAILED"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sort the tests by the place of their file in `ORDER`."""
    items.sort(key=lambda item: ORDER.index(item.path.stem.removeprefix("test_")))


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Print the docstring of the test with its outcome."""
    if report.when == "call":
        say(_OUTCOMES[report.outcome], str(dict(report.user_properties)["fact"]))


def pytest_report_teststatus(report: pytest.TestReport) -> tuple[str, str, str] | None:
    """Print no dot for a test."""
    return (report.outcome, "", "") if report.when == "call" else None


@pytest.fixture(autouse=True)
def _fact(request: pytest.FixtureRequest, record_property) -> None:
    """Keep the docstring of the test for the report."""
    record_property("fact", " ".join((request.function.__doc__ or "").split()))


class Took:
    """Prints that a step begins, and how long it took."""

    def __init__(self, what: str, step: str) -> None:
        self._what, self._step = what, step

    def __enter__(self) -> None:
        say(self._what, f"{self._step} ...")
        self._since = time.monotonic()

    def __exit__(self, *error: object) -> None:
        if error == (None, None, None):
            say(self._what, f"{self._step}: {time.monotonic() - self._since:.0f} s")


@pytest.fixture(scope="session")
def on() -> Iterator[Ground]:
    """The emulator, the Redis and the market; SIGTERM ends them as Ctrl-C does."""
    interrupted_by(signal.SIGTERM)
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        ground(Path(folder)) as started,
    ):
        say("started", f"MiniStack {started.emulator.url}, Redis 127.0.0.1:{started.redis_port}")
        yield started


@pytest.fixture(scope="session")
def sam(on: Ground) -> Sam:
    """The SAM CLI with everything built."""
    cli = Sam(on)
    with Took("sam", f"build, for the Python {on.emulator.python()} that MiniStack runs on"):
        printed = cli.build()
    for line in printed.splitlines():
        if line.startswith("size"):
            print(line, flush=True)  # noqa: T201
    assert "Build Succeeded" in printed
    return cli


@pytest.fixture(scope="session")
def given(on: Ground) -> dict[str, str]:
    """The parameters of the stack."""
    return parameters(on)


@pytest.fixture(scope="session")
def stack(on: Ground, sam: Sam, given: dict[str, str]) -> Deployed:
    """The stack, deployed."""
    with Took("sam", f"deploy --guided, with Enter for each question, stack {NAME}"):
        printed = sam.deploy_guided(given)
    assert f"Successfully created/updated stack - {NAME}" in printed
    return Deployed(on, NAME)


@pytest.fixture(scope="session")
def routes(stack: Deployed) -> list[str]:
    """The routes that the HTTP API has before the suite adds any."""
    answer = stack.client("apigatewayv2").get_routes(ApiId=stack.id("HttpApi"))
    return [route["RouteKey"] for route in answer["Items"]]


@pytest.fixture(scope="session")
def document(given: dict[str, str]) -> dict[str, Any]:
    """The OpenAPI document that the template gives to the HTTP API."""
    (api,) = Stack(**given).of_type("AWS::ApiGatewayV2::Api").values()
    return dict(api["Body"])


@pytest.fixture(scope="session")
def gateway(stack: Deployed, routes: list[str], document: dict[str, Any], minute: Minute) -> Target:
    """The HTTP API, with the document's routes and CORS settings added by the suite.

    The emulator does not read the document, so the API has neither before.
    """
    assert routes == []
    client, api = stack.client("apigatewayv2"), stack.id("HttpApi")
    integration = client.create_integration(
        ApiId=api,
        IntegrationType="AWS_PROXY",
        IntegrationUri=stack.function("Api")["FunctionArn"],
        PayloadFormatVersion="2.0",
    )["IntegrationId"]
    for path, operations in document["paths"].items():
        for method in operations.keys() - {"parameters"}:
            name = "ANY" if method.startswith("x-") else method.upper()
            client.create_route(
                ApiId=api, RouteKey=f"{name} {path}", Target=f"integrations/{integration}"
            )
    cors = document["x-amazon-apigateway-cors"]
    client.update_api(
        ApiId=api,
        CorsConfiguration={f"{name[0].upper()}{name[1:]}": value for name, value in cors.items()},
    )
    emulator = stack.ground.emulator
    url = f"{emulator.url}/_aws/execute-api/{api}/$default"
    return Target(url, certificate=str(emulator.certificate))


@pytest.fixture(scope="session")
def keys(stack: Deployed) -> dict[str, str]:
    """The keys, put into the secret by the command in the stack's outputs."""
    command, _, _ = stack.outputs["PutProviderKeys"].partition("'")
    commands.run(stack.ground.emulator, f"{command} '{json.dumps(KEYS)}'")
    say("keys", "put by the command in PutProviderKeys")
    return KEYS


@pytest.fixture(scope="session")
def lists(stack: Deployed, keys: dict[str, str]) -> dict[str, object]:
    """The ended refresh of the asset lists, started by the command in the stack's outputs."""
    with Took("lists", "asset_refresh, by the command in RefreshAssetLists"):
        started = commands.run(stack.ground.emulator, stack.outputs["RefreshAssetLists"])
        return stack.finished(started["executionArn"], timeout_s=100)


@pytest.fixture(scope="session")
def minute(request: pytest.FixtureRequest, stack: Deployed, lists: dict[str, object]) -> Minute:
    """A whole minute of the loop, as read through the api."""
    with Took("loop", "until a slot has every price, as functions start cold"):
        warm(stack)
    if next_minute_s() - time.time() > SPARE_S:
        request.getfixturevalue("unchanged")
    return watch(stack, say)


@pytest.fixture(scope="session")
def unchanged(stack: Deployed, sam: Sam) -> str:
    """The output of a second deployment without a change."""
    with Took("sam", "deploy, with nothing changed"):
        return sam.deploy()


@pytest.fixture(scope="session")
def logs(stack: Deployed, minute: Minute) -> Logs:
    """The lines that the functions have logged up to the end of the minute."""
    return Logs.of(stack, stack.outputs["ReadLogs"].split()[3])
