"""Readers of settings: each returns the value of a setting's text.

A reader raises ValueError with what is allowed. A reader of a secret does not repeat the text.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

from marketdata.domain.symbols import Symbol, parse_symbol
from marketdata.errors import InvalidSymbolError

MAX_ACTIVE_SYMBOLS = 10_000
LOOPBACK = ("127.0.0.1", "::1")
_PROXY_SCHEMES = ("http", "https", "socks5", "socks5h")


def int_between(low: int, high: int) -> Callable[[str], int]:
    """Return a reader of whole numbers from `low` to `high`."""

    def read(text: str) -> int:
        if re.fullmatch(r"[0-9]{1,12}", text) and low <= int(text) <= high:
            return int(text)
        raise ValueError(f"a whole number from {low} to {high}")

    return read


def one_of(*names: str) -> Callable[[str], str]:
    """Return a reader of one of some names, in upper or lower case. The value is a given name."""
    by_lower_case = {name.lower(): name for name in names}

    def read(text: str) -> str:
        if text.lower() in by_lower_case:
            return by_lower_case[text.lower()]
        raise ValueError(f"one of {', '.join(by_lower_case)}")

    return read


def boolean(text: str) -> bool:
    """Return whether the text is one of the usual spellings of true; no text is false."""
    if text.lower() in ("1", "true", "yes", "on"):
        return True
    if text.lower() in ("0", "false", "no", "off", ""):
        return False
    raise ValueError("true or false")


def host_or_name(text: str) -> str:
    """Return the name of a host, or another name with the characters of a host name."""
    if re.fullmatch(r"[A-Za-z0-9._\-]{1,253}", text):
        return text
    raise ValueError("a name of letters, digits, dots and dashes")


def addresses(text: str) -> tuple[str, ...]:
    """Return the IP addresses of a comma-separated list, each once; localhost stands for two."""
    found: list[str] = []
    for part in filter(None, map(str.strip, text.split(","))):
        if part.lower() == "localhost":
            found += LOOPBACK
            continue
        try:
            found.append(str(ip_address(part)))
        except ValueError:
            raise ValueError(
                "localhost, or IP addresses of this machine separated by commas, "
                "for example 0.0.0.0 for all of IPv4"
            ) from None
    if not found:
        raise ValueError("at least one IP address")
    return tuple(dict.fromkeys(found))


def api_key(text: str) -> str:
    """Return a key that can be the value of an HTTP header, or no text."""
    if text and not re.fullmatch(r"[\x21-\x7e]{1,512}", text):
        raise ValueError("printable characters without spaces, or nothing")
    return text


def url(text: str) -> str:
    """Return a base URL without the slash at its end; no text stays no text."""
    if not text:
        return text
    parts = _split(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ValueError("a URL such as https://example.com/api, without query or fragment")
    if parts.username or parts.password:
        raise ValueError("a URL without user name and password")
    _check_port(parts)
    return text.rstrip("/")


def proxy_url(text: str) -> str:
    """Return the URL of a proxy, which may have a user name and a password."""
    if not text:
        return text
    parts = _split(text)
    _check_port(parts)
    if (
        parts.scheme not in _PROXY_SCHEMES
        or not parts.hostname
        or not parts.port  # libraries use different ports for a URL without a port
        or parts.path not in ("", "/")
        or parts.query
        or parts.fragment
        or not re.fullmatch(r"[\x21-\x7e]+", text)
    ):
        raise ValueError(
            "a URL such as http://proxy.example.com:3128 or socks5h://user:password@host:1080, "
            "without path, query or fragment"
        )
    return text.rstrip("/")


def symbols(text: str) -> tuple[Symbol, ...]:
    """Return the symbols of a comma-separated list in any accepted spelling, each once."""
    spellings = [part.strip() for part in text.split(",") if part.strip()]
    try:
        found = tuple(dict.fromkeys(parse_symbol(spelling) for spelling in spellings))
    except InvalidSymbolError as error:
        raise ValueError(f"a comma-separated list of symbols ({error})") from None
    if len(found) > MAX_ACTIVE_SYMBOLS:
        raise ValueError(f"at most {MAX_ACTIVE_SYMBOLS} symbols, not {len(found)}")
    return found


def _split(text: str) -> SplitResult:
    try:
        return urlsplit(text)
    except ValueError:  # for example an unclosed bracket
        raise ValueError("a URL such as https://example.com/api") from None


def _check_port(parts: SplitResult) -> None:
    try:
        _ = parts.port
    except ValueError:
        raise ValueError("a URL whose port is from 0 to 65535") from None
