"""Query parameters: one table per route that both reads them and documents them.

A parameter that a route does not know is refused, so that a misspelt one cannot be ignored in
silence.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request

from marketdata.api.problems import Problem

_SHOWN = 40  # characters of a client's own text that a detail repeats


@dataclass(frozen=True, slots=True, eq=False)
class Parameter:
    """One query parameter.

    `read` turns its text into its value and raises ValueError with what is allowed; a `repeatable`
    one is given all its texts joined by commas. Without a text its value is `default`, unless it
    is `required`. `schema` and `example`, if there is one, are for the documentation.
    """

    name: str
    meaning: str
    schema: Mapping[str, Any]
    read: Callable[[str], Any]
    example: Any
    default: Any = None
    required: bool = False
    repeatable: bool = False

    def document(self) -> dict[str, Any]:
        """The parameter as OpenAPI describes it."""
        told = {
            "name": self.name,
            "in": "query",
            "required": self.required,
            "description": self.meaning,
            "schema": dict(self.schema),
        }
        return told if self.example is None else {**told, "example": self.example}


def whole(low: int, high: int) -> Callable[[str], int]:
    """A reader of whole decimal numbers within two bounds, both included."""

    def read(text: str) -> int:
        if re.fullmatch(r"[0-9]{1,9}", text) and low <= int(text) <= high:
            return int(text)
        raise ValueError(f"a whole number from {low} to {high}")

    return read


def read_query(request: Request, parameters: Sequence[Parameter]) -> Mapping[str, Any]:
    """The value of every parameter of a route, by name.

    Raises `Problem` for one that is unknown, missing, given twice, or not allowed.
    """
    return _read(request.scope["query_string"], tuple(parameters))


@lru_cache(maxsize=256)  # a client that polls sends the same query again and again
def _read(query: bytes, parameters: tuple[Parameter, ...]) -> Mapping[str, Any]:
    given: dict[str, list[str]] = {}
    for name, text in parse_qsl(query.decode("latin-1"), keep_blank_values=True):
        given.setdefault(name, []).append(text)
    known = {parameter.name: parameter for parameter in parameters}
    for name in given:
        if name not in known:
            raise _unknown(name, known)
    return {name: _value(parameter, given.get(name)) for name, parameter in known.items()}


def _value(parameter: Parameter, texts: list[str] | None) -> Any:
    if texts is None:
        if parameter.required:
            raise Problem(
                "invalid_parameter",
                f"The parameter {parameter.name} is missing; for example "
                f"?{parameter.name}={parameter.example}",
            )
        return parameter.default
    if len(texts) > 1 and not parameter.repeatable:
        raise Problem("invalid_parameter", f"The parameter {parameter.name} is given twice.")
    try:
        return parameter.read(",".join(texts))
    except ValueError as error:
        raise Problem(
            "invalid_parameter",
            f"{parameter.name}={shown(texts[0])} is not allowed; allowed: {error}.",
        ) from None


def _unknown(name: str, known: Mapping[str, Parameter]) -> Problem:
    from difflib import get_close_matches  # noqa: PLC0415 - only a mistake pays for the import

    if not known:
        return Problem("unknown_parameter", f"{shown(name)} is unknown; this route takes none.")
    nearest = get_close_matches(name.lower(), known, n=1, cutoff=0.5)
    hint = f"did you mean {nearest[0]}?" if nearest else f"known: {', '.join(known)}."
    return Problem("unknown_parameter", f"The parameter {shown(name)} is unknown; {hint}")


def shown(text: str) -> str:
    """A client's own text, quoted and cut to a length that a person reads."""
    return repr(text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "...")
