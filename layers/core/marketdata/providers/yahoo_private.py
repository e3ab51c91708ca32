"""The one place that uses private parts of yfinance.

`YfData` gets the cookie and the crumb and adds them to a call. The version of yfinance is pinned,
and a test finds what a new version changed. Until this file is adapted, `yahoo_symbols` works
without it.
"""
# ruff: noqa: SLF001  # private names are what this file is for

from __future__ import annotations

import json
from typing import Any

from yfinance import cache
from yfinance.data import YfData

from marketdata.errors import MarketDataError, UnavailableError
from marketdata.providers.contract import Request, Response
from marketdata.providers.yahoo_call import AnsweredError, Call, plausible_crumb
from marketdata.providers.yahoo_transport import YahooTransport, response_of


class PrivateData:
    """One `YfData` with a separate cookie and crumb.

    yfinance makes the class a singleton, and the session that is set last replaces all others. This
    object is made past the singleton, so its cookie and crumb stay with the host they came from.
    """

    def __init__(self, transport: YahooTransport) -> None:
        # A cookie on the disk would be used again after Yahoo has rejected it.
        cache._CookieCacheManager._Cookie_cache = cache._CookieCacheDummy()
        self._data: Any = type.__call__(YfData, session=transport)
        self._transport = transport

    @property
    def crumb(self) -> str | None:
        """The crumb of the next call; None without one, and for a text that cannot be a crumb."""
        crumb = self._data._crumb
        return crumb if plausible_crumb(crumb) else None

    def clear_poison(self) -> None:
        """Drop a kept crumb that cannot be one, such as "Too Many Requests"."""
        if self._data._crumb is not None and self.crumb is None:
            self.forget(self._data._crumb)

    def forget(self, used: str | None) -> None:
        """Drop cookie and crumb, so that the next call fetches new ones.

        Nothing happens if another thread has replaced the crumb that was `used` already.
        """
        if self._data._crumb == used:
            self._data._crumb = self._data._cookie = None
            self._transport.forget_cookies()

    def change_strategy(self) -> None:
        """Make the next call fetch its cookie in the other of the two ways that yfinance knows."""
        basic = self._data._cookie_strategy == "basic"
        self._data._set_cookie_strategy("csrf" if basic else "basic")

    def send(self, request: Request, call: Call) -> Response:
        """Return Yahoo's answer to one request with the crumb, whatever its status.

        Raise `UnavailableError` if there is no answer. An `AttributeError` or `TypeError` of
        yfinance means that its private parts have changed; the caller handles it.
        """
        params, left_s = request.params, call.left_s()
        try:
            if request.method == "POST":
                body = json.dumps(request.json, separators=(",", ":"), ensure_ascii=False)
                answer = self._data.post(request.url, params=params, data=body, timeout=left_s)
            else:
                answer = self._data.get(request.url, params=params, timeout=left_s)
        except AnsweredError as error:
            return error.response
        except (MarketDataError, AttributeError, NameError, TypeError):
            raise
        except Exception as exc:  # noqa: BLE001  # yfinance, curl and bs4 raise what they like
            # Without the text of yfinance's error and without chaining: both may show a crumb.
            failure = call.failure or f"Yahoo: yfinance failed with {type(exc).__name__}"
            raise UnavailableError(failure) from None
        return response_of(answer)
