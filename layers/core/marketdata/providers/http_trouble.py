"""What went wrong with a call, in words for people that hold no part of the request.

The HTTP library's errors tell the whole URL, key included, so their own text is never used.
"""

from __future__ import annotations

import os
import socket
import ssl
from collections.abc import Callable, Iterator
from http.client import RemoteDisconnected
from typing import Any

from requests import exceptions as of_requests
from urllib3 import exceptions as of_urllib3

from marketdata.errors import UnavailableError

# The first row that an error, or the nearest of its causes, belongs to says what happened.
_WORDS: tuple[tuple[tuple[type[BaseException], ...], Callable[[Any], str]], ...] = (
    ((UnavailableError,), str),
    ((of_requests.ProxyError,), lambda _: "the proxy did not connect us"),
    (
        (of_urllib3.NameResolutionError, socket.gaierror),
        lambda _: "name could not be resolved",
    ),
    ((ssl.SSLCertVerificationError,), lambda error: f"TLS: {error.verify_message}"),
    (
        (ssl.SSLError,),
        lambda error: f"TLS: {(error.reason or 'failed').replace('_', ' ').lower()}",
    ),
    ((of_requests.ConnectTimeout,), lambda _: "no connection in time"),
    (
        (of_requests.ReadTimeout, of_urllib3.ReadTimeoutError, TimeoutError),
        lambda _: "no answer in time",
    ),
    (
        (of_requests.ChunkedEncodingError, of_urllib3.IncompleteRead),
        lambda _: "the answer was cut off",
    ),
    ((of_urllib3.DecodeError,), lambda _: "the answer could not be unpacked"),
    ((RemoteDisconnected,), lambda _: "the connection was closed without an answer"),
)


def what_happened(error: BaseException) -> str:
    """An error of the HTTP library in our words; the name of its type where we know none."""
    for cause in _causes(error):
        for kinds, words in _WORDS:
            if isinstance(cause, kinds):
                return words(cause)
        if isinstance(cause, OSError) and cause.errno:
            return os.strerror(cause.errno).lower()
    return type(error).__name__


def _causes(error: BaseException) -> Iterator[BaseException]:
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__
