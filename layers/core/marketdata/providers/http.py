"""The one HTTP helper: sends a request and returns the complete response before a deadline.

The helper does not retry, because each call is counted before it is made. It does not follow
redirects, because that would send keys to another host. Its errors show no URL. The library
requests is imported only here.
"""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPResponse, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

from marketdata.errors import UnavailableError
from marketdata.providers.contract import CallAllowance, Request, Response
from marketdata.providers.http_errors import described, is_unsent
from marketdata.redaction import shown_host
from marketdata.version import VERSION

CONNECT_TIMEOUT_S = 3.0
READ_TIMEOUT_S = 20.0
_CHUNK_BYTES = 64 * 1024
_HEADERS = {
    "User-Agent": f"market-data-aggregator/{VERSION}",
    "Accept": "application/json, */*",  # Alpha Vantage answers 406 to `text/csv`
    "Accept-Encoding": "gzip, deflate",
}


class HttpSender:
    """Sends requests over pooled connections. The threads of a process share one sender.

    `connect_timeout_s` and `read_timeout_s` bound the connection and each wait for more bytes;
    the deadline of `send` bounds everything together, name resolution included.
    """

    def __init__(
        self,
        connect_timeout_s: float = CONNECT_TIMEOUT_S,
        read_timeout_s: float = READ_TIMEOUT_S,
    ) -> None:
        self._connect_timeout_s = connect_timeout_s
        self._read_timeout_s = read_timeout_s
        self._session = requests.Session()
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, _Adapter())

    def warm(self) -> None:
        """Do nothing: importing this module loads requests."""

    def send(
        self, request: Request, timeout_s: float, allowance: CallAllowance | None = None
    ) -> Response:
        """Return the response, whatever its status; it costs one request.

        Raise `UnavailableError`, naming the host and what happened, when there is none within
        `timeout_s` seconds in all, or one that is longer than the request allows.
        """
        host = shown_host(request.url)
        if timeout_s <= 0:
            raise UnavailableError(f"{host}: no time left to ask")
        if allowance is not None:
            allowance.take(host)
        exchange = _Exchange(self, request, timeout_s)
        exchange.start()
        try:
            answered = exchange.done.wait(timeout_s)
        finally:
            exchange.abandon()
        if not answered:
            raise UnavailableError(f"{host}: no answer within {timeout_s:.1f} s")
        if exchange.response is None:
            if exchange.unsent and allowance is not None:
                allowance.note_unsent()
            # The library's error is not chained, because its text shows the whole URL.
            raise UnavailableError(f"{host}: {exchange.problem}")
        return exchange.response

    def close(self) -> None:
        """Close the pooled connections."""
        self._session.close()

    def exchange(self, request: Request, timeout_s: float) -> Response:
        """Do what `send` does, without the overall deadline, with the errors of the library."""
        prepared = requests.Request(
            request.method,
            request.url,
            headers={**_HEADERS, **request.headers},
            params=dict(request.params),
            json=request.json,
        ).prepare()
        url = prepared.url or request.url
        # A loopback URL is not requested through a proxy, even if the environment names one,
        # because for the proxy 127.0.0.1 is another machine.
        proxies = {"http": "", "https": "", "all": ""} if _is_loopback(url) else {}
        found = self._session.merge_environment_settings(url, proxies, True, None, None)  # noqa: FBT003
        # The adapter and not the session: a session would add cookies and credentials of .netrc,
        # and would read a redirect's body to the end before handing it back.
        answer = self._session.get_adapter(url).send(
            prepared,
            stream=True,
            timeout=(min(self._connect_timeout_s, timeout_s), min(self._read_timeout_s, timeout_s)),
            verify=found["verify"] or True,
            cert=found["cert"],
            proxies=found["proxies"],
        )
        with answer:
            body = _read(answer, request.most_bytes)
        headers = {name.lower(): value for name, value in answer.headers.items()}
        return Response(answer.status_code, headers, body)


class _Exchange(threading.Thread):
    """One HTTP exchange in a separate thread, so that the caller can stop waiting for it."""

    def __init__(self, sender: HttpSender, request: Request, timeout_s: float) -> None:
        super().__init__(name=f"http {shown_host(request.url)}", daemon=True)
        self.done = threading.Event()
        self.response: Response | None = None
        self.problem, self.unsent = "", False
        self._work = (sender, request, timeout_s)
        self._socket: Any = None
        self._abandoned = False

    def run(self) -> None:
        sender, request, timeout_s = self._work
        try:
            self.response = sender.exchange(request, timeout_s)
        except Exception as error:  # noqa: BLE001 whatever it is, the caller raises it
            self.problem, self.unsent = described(error), is_unsent(error)
        finally:
            self.done.set()

    def watch(self, connection: socket.socket) -> None:
        """Keep the socket that the answer will be read from."""
        self._socket = connection
        if self._abandoned:
            self._hang_up()

    def abandon(self) -> None:
        """Close the socket of an unfinished exchange, so that its thread ends."""
        self._abandoned = True
        if not self.done.is_set():
            self._hang_up()

    def _hang_up(self) -> None:
        if isinstance(self._socket, socket.socket):
            with suppress(OSError):  # the server may have closed the connection first
                # `SSLSocket.shutdown` would change the socket while the other thread reads from it.
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)


class _Connection(HTTPConnection):
    """An HTTP connection that gives its socket to the exchange that waits for it."""

    def getresponse(self) -> HTTPResponse:  # type: ignore[override]
        exchange = threading.current_thread()
        if isinstance(exchange, _Exchange):
            exchange.watch(self.sock)
        return super().getresponse()


class _TlsConnection(_Connection, HTTPSConnection):
    """The same over TLS."""


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


class _Adapter(HTTPAdapter):
    """The library's adapter with our connections, enough of them to keep for every call of a tick.

    It never retries: that is the default of the library, and the budgets rely on it.
    """

    def __init__(self) -> None:
        super().__init__(pool_connections=16, pool_maxsize=64, max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(*args, **kwargs)
        manager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}
        return manager


def _read(answer: requests.Response, most_bytes: int) -> bytes:
    """Return the complete body, unpacked; raise `UnavailableError` once it is too long.

    A body that is announced as too long is not read at all.
    """
    length = answer.headers.get("content-length", "")[:20]
    if length.isdecimal() and int(length) > most_bytes:
        raise UnavailableError(f"an answer of more than {most_bytes} bytes")
    body = bytearray()
    for chunk in answer.iter_content(_CHUNK_BYTES):
        body += chunk
        if len(body) > most_bytes:
            raise UnavailableError(f"an answer of more than {most_bytes} bytes")
    return bytes(body)


def _is_loopback(url: str) -> bool:
    host = (urlsplit(url).hostname or "").rstrip(".")
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
