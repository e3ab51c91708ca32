"""The answer of a request that fails."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field

from marketdata.api.schemas.fields import RetryAfter


class Problem(BaseModel):
    """Why a request has no answer (RFC 9457)."""

    type: str = Field(description="A link to the meaning of `code`.")
    title: str
    status: Annotated[int, Field(ge=400, le=599)]
    detail: str = Field(description="What is wrong, for a person.")
    code: str = Field(description="The kind of problem, for a program.")
    instance: str = Field(description="The path that was asked for.")
    retry_after: RetryAfter = None
    suggestions: list[str] = Field(
        default_factory=list,
        description="What may have been meant in place of what is wrong: symbols, values, or the "
        "name of a parameter or path.",
    )
