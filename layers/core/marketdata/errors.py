"""The errors of the project, in one tree, so that a caller can catch exactly what it can handle.

Foreign exceptions (redis, requests, yfinance) become one of these at the adapter that raised
them. HTTP statuses are not chosen here but in the API.
"""

from __future__ import annotations


class MarketDataError(Exception):
    """Base of all errors that this project raises."""


# Errors in the input of a person or a client.


class InvalidSymbolError(MarketDataError, ValueError):
    """Text that is not a symbol; the message has the text and what is allowed."""


class SettingsError(MarketDataError, ValueError):
    """A setting with a wrong value; the message has the name, the value and what is allowed."""


class InvalidEventError(MarketDataError, ValueError):
    """An event that is not the message that a function takes; the message says what is wrong."""


# Errors of the cache and the archive.


class CacheUnavailableError(MarketDataError):
    """Redis did not answer in time, did not accept the connection, or rejected the command."""


class WrongTypeError(CacheUnavailableError):
    """A key in Redis holds another type of value than the one that we write there."""


class ArchiveError(MarketDataError):
    """The archive of asset lists could not be read or written."""


# Errors of providers. Each one is a row of the outcome table.


class ProviderError(MarketDataError):
    """A call to a provider that gives no quotes at all.

    The message is for people and must hold neither keys nor URLs with a query.
    """


class RateLimitedError(ProviderError):
    """The provider says that calls came too often, or that a quota is used up.

    `retry_after_s`: seconds until it may be asked again, where the answer says or implies that.
    """

    def __init__(self, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class UnauthorizedError(ProviderError):
    """The provider rejects our key: missing, mistyped, expired or disabled."""


class NotEntitledError(ProviderError):
    """The key is good, but its plan does not include what was asked."""


class UnavailableError(ProviderError):
    """No usable answer: timeout, refused connection, unknown host or a 5xx status."""


class CallsSpentError(ProviderError):
    """The calls that the budget granted were used up before there was an answer.

    The provider did nothing wrong.
    """


class BadPayloadError(ProviderError):
    """An answer came, but it is not what the provider documents: HTML, cut JSON, wrong types."""
