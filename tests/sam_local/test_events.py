"""`sam local invoke` with every sample event, each function in the Lambda image."""

from __future__ import annotations

import json
from datetime import datetime

import pytest

from tests.infrastructure.answers import EVENTS, assert_understood, function_of


@pytest.mark.parametrize("name", EVENTS)
def test_an_event_is_understood_in_the_lambda_image(sam, empty, name):
    """For each sample event SAM prints the answer that the next step or the gateway expects."""
    assert_understood(name, sam.invoke(function_of(name), name))


def moment(text: str | None) -> datetime | None:
    """Return a time of a JSON answer, with any number of decimals."""
    return None if text is None else datetime.fromisoformat(text)


def test_a_quote_that_a_sample_commits_is_served(sam, api, empty):
    """The API serves the exact prices of the committed report, with their source and time."""
    event = json.loads(EVENTS["commit_quotes__report"].read_text(encoding="utf-8"))
    sam.invoke("commit_quotes", "commit_quotes__report")
    symbols = [quote["symbol"] for quote in event["quotes"]]
    quotes = api.get(f"/v1/quotes?symbols={','.join(symbols)}").json()["quotes"]
    for name in ("symbol", "source"):
        assert [quote[name] for quote in quotes] == [quote[name] for quote in event["quotes"]]
    for name in ("timestamp", "fetched_at"):
        assert [moment(quote[name]) for quote in quotes] == [
            moment(quote[name]) for quote in event["quotes"]
        ]
    assert [str(quote["price"]) for quote in quotes] == [
        quote["price"] for quote in event["quotes"]
    ]
