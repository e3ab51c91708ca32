"""The one error of the readers: a request that is wrong."""

from __future__ import annotations

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
