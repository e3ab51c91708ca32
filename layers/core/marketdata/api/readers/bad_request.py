"""The errors of the readers: a request that is wrong, and a value that is not allowed."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from marketdata.errors import MarketDataError


class BadRequestError(MarketDataError):
    """A request that has no answer. `code` is the kind, the message is for a person.

    `retry_after_s`: whole seconds until the same request may have an answer, None if never.
    `suggestions`: symbols that the client may have meant.
    """

    def __init__(
        self,
        code: str,
        message: str,
        retry_after_s: int | None = None,
        suggestions: tuple[str, ...] = (),
    ) -> None:
        super().__init__(message)
        self.code = code
        self.retry_after_s = retry_after_s
        self.suggestions = suggestions


class BadValueError(ValueError):
    """A value of a parameter that is not allowed; the message is what is allowed.

    `suggestions`: values that the client may have meant.
    """

    def __init__(self, allowed: str, suggestions: tuple[str, ...] = ()) -> None:
        super().__init__(allowed)
        self.suggestions = suggestions


def one_of(text: str, names: Iterable[str]) -> str:
    """Return a text that is one of these names. Raise BadValueError for any other text."""
    known = list(names)
    if text in known:
        return text
    raise BadValueError(f"one of {', '.join(known)}", nearest(text.lower(), known, cutoff=0.6))


def nearest(text: str, names: Iterable[str], *, cutoff: float) -> tuple[str, ...]:
    """Return the name that is most like a text, if any is; 1 is the highest `cutoff`."""
    return tuple(get_close_matches(text, list(names), n=1, cutoff=cutoff))
