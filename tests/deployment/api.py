"""Requests to the api of the stack, as events of API Gateway."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from tests.deployment.sam import Deployed
from tests.infrastructure.stack import ROOT


@dataclass(frozen=True)
class Answer:
    """One answer; its JSON has exact prices."""

    status: int
    text: str

    @property
    def json(self) -> Any:
        """The parsed body."""
        return json.loads(self.text, parse_float=Decimal)


def event(path: str, query: Mapping[str, str]) -> dict[str, Any]:
    """Return the sample event of an HTTP API with another path and query."""
    sample = json.loads((ROOT / "events" / "api__http_quotes.json").read_text(encoding="utf-8"))
    context = sample["requestContext"]
    return {
        **sample,
        "rawPath": path,
        "rawQueryString": urlencode(query, safe=","),
        "queryStringParameters": dict(query),
        "requestContext": {**context, "http": {**context["http"], "path": path}},
    }


def ask(stack: Deployed, path: str, **query: str) -> Answer:
    """Return what the api answers to an event."""
    response = stack.invoke("Api", event(path, query))
    assert not response["isBase64Encoded"], "an answer is packed only if it is long and asked for"
    return Answer(response["statusCode"], response["body"])


def quotes(stack: Deployed, symbols: str) -> dict[str, dict[str, Any]]:
    """Return the quotes of some symbols, given with commas between them, by symbol."""
    answer = ask(stack, "/v1/quotes", symbols=symbols)
    assert answer.status == 200, answer.text
    return {quote["symbol"]: quote for quote in answer.json["quotes"]}
