"""`make smoke URL=...`: checks a service that was just deployed, from outside over HTTP.

It asks for one quote of each class, health, the board, the documentation, a browser's preflight
and one invalid request. It writes nothing, needs no AWS credentials, and exits with 1 if a check
fails.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

import requests

from local.service.terminal import say

SYMBOLS = {"stocks": "AAPL", "crypto": "BTC-USD", "forex": "EUR/USD"}
ORIGIN = "https://example.com"
# The first prices of a new stack come in the second minute after its deployment.
WAIT_S = 180.0
LOOK_S = 2.0
TIMEOUT_S = 15.0
PROBLEM = "application/problem+json"


class SmokeError(Exception):
    """Error of a failed check; the message has the expected and the actual answer."""


@dataclass(frozen=True)
class Target:
    """The service to check.

    `headers` are sent with each request except the preflight. `certificate`: a file with a
    certificate to trust in addition to the usual ones. `origin`: one of the origins in
    AllowedOrigins.
    """

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    certificate: str | None = None
    origin: str = ORIGIN

    def get(self, path: str) -> requests.Response:
        """Return the response to a GET from a page of `origin`."""
        return self._request("GET", path, {**self.headers, "Origin": self.origin})

    def preflight(self, path: str) -> requests.Response:
        """Return the response to the request that a browser sends before a page may read `path`."""
        asked = {"Origin": self.origin, "Access-Control-Request-Method": "GET"}
        return self._request("OPTIONS", path, asked)

    def _request(self, method: str, path: str, headers: Mapping[str, str]) -> requests.Response:
        url = self.url.rstrip("/") + path
        trust = self.certificate or True
        try:
            return requests.request(
                method, url, headers=headers, verify=trust, timeout=TIMEOUT_S, allow_redirects=False
            )
        except requests.RequestException as error:
            raise SmokeError(f"{method} {url}: {error}") from error


def health(target: Target) -> str:
    """Return the status that /health tells, unless it is `unhealthy`."""
    payload = _json(target.get("/health"), 200)
    status = payload.get("status")
    _expect(status in ("healthy", "degraded"), f"healthy or degraded, not {status!r}")
    return ": ".join([str(status), *payload.get("reasons", ())[:1]])


def quotes(target: Target) -> str:
    """Return a fresh price of each class."""
    payload = _json(target.get(f"/v1/quotes?symbols={','.join(SYMBOLS.values())}"), 200)
    found = {quote["symbol"]: quote for quote in payload["quotes"]}
    reasons = {error["symbol"]: error["code"] for error in payload["errors"]}
    for asset_class, symbol in SYMBOLS.items():
        quote = found.get(symbol)
        _expect(quote is not None, f"a quote of {symbol} ({reasons.get(symbol)})")
        _expect(quote["asset_class"] == asset_class, f"{symbol} in {asset_class}")
        _expect(quote["price"] > 0, f"a price of {symbol} above zero, not {quote['price']}")
        _expect(quote["stale"] is False, f"a fresh price of {symbol}")
    return ", ".join(
        f"{symbol} {found[symbol]['price']} {found[symbol]['currency']} ({found[symbol]['source']})"
        for symbol in SYMBOLS.values()
    )


def board(target: Target) -> str:
    """Return the type of the page at `/`."""
    return _page(target, "/")


def documentation(target: Target) -> str:
    """Return how many paths the OpenAPI document has; /docs is its page."""
    _page(target, "/docs")
    paths = _json(target.get("/openapi.json"), 200).get("paths", {})
    _expect("/v1/quotes" in paths, "/v1/quotes in /openapi.json")
    return f"/docs, and /openapi.json with {len(paths)} paths"


def cors(target: Target) -> str:
    """Return which origins may read the API; a preflight and a GET must say the same."""
    reply = target.preflight("/v1/quotes")
    _expect(reply.status_code in (200, 204), f"200 or 204, not {reply.status_code}")
    methods = reply.headers.get("Access-Control-Allow-Methods", "")
    _expect("GET" in methods or methods == "*", f"GET in Access-Control-Allow-Methods: {methods!r}")
    allowed = reply.headers.get("Access-Control-Allow-Origin")
    _expect(allowed in ("*", target.origin), f"{target.origin} allowed, not {allowed!r}")
    read = target.get("/health").headers.get("Access-Control-Allow-Origin")
    _expect(read == allowed, f"a GET that allows {allowed!r}, not {read!r}")
    return f"allowed origin {allowed}"


def invalid_request(target: Target) -> str:
    """Return the code of the problem that a misspelt parameter gets."""
    reply = target.get("/v1/quotes?symbol=AAPL")
    payload = _json(reply, 400)
    kind = reply.headers.get("Content-Type")
    _expect(kind == PROBLEM, f"{PROBLEM}, not {kind!r}")
    _expect("symbol" in payload.get("detail", ""), "the parameter's name in the detail")
    return f"400 {payload.get('code')}"


Check = Callable[[Target], str]
CHECKS: tuple[Check, ...] = (quotes, health, board, documentation, cors, invalid_request)


def smoke(target: Target, wait_s: float = WAIT_S, report: Callable[[str, str], None] = say) -> bool:
    """Run every check and report each in a line; whether all passed.

    The first check, of the quotes, is repeated for `wait_s` while a new service has none yet.
    """
    passed = True
    end = time.monotonic() + wait_s
    for check in CHECKS:
        name = check.__name__.replace("_", " ")
        while True:
            try:
                report("ok", f"{name}: {_checked(check, target)}")
            except SmokeError as error:
                if check is quotes and time.monotonic() < end:
                    time.sleep(LOOK_S)
                    continue
                passed = False
                report("FAILED", f"{name}: {error}")
            break
    return passed


def _checked(check: Check, target: Target) -> str:
    """Return the result of a check; JSON of another form than this API's is a failed check."""
    try:
        return check(target)
    except (LookupError, TypeError, AttributeError) as error:
        text = f"expected JSON of this API, not of another form ({type(error).__name__}: {error})"
        raise SmokeError(text) from error


