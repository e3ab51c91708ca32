"""Masking of secrets in text that people may read: log lines, error messages, excerpts.

There are two rules, because neither is complete alone. Every secret that this process knows is
masked in all its encodings. Any value in a place where providers and Redis expect a secret is
masked, too.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from functools import lru_cache
from urllib.parse import quote, quote_plus, urlsplit

MASK = "***"

# A value ends where a URL, a dump of headers or a JSON text may continue, so that a masked JSON
# line is still JSON. Beside each pattern are texts of which every match contains one. Most lines
# contain none, and then the pattern is skipped. Repetitions that can fail after a match are
# bounded, so that the time grows with the length of the text and not with its square.
_PLACES = tuple(
    (needed, re.compile(pattern, re.IGNORECASE), rf"\1{MASK}")
    for needed, pattern in (
        # Query parameters, as in a URL.
        (
            ("key=", "token=", "crumb=", "x_cg_"),
            r"((?:api_?key|token|crumb|x_cg_\w{0,40}|cmc_pro_api_key)=)[^&\s\"'\\<>]+",
        ),
        # Headers, as `X-Finnhub-Token: abc` and as a dump of a mapping.
        (
            ("x-", "x_"),
            (
                r"(\bx[-_][\w-]{0,40}(?:token|key)(?:\\?[\"'])?\s{0,8}[:=]\s{0,8}(?:\\?[\"'])?)"
                r"[^\s\"'\\,;&}<>]+"
            ),
        ),
        # Passwords of Redis URLs, which may have any character, and of all other URLs.
        (("://",), r"(\brediss?://[^:@/\s\"'\\]{0,128}:)[^\s\"'\\]{1,256}(?=@)"),
        (("://",), r"(\b[a-z][a-z0-9+.-]{0,30}://[^:@/\s\"'\\]{0,128}:)[^@/\s\"'\\]{1,256}(?=@)"),
        # Alpha Vantage's notice about a used-up day contains the key.
        (("key as",), r"(\bapi key as )[^\s\"'\\<>]+"),
    )
)


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """Return the text with `secrets` masked, and any value in the place of a secret."""
    known = _any_of(frozenset(secrets))
    if known is not None:
        text = known.sub(MASK, text)
    lowered = text.lower()
    for needed, place, masked in _PLACES:
        if any(mark in lowered for mark in needed):
            text = place.sub(masked, text)
    return text


def shown_host(url: str) -> str:
    """Return the host and port of a URL, the only parts of it that may be shown.

    The other parts may hold a key, and what is before an `@` a password.
    """
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port}" if parts.port else str(parts.hostname)


@lru_cache(maxsize=16)
def _any_of(secrets: frozenset[str]) -> re.Pattern[str] | None:
    """Return a pattern for every encoding of every secret, longest first; None without any."""
    spellings = set(filter(None, secrets))
    spellings |= {
        encoded for text in spellings for encoded in (quote(text, safe=""), quote_plus(text))
    }
    for _ in range(2):  # a log line is JSON, and a field may be JSON or a repr itself
        spellings |= {shown(text)[1:-1] for text in spellings for shown in (json.dumps, repr)}
    if not spellings:
        return None
    ordered = sorted(spellings, key=lambda spelling: (-len(spelling), spelling))
    return re.compile("|".join(map(re.escape, ordered)))
