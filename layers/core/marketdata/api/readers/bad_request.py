"""The one error of reading: a request that cannot be answered as it stands."""

from __future__ import annotations

from marketdata.errors import MarketDataError


class RefusedRequestError(MarketDataError):
    """A request that has no answer. `code` says which kind, `str()` tells a person why.

    `retry_after_s`: whole seconds until the same request may have one, where it ever will.
    """

    def __init__(self, code: str, message: str, retry_after_s: int | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.retry_after_s = retry_after_s
