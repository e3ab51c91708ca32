"""One way out for every good answer: negotiated, tagged, compressed, cacheable.

The tag is of the bytes that travel, so the compressed form of a body has a tag of its own, and a
strong tag is true of either. It is a hash against accidents, 128 bits wide, as nobody but us writes
what is hashed; one against attackers takes longer than all else here together.
HEAD needs nothing here: the edge drops the body of a GET.
"""

from __future__ import annotations

from isal import isal_zlib
from starlette.requests import Request
from starlette.responses import Response
from xxhash import xxh3_128_hexdigest

from marketdata.api.problems import Problem

JSON = "application/json"
GZIP_FROM = 1024  # bytes; below, the gain is less than a packet
# ISA-L packs a hundred quotes in a sixth of zlib's time, into a tenth more bytes. Most clients ask
# for gzip, and nothing else of an answer took nearly as long.
_GZIP_LEVEL = isal_zlib.ISAL_DEFAULT_COMPRESSION
_GZIP_CONTAINER = 31  # the window bits that mean a gzip header, which has no time in it here


def answer(
    request: Request,
    body: bytes,
    *,
    max_age_s: int | None,
    media_type: str = JSON,
    status: int = 200,
    headers: dict[str, str] | None = None,
) -> Response:
    """The body with its tag, or a 304 where the client already has these very bytes.

    `max_age_s`: how long any cache may keep it; None forbids to keep it at all. Raises
    `Problem` `not_acceptable` where the client's `Accept` rules the media type out.
    """
    asked = request.headers
    if not accepts(asked.get("accept"), media_type.partition(";")[0]):
        raise Problem("not_acceptable", f"This answer comes as {media_type} only.")
    gzip = len(body) >= GZIP_FROM and _quality(asked.get("accept-encoding", ""), "gzip") > 0
    tag = f'"{xxh3_128_hexdigest(body)}{"-gzip" if gzip else ""}"'
    kept = {"Cache-Control": "no-store"}
    if max_age_s is not None:
        kept = {"Cache-Control": f"public, max-age={max_age_s}", "ETag": tag}
    out = {**kept, "Vary": "Accept-Encoding", **(headers or {})}
    if "ETag" in kept and _knows(asked.get("if-none-match"), tag):
        return Response(status_code=304, headers=out)
    if gzip:
        out["Content-Encoding"] = "gzip"
        packer = isal_zlib.compressobj(_GZIP_LEVEL, isal_zlib.DEFLATED, _GZIP_CONTAINER)
        body = packer.compress(body) + packer.flush()
    return Response(body, status, out, media_type=media_type)


def accepts(header: str | None, media_type: str) -> bool:
    """Whether an `Accept` header allows a media type; the most specific range decides."""
    if header is None or header in ("", "*/*"):
        return True
    ranges = _qualities(header)
    family = media_type.partition("/")[0] + "/*"
    for name in (media_type, family, "*/*"):
        if name in ranges:
            return ranges[name] > 0
    return False


def _quality(header: str, coding: str) -> float:
    if not header:
        return 0
    codings = _qualities(header)
    return codings.get(coding, codings.get("*", 0))


def _qualities(header: str) -> dict[str, float]:
    """The names in a header of preferences, each with its quality; 0 where that is unreadable."""
    found = {}
    for part in header.lower().split(","):
        name, *options = (piece.strip() for piece in part.split(";"))
        quality = 1.0
        for option in options:
            if option.startswith("q="):
                try:
                    quality = float(option[2:])
                except ValueError:
                    quality = 0.0
        found[name] = quality
    return found


def _knows(header: str | None, tag: str) -> bool:
    """Whether `If-None-Match` names the tag; weak and strong tags compare alike there."""
    if header is None:
        return False
    tags = (part.strip().removeprefix("W/") for part in header.split(","))
    return any(known in (tag, "*") for known in tags)
