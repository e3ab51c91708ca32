"""Caching of answers that are not errors: a tag of the content, `Cache-Control`, and 304.

The tag is weak, because the same content may be sent compressed or not. Starlette compresses.
"""

from __future__ import annotations

from hashlib import sha256

from starlette.requests import Request
from starlette.responses import Response

JSON = "application/json"
GZIP_FROM = 1024  # bytes; compressing a smaller body does not save a packet
_VARY = {"Vary": "Accept-Encoding"}


def answer(
    request: Request,
    body: bytes,
    *,
    max_age_s: int | None,
    public: bool = True,
    media_type: str = JSON,
    status: int = 200,
    headers: dict[str, str] | None = None,
) -> Response:
    """Return the body with its tag, or a 304 if the client has the same content already.

    `max_age_s`: how long a cache may keep it; None forbids to keep it. `public`: whether caches
    that several clients share may keep it.
    """
    if max_age_s is None:
        kept = {"Cache-Control": "no-store", **(headers or {})}
        return Response(body, status, kept, media_type=media_type)
    scope = "public" if public else "private"
    # Processors have instructions for SHA-256, so it takes half of the time of BLAKE2.
    tag = f'W/"{sha256(body, usedforsecurity=False).hexdigest()[:32]}"'
    kept = {
        "Cache-Control": f"{scope}, max-age={max_age_s}",
        "ETag": tag,
        **(headers or {}),
    }
    if _knows(request.headers.get("if-none-match"), tag):
        return Response(status_code=304, headers={**kept, **_VARY})
    if len(body) < GZIP_FROM:  # Starlette's gzip adds the header to larger answers
        kept |= _VARY
    return Response(body, status, kept, media_type=media_type)


def _knows(header: str | None, tag: str) -> bool:
    """Return whether `If-None-Match` has the tag; a weak tag matches the strong one there."""
    if header is None:
        return False
    bare = tag.removeprefix("W/")
    tags = (part.strip().removeprefix("W/") for part in header.split(","))
    return any(known in (bare, "*") for known in tags)
