"""The errors of the HTTP library as short texts without any part of the request.

The texts of the library show the whole URL with its key, so they are never used.
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

# The first row that matches an error, or the nearest of its causes, describes the error.
_TEXTS: tuple[tuple[tuple[type[BaseException], ...], Callable[[Any], str]], ...] = (
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


def described(error: BaseException) -> str:
    """Return a text for an error of the HTTP library; its type's name for an unknown one."""
    for cause in _causes(error):
        for kinds, text_of in _TEXTS:
            if isinstance(cause, kinds):
                return text_of(cause)
        if isinstance(cause, OSError) and cause.errno:
            return os.strerror(cause.errno).lower()
    return type(error).__name__


def is_unsent(error: BaseException) -> bool:
    """Return whether an error says that no connection was made, so that nothing was sent."""
    unconnected = (of_requests.ConnectTimeout, of_urllib3.NewConnectionError, socket.gaierror)
    return any(isinstance(cause, unconnected) for cause in _causes(error))


def _causes(error: BaseException) -> Iterator[BaseException]:
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__
