"""Sends Yahoo's calls through the real yfinance: its session, its cookie and its crumb.

yfinance has no public call for many symbols, so quotes and the screener use a private one
(`yahoo_private`). While that call fails or there is no crumb, quotes are fetched one symbol at a
time (`yahoo_symbols`).

Each HTTP request is taken from the allowance of the call before it is made. A call is one request
once there are a cookie and a crumb. These cost two more, at first and after a crumb that Yahoo does
not accept any more. When the allowance ends, what was fetched is kept for the next call.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from marketdata.domain.catalogue import FACTS
from marketdata.domain.quotes import Source
from marketdata.errors import UnavailableError
from marketdata.providers.contract import CallAllowance, Request, Response
from marketdata.providers.yahoo import QUOTE_PATH
from marketdata.providers.yahoo_call import Call, CrumbMissingError

if TYPE_CHECKING:
    from marketdata.providers.yahoo_private import PrivateData
    from marketdata.providers.yahoo_symbols import SymbolQuotes
    from marketdata.providers.yahoo_transport import YahooTransport

log = logging.getLogger(__name__)

# How long quotes are fetched one symbol at a time before the call for many symbols is tried again.
PAUSE_S = 30.0
# After this many calls in a row without a good crumb, that pause begins.
_CRUMB_FAILURES = 2
# Requests for a cookie, a crumb and the call itself.
_RENEWAL = 3
# The errors of using a private part of yfinance that is gone or has changed.
_CHANGED = (AttributeError, ImportError, NameError, TypeError)


class YahooSender:
    """The sender for Yahoo; `base_url` replaces the origin of all its hosts.

    Threads share one sender. They wait for each other only while there is no crumb. `clock`:
    monotonic seconds. `proxy_url` returns the URL of a proxy between us and Yahoo, for addresses
    that Yahoo does not accept; empty for none.
    """

    def __init__(
        self,
        base_url: str = "",
        *,
        proxy_url: Callable[[], str] = str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._base_url = base_url
        self._proxy_url = proxy_url
        self._clock = clock
        self._opening = threading.Lock()
        self._crumbing = threading.Lock()
        self._is_proxy_known = False
        self._transport: YahooTransport | None = None
        self._symbols: SymbolQuotes | None = None
        self._data: PrivateData | None = None
        self._crumb_failures = 0
        self._problem = ""
        self._paused_until_s = 0.0

    def send(
        self, request: Request, timeout_s: float, allowance: CallAllowance | None = None
    ) -> Response:
        """Return Yahoo's answer; cookie, crumb and every second try end within `timeout_s` too.

        Raise `UnavailableError`, naming the host and what happened, when there is none, and
        `CallsSpentError` when that takes more requests than are allowed.
        """
        deadline = self._clock() + timeout_s
        transport, symbols = self._open()
        allowed = allowance or CallAllowance(1 + FACTS[Source.YFINANCE].extra_calls)
        with transport.call(timeout_s, deadline, allowed, request.most_bytes) as call:
            if not _is_batch(request):
                return self._answer(transport, request, call)
            if self._clock() >= self._paused_until_s:
                answer = self._batch(transport, request, call)
                if answer is not None:
                    return answer
            names = request.params["symbols"].split(",")
            note = f"Yahoo: {self._problem}; one symbol at a time"
            return replace(symbols.ask(names, call, note), note=note)

    def warm(self) -> None:
        """Load yfinance; otherwise the first call loads it within its own time."""
        transport, _ = self._open()
        with suppress(*_CHANGED):  # each call tries again, and says so
            self._private(transport)

    def _open(self) -> tuple[YahooTransport, SymbolQuotes]:
        with self._opening:
            if self._transport is None or self._symbols is None:
                try:  # imported here, because yfinance imports pandas and takes most of a second
                    from marketdata.providers.yahoo_symbols import SymbolQuotes  # noqa: PLC0415
                    from marketdata.providers.yahoo_transport import YahooTransport  # noqa: PLC0415
                except ImportError as exc:
                    raise UnavailableError(f"Yahoo: yfinance cannot be loaded: {exc}") from exc
                self._transport = YahooTransport(self._base_url, self._clock)
                self._symbols = SymbolQuotes(self._transport)
            if not self._is_proxy_known:
                self._is_proxy_known = self._use_proxy()
            return self._transport, self._symbols

    def _use_proxy(self) -> bool:
        """Give yfinance the proxy; return whether it is known. Without one Yahoo is asked as is."""
        from marketdata.providers.yahoo_symbols import use_proxy  # noqa: PLC0415

        try:
            url = self._proxy_url()
        except UnavailableError as error:
            log.warning("proxy for yahoo is not known", extra={"error": str(error)})
            return False
        if url:
            use_proxy(url)
        return True

    def _private(self, transport: YahooTransport) -> PrivateData:
        with self._opening:
            if self._data is None:
                from marketdata.providers.yahoo_private import PrivateData  # noqa: PLC0415

                self._data = PrivateData(transport)
            return self._data

    def _answer(self, transport: YahooTransport, request: Request, call: Call) -> Response:
        """Return the answer to a call that `yahoo_symbols` cannot replace."""
        try:
            answer = self._ask(self._private(transport), request, call)
        except _CHANGED as exc:
            raise UnavailableError(f"Yahoo: yfinance has changed ({type(exc).__name__})") from None
        return replace(answer, secrets=transport.secrets(call))

    def _batch(self, transport: YahooTransport, request: Request, call: Call) -> Response | None:
        """Return the answer of the quote call; None if quotes must be asked for one at a time."""
        try:
            answer = self._ask(self._private(transport), request, call)
        except _CHANGED as exc:
            problem = f"yfinance has changed ({type(exc).__name__})"
        except CrumbMissingError as error:
            if self._crumb_failures < _CRUMB_FAILURES:
                raise
            problem = str(error)
        else:
            if answer.status in (404, 410):
                problem = f"the quote call is gone (status {answer.status})"
            elif answer.status == 401 and self._crumb_failures >= _CRUMB_FAILURES:
                problem = "the crumb is not accepted (status 401)"
            else:
                return replace(answer, secrets=transport.secrets(call))
        self._problem = problem
        self._paused_until_s = self._clock() + PAUSE_S
        log.warning("yahoo quote call is not usable", extra={"reason": problem})
        return None

    def _ask(self, data: PrivateData, request: Request, call: Call) -> Response:
        """Return the answer; a crumb that is missing or not accepted is fetched anew, once."""
        is_new = data.crumb is None
        try:
            answer = self._once(data, request, call)
        except CrumbMissingError:
            self._crumb_failures += 1
            # The cookie is kept, so only a crumb and the call itself are needed.
            if self._crumb_failures > 1 or call.allowance.left < _RENEWAL - 1:
                self._renounce(data)
                raise
            is_new = True
            answer = self._once_more(data, request, call)
        else:
            if answer.status == 401 and call.allowance.left >= _RENEWAL:
                data.forget(call.crumb)
                is_new = True
                answer = self._once_more(data, request, call)
        if answer.status in (401, 429):
            data.forget(call.crumb)
        if answer.status == 401 and is_new:
            self._crumb_failures += 1
            self._renounce(data)
        elif answer.status != 401:
            self._crumb_failures = 0
        return answer

    def _once_more(self, data: PrivateData, request: Request, call: Call) -> Response:
        try:
            return self._once(data, request, call)
        except CrumbMissingError:
            self._crumb_failures += 1
            self._renounce(data)
            raise

    @staticmethod
    def _renounce(data: PrivateData) -> None:
        """Drop the cookie; the next call fetches one in yfinance's other way."""
        data.forget(None)
        data.change_strategy()

    def _once(self, data: PrivateData, request: Request, call: Call) -> Response:
        with self._turn(data, call):
            return data.send(request, call)

    @contextmanager
    def _turn(self, data: PrivateData, call: Call) -> Iterator[None]:
        """Let one thread pass at a time while there is no crumb, and all threads afterwards."""
        if data.crumb is None:
            if not self._crumbing.acquire(timeout=max(call.left_s(), 0)):
                raise call.too_late("another call for Yahoo's crumb")
            try:
                if data.crumb is None:
                    data.clear_poison()
                    yield
                    return
            finally:
                self._crumbing.release()
        yield


def _is_batch(request: Request) -> bool:
    return request.method == "GET" and urlsplit(request.url).path == QUOTE_PATH
