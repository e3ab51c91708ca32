"""The errors of the project, in one tree, so that a caller can catch exactly what it can handle.

Foreign exceptions (redis, requests, yfinance) become one of these at the adapter that raised
them. HTTP statuses are not chosen here but in the API.
"""

from __future__ import annotations


class MarketDataError(Exception):
    """Anything that this project raises on purpose."""


# What a person or a client got wrong.


class InvalidSymbolError(MarketDataError, ValueError):
    """A symbol that fits none of the accepted spellings; the message names it and the rule."""


class SettingsError(MarketDataError, ValueError):
    """A setting with a value that is not allowed; the message names both and what is allowed."""


class InvalidEventError(MarketDataError, ValueError):
    """An event that is not the message that a function takes; the message says what is wrong."""


# What our own parts could not do.


class CacheUnavailableError(MarketDataError):
    """Redis did not answer in time, refused the connection or refused the command."""


class WrongTypeError(CacheUnavailableError):
    """A key in Redis holds another type of value than the one that we write there."""


class ArchiveError(MarketDataError):
    """The archive of asset lists could not be read or written."""


# What a provider did instead of answering. Each is one row of the outcome table.


class ProviderError(MarketDataError):
    """A provider's answer, or silence, that yields no quotes at all.

    The message is for people and must hold neither keys nor URLs with a query.
    """


class RateLimitedError(ProviderError):
    """The provider says that we asked too often, or that a quota is spent.

    `retry_after_s`: seconds until it may be asked again, where the answer says or implies that.
    """

    def __init__(self, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class UnauthorizedError(ProviderError):
    """The provider refuses our key: missing, mistyped, expired or disabled."""


class NotEntitledError(ProviderError):
    """The key is good, but its plan does not include what was asked."""


class UnavailableError(ProviderError):
    """Nothing usable came back: timeout, refused connection, unknown host or a 5xx status.

    `unsent`: the request never reached the provider, so the provider cannot have counted it.
    """

    def __init__(self, message: str, *, unsent: bool = False) -> None:
        super().__init__(message)
        self.unsent = unsent


class CallsSpentError(ProviderError):
    """The calls that the budget granted were used up before there was an answer.

    That is no fault of the provider's.
    """


class BadPayloadError(ProviderError):
    """An answer came, but it is not what the provider documents: HTML, cut JSON, wrong types."""
