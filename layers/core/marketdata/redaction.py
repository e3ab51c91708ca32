"""Masking of secrets in text that people may read: log lines, error messages, excerpts.

Two nets, because either alone has holes: every secret value that this process knows, in the
spellings it may take on its way, and every place in which providers and Redis carry secrets.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from functools import lru_cache
from urllib.parse import quote, quote_plus

MASK = "***"

# Values end at whatever may follow them in a URL, a header dump or a JSON text, so that a masked
# JSON line is still JSON. Each pattern stands beside a text that every match contains: most lines
# do not have it, and then the pattern is not tried. Each repetition that can fail after it has
# matched is bounded, so that the time grows with the length of the text and not with its square.
_PLACES = tuple(
    (needed, re.compile(pattern, re.IGNORECASE), rf"\1{MASK}")
    for needed, pattern in (
        # Query parameters, as in a URL.
        ("=", r"((?:api_?key|token|crumb|x_cg_\w{0,40}|cmc_pro_api_key)=)[^&\s\"'\\<>]+"),
        # Headers, as `X-Finnhub-Token: abc` and as a dump of a mapping.
        (
            "x",
            (
                r"(\bx[-_][\w-]{0,40}(?:token|key)(?:\\?[\"'])?\s{0,8}[:=]\s{0,8}(?:\\?[\"'])?)"
                r"[^\s\"'\\,;&}<>]+"
            ),
        ),
        # Passwords of Redis URLs, which may hold any mark, and of all other URLs.
        ("://", r"(\brediss?://[^:@/\s\"'\\]{0,128}:)[^\s\"'\\]{1,256}(?=@)"),
        ("://", r"(\b[a-z][a-z0-9+.-]{0,30}://[^:@/\s\"'\\]{0,128}:)[^@/\s\"'\\]{1,256}(?=@)"),
        # Alpha Vantage's notice of a spent day repeats the key.
        ("key as", r"(\bapi key as )[^\s\"'\\<>]+"),
    )
)


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """The text with each of `secrets`, and whatever stands where a secret would, masked."""
    known = _any_of(frozenset(secrets))
    if known is not None:
        text = known.sub(MASK, text)
    lowered = text.lower()
    for needed, place, masked in _PLACES:
        if needed in lowered:
            text = place.sub(masked, text)
    return text


@lru_cache(maxsize=16)
def _any_of(secrets: frozenset[str]) -> re.Pattern[str] | None:
    """A pattern for every spelling of every secret, longest first; None if there is none."""
    spellings = set(filter(None, secrets))
    spellings |= {
        encoded for text in spellings for encoded in (quote(text, safe=""), quote_plus(text))
    }
    for _ in range(2):  # a log line is JSON, and may hold the JSON or the repr of something
        spellings |= {shown(text)[1:-1] for text in spellings for shown in (json.dumps, repr)}
    if not spellings:
        return None
    ordered = sorted(spellings, key=lambda spelling: (-len(spelling), spelling))
    return re.compile("|".join(map(re.escape, ordered)))
