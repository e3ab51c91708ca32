"""The curl_cffi session for all requests of yfinance, with limits on time, size and calls.

By itself yfinance waits a fixed 30 s for a crumb, repeats each failed request with another kind of
cookie, and keeps any text as the crumb. In this session each call has one deadline, and each
request is taken from the call's allowance before it is made. A failed request is not repeated, an
answer is not read beyond its limit, and a text that cannot be a crumb is never kept. No host but
Yahoo's (or the one base URL that replaces all of them) is asked. `yahoo_call` describes a call and
its errors. This file loads curl_cffi, so it is imported on first use.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import urljoin, urlsplit

from curl_cffi import CurlOpt, requests
from curl_cffi.curl import CURL_WRITEFUNC_ERROR
from curl_cffi.requests import exceptions as curl_errors
from curl_cffi.requests.session import HttpMethod

from marketdata.domain.outcomes import ADDRESS_NOT_ACCEPTED
from marketdata.errors import UnavailableError
from marketdata.providers.contract import MOST_LIST_BYTES, CallAllowance, Response
from marketdata.providers.yahoo import TOO_MANY
from marketdata.providers.yahoo_call import (
    AnsweredError,
    Call,
    CrumbMissingError,
    NoCrumbError,
    plausible_crumb,
)
from marketdata.redaction import shown_host

# The keyword arguments of `requests.Session.request` of curl_cffi, which yfinance passes.
RequestOptions = dict[str, Any]

DATA_HOSTS = frozenset({"query1.finance.yahoo.com", "query2.finance.yahoo.com"})
COOKIE_HOSTS = frozenset(
    {"fc.yahoo.com", "guce.yahoo.com", "consent.yahoo.com", "finance.yahoo.com"}
)
_COOKIE_PAGE = "fc.yahoo.com"
CRUMB_PATH = "/v1/test/getcrumb"

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MAX_HOPS = 5
_MOST_COOKIE_CHARS = 4096  # bytes of one header that sets a cookie
# yfinance has a second way to a cookie, so the first may not use up the whole time of a call.
_COOKIE_SHARE = 1 / 3
_SHORTEST_TIMEOUT_S = 0.002  # curl counts in milliseconds, and 0 means no limit

_FAILURES: tuple[tuple[type[Exception], str], ...] = (
    (curl_errors.DNSError, "the name could not be resolved"),
    (curl_errors.Timeout, "timed out"),
    (curl_errors.SSLError, "TLS failed"),
    (curl_errors.ProxyError, "the proxy failed"),
    (curl_errors.IncompleteRead, "the answer was cut off"),
    (curl_errors.ConnectionError, "the connection failed"),
)


def is_rate_limit(answer: requests.Response) -> bool:
    """Return whether an answer is a rate limit, which may have status 200."""
    return answer.status_code == 429 or answer.content[:200].lstrip().startswith(TOO_MANY)


def response_of(answer: requests.Response) -> Response:
    """Return a curl response as ours."""
    headers = {name.lower(): value or "" for name, value in answer.headers.items()}
    return Response(answer.status_code, headers, answer.content)


class YahooTransport(requests.Session[requests.Response]):
    """A session that yfinance accepts as its own; `base_url` replaces every Yahoo origin."""

    def __init__(self, base_url: str = "", clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(
            impersonate="chrome",
            discard_cookies=bool(base_url),  # see _once
            curl_options={CurlOpt.MAXFILESIZE_LARGE: MOST_LIST_BYTES},
        )
        self._origin = base_url.rstrip("/")
        self._has_cookie = False
        # Replaced and never changed, because threads read it.
        self._cookie_values: dict[str, str] = {}
        self._clock = clock
        self._calls = threading.local()

    @contextmanager
    def call(
        self, timeout_s: float, deadline: float, allowance: CallAllowance, most_bytes: int
    ) -> Iterator[Call]:
        """Limit the requests of this thread within the block: deadline, number, size of answers."""
        call = Call(timeout_s, deadline, self._clock, allowance, most_bytes)
        self._calls.current = call
        try:
            yield call
        finally:
            self._calls.current = None

    def request(  # type: ignore[override]  # the forty options pass as they come
        self, method: HttpMethod, url: str, **options: Any
    ) -> requests.Response:
        """Make one request for yfinance, within the limits of the call and only to Yahoo.

        Raise `AnsweredError` for a rate limit and for a data call's failure, `NoCrumbError` when
        no crumb came, `CrumbMissingError` in place of a data call without a crumb,
        `UnavailableError` past the deadline and `CallsSpentError` past the allowance.
        """
        call = getattr(self._calls, "current", None)
        if call is None:
            raise UnavailableError("yfinance asked for something outside of a call")
        host = urlsplit(url).hostname
        wants_crumb = urlsplit(url).path == CRUMB_PATH
        is_data = host in DATA_HOSTS and not wants_crumb
        if is_data:
            _note_crumb(call, (options.get("params") or {}).get("crumb"))
        elif call.crumbless:
            raise NoCrumbError("neither cookie nor crumb is needed")
        elif host == _COOKIE_PAGE and self._has_cookie:
            return requests.Response()  # yfinance requests this page each time and does not read it
        answer = self._follow(call, method, url, options)
        if is_rate_limit(answer) or (is_data and _failed(answer)):
            raise AnsweredError(response_of(answer))
        if wants_crumb and (answer.status_code != 200 or not plausible_crumb(answer.text)):
            call.crumb_problem = _crumb_problem(shown_host(self._target(url)), answer)
            raise NoCrumbError(call.crumb_problem)
        if host == _COOKIE_PAGE:
            self._has_cookie = True
        return answer

    def forget_cookies(self) -> None:
        """Drop all cookies, so that the cookie page is asked again."""
        self._has_cookie = False
        self.cookies.clear()

    def secrets(self, call: Call) -> tuple[str, ...]:
        """Return the crumb and the cookies of a call, without values as short as a flag."""
        return tuple(v for v in (call.crumb or "", *self._cookie_values.values()) if len(v) >= 8)

    def _follow(
        self, call: Call, method: HttpMethod, url: str, options: RequestOptions
    ) -> requests.Response:
        # curl would follow a redirect to any host, so redirects are followed here.
        options = {**options, "allow_redirects": False}
        for _ in range(_MAX_HOPS):
            answer = self._once(call, method, url, options)
            location = answer.headers.get("location")
            if answer.status_code not in _REDIRECTS or not location:
                answer.url = url  # yfinance looks for the consent page by its real name
                return answer
            url = urljoin(url, location)
            options.pop("params", None)  # the location has the parameters already
            if answer.status_code not in (307, 308):
                method = "GET"
                options.pop("data", None)
                options.pop("json", None)
        raise UnavailableError(f"{shown_host(self._target(url))}: more than {_MAX_HOPS} redirects")

    def _once(
        self, call: Call, method: HttpMethod, url: str, options: RequestOptions
    ) -> requests.Response:
        target = self._target(url)
        host, left_s = shown_host(target), call.left_s()
        if left_s < _SHORTEST_TIMEOUT_S:
            raise call.too_late(host)
        if urlsplit(url).hostname in COOKIE_HOSTS:
            left_s *= _COOKIE_SHARE
        used = call.allowance.used
        if not call.allowance.left and used and used == call.allowance.unsent:
            raise UnavailableError(call.failure)  # no network is the cause, not the budget
        call.allowance.take(host)
        body = _Body(call.most_bytes)
        try:
            answer = super().request(
                method, target, **{**options, "timeout": left_s, "content_callback": body.add}
            )
        except curl_errors.RequestException as exc:
            call.failure = f"{host}: {_problem(exc)}"
            if exc.response is not None and exc.response.request_size == 0:  # not even a head
                call.allowance.note_unsent()
            if body.is_too_long:
                too_long = f"{host}: an answer of more than {call.most_bytes} bytes"
                raise UnavailableError(too_long) from None
            raise
        answer.content = bytes(body.data)
        call.answer = response_of(answer)
        cookies = dict(_cookies_of(answer))
        self._cookie_values = self._cookie_values | cookies
        # With a base URL curl does not take the cookies, because their domain is yahoo.com.
        for name, value in cookies.items() if self._origin else ():
            self.cookies.set(name, value)
        return answer

    def _target(self, url: str) -> str:
        """Return the URL that a request for `url` is sent to."""
        parts, origin = urlsplit(url), urlsplit(self._origin)
        if self._origin and (parts.scheme, parts.netloc) == (origin.scheme, origin.netloc):
            return url  # a redirect within the base URL
        if parts.scheme != "https" or parts.hostname not in DATA_HOSTS | COOKIE_HOSTS:
            raise UnavailableError(f"{parts.hostname}: not one of Yahoo's hosts, so not asked")
        if not self._origin:
            return url
        return self._origin + (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


class _Body:
    """Collects a body as it is unpacked, up to its limit."""

    def __init__(self, most_bytes: int) -> None:
        self.data = bytearray()
        self.is_too_long = False
        self._most_bytes = most_bytes

    def add(self, chunk: bytes) -> int:
        """Take the next part; a number other than its length ends the transfer."""
        if len(self.data) + len(chunk) > self._most_bytes:
            self.is_too_long = True
            return CURL_WRITEFUNC_ERROR
        self.data += chunk
        return len(chunk)


def _note_crumb(call: Call, crumb: str | None) -> None:
    """Note the crumb of a data call. Raise an error if the call needs one and has none."""
    call.crumb = crumb
    if crumb is not None or call.crumbless:
        return
    if call.failure and not call.crumb_problem:  # nothing answered at all
        raise UnavailableError(call.failure)
    raise CrumbMissingError(f"no crumb: {call.crumb_problem or 'no cookie came'}")


def _cookies_of(answer: requests.Response) -> Iterator[tuple[str, str]]:
    """Yield the names and values of the cookies that an answer sets."""
    for line in answer.headers.get_list("set-cookie"):
        if not line or len(line) > _MOST_COOKIE_CHARS:
            continue
        with suppress(CookieError):
            yield from ((name, cookie.value) for name, cookie in SimpleCookie(line).items())


def _failed(answer: requests.Response) -> bool:
    """Return whether an answer is an error or a page; yfinance handles the consent page."""
    is_page = answer.content[:200].lstrip().startswith(b"<")
    return answer.status_code >= 400 or (is_page and urlsplit(answer.url).hostname in DATA_HOSTS)


def _crumb_problem(host: str, answer: requests.Response) -> str:
    """Return why an answer has no crumb, for people."""
    is_page = answer.content[:200].lstrip().startswith(b"<")
    kind = "a page" if is_page else "no crumb"
    address = f", Yahoo {ADDRESS_NOT_ACCEPTED}" if is_page and answer.status_code == 403 else ""
    return f"{host}{CRUMB_PATH}: {kind}, status {answer.status_code}{address}"


def _problem(exc: curl_errors.RequestException) -> str:
    for kind, text in _FAILURES:
        if isinstance(exc, kind):
            return text
    return f"the request failed (curl error {exc.code})"
