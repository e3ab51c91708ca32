"""The folder of the providers' recorded answers, which are not part of the project.

TEST_PAYLOADS names the folder. Without it the usual place is used. If there is no folder in
either place, the summary of the test run names each contract test as left out, with the reason. A
named folder that does not exist is an error.
"""

import json
import os
from pathlib import Path

import pytest

from marketdata.providers.contract import Response

ROOT = Path(__file__).resolve().parents[2]


def _folder() -> Path | None:
    named = os.environ.get("TEST_PAYLOADS")
    if named:
        if not Path(named).is_dir():
            raise pytest.UsageError(f"TEST_PAYLOADS={named} is not a folder")
        return Path(named)
    usual = ROOT.parent / "shared" / "payloads"
    return usual if usual.is_dir() else None


FOLDER = _folder()
LEFT_OUT = "left out: no recorded answers; TEST_PAYLOADS names their folder"


@pytest.fixture(scope="session", autouse=True)
def payloads() -> Path:
    """The folder with one folder of recorded answers for each provider."""
    if FOLDER is None:
        pytest.skip(LEFT_OUT)
    return FOLDER


@pytest.fixture(scope="session")
def replay(payloads):
    """Return a recorded answer as a sender would: `replay("finnhub", "quote.json")`.

    A file with a `response` has status, headers and body; any other file is the body of a
    200.
    """

    def read(provider: str, name: str) -> Response:
        raw = (payloads / provider / name).read_bytes()
        recorded = json.loads(raw) if name.endswith(".json") else None
        if not isinstance(recorded, dict) or "response" not in recorded:
            kind = "application/json" if name.endswith(".json") else "application/x-download"
            return Response(200, {"content-type": kind}, raw)
        response = recorded["response"]
        body = response["body"]
        text = body if isinstance(body, str) else json.dumps(body)
        headers = {key.lower(): value for key, value in response["headers"].items()}
        return Response(response["status"], headers, text.encode())

    return read
