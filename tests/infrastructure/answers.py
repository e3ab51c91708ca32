"""What each function answers to its sample events. The answer is the same in every process."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.infrastructure.stack import ROOT

FUNCTIONS = {path.parent.name for path in (ROOT / "functions").glob("*/app.py")}
EVENTS = {path.stem: path for path in (ROOT / "events").glob("*.json")}
# The fields that an answer must have, by function.
ANSWER_FIELDS = {
    "plan_quotes": {"slot", "claimed", "jobs", "skipped"},
    "fetch_quotes": {"job", "quotes", "missing", "outcomes"},
    "commit_quotes": {"slot", "asset_class", "written", "outcomes", "transitions"},
    "plan_assets": {"version", "restore", "late", "jobs"},
    "fetch_assets": {"job", "candidate", "total", "sources", "outcomes"},
    "commit_assets": {"asset_class", "swapped", "restored", "failed", "reason"},
    "api": {"statusCode", "headers", "body", "isBase64Encoded"},
}


def function_of(event: str) -> str:
    """The function that is named in an event's name."""
    return event.split("__", maxsplit=1)[0]


def assert_understood(event: str, answer: Mapping[str, Any]) -> None:
    """The answer to an event is what the next step, or the gateway, expects."""
    assert answer.keys() >= ANSWER_FIELDS[function_of(event)], answer
    assert answer.get("statusCode") != 500  # with an empty cache 503 is a true answer
