"""How the text of a setting becomes a value; each raises ValueError with what is allowed."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import urlsplit

from marketdata.domain.symbols import Symbol, parse_symbol
from marketdata.errors import InvalidSymbolError

MAX_ACTIVE_SYMBOLS = 10_000


def whole(low: int, high: int) -> Callable[[str], int]:
    """A whole number in bounds."""

    def read(text: str) -> int:
        if re.fullmatch(r"[0-9]{1,12}", text) and low <= int(text) <= high:
            return int(text)
        raise ValueError(f"a whole number from {low} to {high}")

    return read


def choice(*words: str) -> Callable[[str], str]:
    """One of some words, in any case."""

    def read(text: str) -> str:
        if text.lower() in words:
            return text.lower()
        raise ValueError(f"one of {', '.join(words)}")

    return read


def flag(text: str) -> bool:
    """True or false, in the usual spellings."""
    if text.lower() in ("1", "true", "yes", "on"):
        return True
    if text.lower() in ("0", "false", "no", "off", ""):
        return False
    raise ValueError("true or false")


def word(text: str) -> str:
    """A host or a name."""
    if re.fullmatch(r"[A-Za-z0-9._\-]{1,253}", text):
        return text
    raise ValueError("a name of letters, digits, dots and dashes")


def api_key(text: str) -> str:
    """A key as it can stand in a header."""
    if text and not re.fullmatch(r"[\x21-\x7e]{1,512}", text):
        raise ValueError("printable characters without spaces, or nothing")
    return text


def url(text: str) -> str:
    """A base URL, without the slash at its end."""
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ValueError("a URL such as https://example.com/api, without query or fragment")
    if parts.username or parts.password:
        raise ValueError("a URL without user name and password")
    try:
        _ = parts.port
    except ValueError:
        raise ValueError("a URL whose port is from 0 to 65535") from None
    return text.rstrip("/")


def proxy_url(text: str) -> str:
    """Return the URL of a proxy, which may hold a user name and a password."""
    parts = urlsplit(text)
    try:
        is_complete = bool(parts.hostname and parts.port)
    except ValueError:
        is_complete = False
    if parts.scheme not in ("http", "https", "socks5", "socks5h") or not is_complete:
        raise ValueError(
            "a URL such as http://proxy.example.com:3128 or socks5h://user:pw@host:1080"
        )
    return text.rstrip("/")


def symbols(text: str) -> tuple[Symbol, ...]:
    """Symbols in any accepted spelling, each once, in their order."""
    spellings = [part.strip() for part in text.split(",") if part.strip()]
    try:
        found = tuple(dict.fromkeys(parse_symbol(spelling) for spelling in spellings))
    except InvalidSymbolError as error:
        raise ValueError(f"a comma-separated list of symbols ({error})") from None
    if len(found) > MAX_ACTIVE_SYMBOLS:
        raise ValueError(f"at most {MAX_ACTIVE_SYMBOLS} symbols, not {len(found)}")
    return found


def any_text(text: str) -> str:
    """Any text."""
    return text
