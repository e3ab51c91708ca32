"""The context that Lambda gives to a handler, with the fields that Powertools reads."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

_NUMBERS = itertools.count(1)


@dataclass(frozen=True)
class LambdaContext:
    """One invocation of a function; each has another request id."""

    function_name: str = "a-function"
    memory_limit_in_mb: int = 512
    invoked_function_arn: str = "arn:aws:lambda:eu-central-1:123456789012:function:a-function"
    aws_request_id: str = field(default_factory=lambda: f"request-{next(_NUMBERS)}")
