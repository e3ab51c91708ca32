"""Sends Yahoo's calls through the real yfinance: its session, its cookie and its crumb.

yfinance has no public call for many symbols, so quotes and the screener take its private one
(`yahoo_private`); when that is gone, quotes are asked for one symbol at a time (`yahoo_symbols`).

What a call costs, once there is a cookie and a crumb (two requests, once): one request, whatever
the answer, but a refused crumb (401) costs the cookie, the crumb and the call once more.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from marketdata.errors import UnavailableError
from marketdata.providers.contract import Request, Response
from marketdata.providers.yahoo import QUOTE_PATH

if TYPE_CHECKING:
    from marketdata.providers.yahoo_private import PrivateData
    from marketdata.providers.yahoo_symbols import SymbolQuotes
    from marketdata.providers.yahoo_transport import Call, YahooTransport

log = logging.getLogger(__name__)

# What using something of yfinance that is gone, or is no longer like that, ends in.
_CHANGED = (AttributeError, ImportError, NameError, TypeError)


class YahooSender:
    """The sender for Yahoo; `base_url` replaces the origin of all its hosts.

    Threads share one sender, and wait for each other only while there is no crumb. `clock`:
    monotonic seconds. `symbol_requests_per_minute`: how many the per-symbol way may make.
    """

    def __init__(
        self,
        base_url: str = "",
        *,
        clock: Callable[[], float] = time.monotonic,
        symbol_requests_per_minute: int = 60,
    ) -> None:
        self._base_url = base_url
        self._clock = clock
        self._per_minute = symbol_requests_per_minute
        self._opening = threading.Lock()
        self._crumbing = threading.Lock()
        self._transport: YahooTransport | None = None
        self._symbols: SymbolQuotes | None = None
        self._data: PrivateData | None = None

    def send(self, request: Request, timeout_s: float) -> Response:
        """Yahoo's answer; cookie, crumb and every second try end within `timeout_s` too.

        Raises `UnavailableError`, naming the host and what happened, when there is none.
        """
        deadline = self._clock() + timeout_s
        transport, symbols = self._open()
        with transport.call(timeout_s, deadline) as call:
            try:
                answer = self._ask(self._private(transport), request, call)
                if answer.status not in (404, 410) or not _is_batch(request):
                    return replace(answer, secrets=transport.secrets(call))
                why = f"status {answer.status}"
            except _CHANGED as exc:
                why = f"yfinance has changed ({type(exc).__name__})"
                if not _is_batch(request):
                    raise UnavailableError(f"Yahoo: {why}") from None
            log.warning("yahoo batch path is gone", extra={"reason": why})
            return symbols.ask(request.params["symbols"].split(","), call)

    def warm(self) -> None:
        """Loads yfinance, which the first call else does within its own time."""
        self._open()

    def _open(self) -> tuple[YahooTransport, SymbolQuotes]:
        with self._opening:
            if self._transport is None or self._symbols is None:
                try:  # here, as yfinance brings pandas and takes most of a second
                    from marketdata.providers.yahoo_symbols import SymbolQuotes  # noqa: PLC0415
                    from marketdata.providers.yahoo_transport import YahooTransport  # noqa: PLC0415
                except ImportError as exc:
                    raise UnavailableError(f"Yahoo: yfinance cannot be loaded: {exc}") from exc
                self._transport = YahooTransport(self._base_url, self._clock)
                self._symbols = SymbolQuotes(self._transport, self._clock, self._per_minute)
            return self._transport, self._symbols

    def _private(self, transport: YahooTransport) -> PrivateData:
        with self._opening:
            if self._data is None:
                from marketdata.providers.yahoo_private import PrivateData  # noqa: PLC0415

                self._data = PrivateData(transport)
            return self._data

    def _ask(self, data: PrivateData, request: Request, call: Call) -> Response:
        answer = self._once(data, request, call)
        refused = answer.status == 401
        if refused:
            data.forget(call.crumb)
            answer = self._once(data, request, call)
        if answer.status in (401, 429):
            data.forget(call.crumb)
        if refused and answer.status == 401:
            data.change_strategy()
        return answer

    def _once(self, data: PrivateData, request: Request, call: Call) -> Response:
        with self._turn(data, call):
            return data.send(request, call)

    @contextmanager
    def _turn(self, data: PrivateData, call: Call) -> Iterator[None]:
        """One thread at a time while there is no crumb, all of them together when there is."""
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
