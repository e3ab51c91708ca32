"""The lines that the functions wrote to their log group."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.deployment.sam import Deployed

# The lines that Lambda itself writes about each invocation.
LAMBDAS_OWN = ("START RequestId: ", "END RequestId: ", "REPORT RequestId: ")


@dataclass(frozen=True)
class Logs:
    """The messages of a log group: those of the functions, and those of Lambda itself."""

    messages: tuple[str, ...]
    lambdas_own: tuple[str, ...]

    @classmethod
    def of(cls, stack: Deployed, group: str) -> Logs:
        """Return everything that is in a group now."""
        messages = tuple(_messages(stack.client("logs"), group))
        own = tuple(message for message in messages if message.startswith(LAMBDAS_OWN))
        ours = tuple(message for message in messages if not message.startswith(LAMBDAS_OWN))
        return cls(ours, own)

    def lines(self) -> list[dict[str, Any]]:
        """Return the messages as JSON objects."""
        return [json.loads(message) for message in self.messages]


def _messages(client: Any, group: str) -> Iterator[str]:
    for page in client.get_paginator("filter_log_events").paginate(logGroupName=group):
        for event in page["events"]:
            yield from str(event["message"]).splitlines()
