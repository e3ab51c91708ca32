"""The reasons of missing quotes as clients get them."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import TypeAdapter

from marketdata.api.schemas.quotes import SymbolError
from marketdata.domain.outcomes import MissingQuote

_ERRORS = TypeAdapter(list[SymbolError])


def error_json(error: MissingQuote) -> bytes:
    """Return one error as a JSON object."""
    return _shown(error).model_dump_json(exclude_defaults=True).encode()


def errors_json(errors: Sequence[MissingQuote]) -> bytes:
    """Return the array `errors` of an answer."""
    return _ERRORS.dump_json([_shown(error) for error in errors], exclude_defaults=True)


def _shown(error: MissingQuote) -> SymbolError:
    return SymbolError(
        symbol=error.symbol,
        code=error.code,
        message=error.message,
        retry_after=error.retry_after_s,
        suggestions=list(error.suggestions),
    )