def main(arguments: Sequence[str]) -> int:
    """Run the checks on the service that the command line names; return the exit code."""
    parser = argparse.ArgumentParser(prog="make smoke", description=__doc__)
    parser.add_argument("url", type=_url, help="the output ApiUrl of the stack")
    parser.add_argument(
        "--header", action="append", default=[], metavar="NAME:VALUE",
        help="for ApiAccess=jwt: 'Authorization: Bearer TOKEN'; can be given several times",
    )  # fmt: skip
    parser.add_argument("--origin", default=ORIGIN, help="one of AllowedOrigins")
    parser.add_argument("--wait", type=float, default=WAIT_S, help="seconds for the first prices")
    given = parser.parse_args(arguments)
    headers = dict(_header(parser, text) for text in given.header)
    target = Target(given.url, headers, origin=given.origin)
    return 0 if smoke(target, given.wait) else 1


def _url(text: str) -> str:
    try:
        parts = urlsplit(text)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise argparse.ArgumentTypeError(f"{text!r} is not http://HOST or https://HOST")
    return text


def _header(parser: argparse.ArgumentParser, text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon or not name.strip():
        parser.error(f"argument --header: {text!r} is not NAME:VALUE")
    return name.strip(), value.strip()


def _page(target: Target, path: str) -> str:
    reply = target.get(path)
    _expect(reply.status_code == 200, f"200 for {path}, not {reply.status_code}")
    kind = reply.headers.get("Content-Type", "")
    _expect(kind.startswith("text/html"), f"text/html for {path}, not {kind!r}")
    return f"{path} is {kind}"


def _json(reply: requests.Response, status: int) -> dict[str, Any]:
    text = " ".join(reply.text.split())[:200]
    _expect(reply.status_code == status, f"status {status}, not {reply.status_code}: {text}")
    try:
        payload = reply.json(parse_float=Decimal)
    except ValueError:
        payload = None
    _expect(isinstance(payload, dict), f"a JSON object, not {text!r}")
    return dict(payload)


def _expect(holds: bool, what: str) -> None:  # noqa: FBT001 - reads as a sentence
    if not holds:
        raise SmokeError(f"expected {what}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
