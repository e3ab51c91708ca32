"""Types of fields that several answers have, and the base class of all answers."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, WithJsonSchema
from pydantic.json_schema import SkipJsonSchema

from marketdata.clock import utc_text

# An exact decimal, which JSON has as a plain number.
Number = Annotated[Decimal, WithJsonSchema({"type": "number"})]

# A time as RFC 3339 in UTC, with milliseconds only where it has any.
Time = Annotated[
    datetime,
    PlainSerializer(utc_text, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]


# A part of the OpenAPI document, as FastAPI and pydantic take and return it.
OpenApiPart = dict[str, Any]


def without_default(schema: OpenApiPart) -> None:
    """Document that a field may be absent and is never null."""
    schema.pop("default", None)


RetryAfter = Annotated[
    Annotated[int, Field(ge=1)] | SkipJsonSchema[None],
    Field(
        description="Seconds after which another request may succeed.",
        json_schema_extra=without_default,
    ),
]


class MarketKind(StrEnum):
    """Whether the prices are live or simulated."""

    LIVE = "live"
    SIMULATED = "simulated"


class Shape(BaseModel):
    """An answer, or a part of one; it has exactly these fields."""

    # Built when it is first used: the import of the api need not wait for that.
    model_config = ConfigDict(extra="forbid", defer_build=True)
