"""The page at /, for people: live prices, providers and budgets.

The page is one file that contains its style and its script. Its content policy forbids the browser
to load or run anything else. It is joined from the files of the folder `page`, without indentation
and comments. No build tool is needed.
"""

from __future__ import annotations

import re
from base64 import b64encode
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path

# Comments: whole lines, and the ends of lines if they contain no quotes.
_COMMENTS = re.compile(
    r"^\s*(?:/\*.*?\*/|//[^\n]*)\n|(?<=[,;{]) // [^\n'\"`]*$", re.DOTALL | re.MULTILINE
)
FOLDER = Path(__file__).parent / "page"
STYLES = (
    "theme.css",
    "layout.css",
    "search.css",
    "table.css",
    "rows.css",
    "details.css",
    "providers.css",
    "narrow.css",
)
# In this order the files are one script. Each uses only names of files before it, except in
# functions that are called later.
SCRIPTS = (
    "dom.js",
    "storage.js",
    "text.js",
    "numbers.js",
    "labels.js",
    "api.js",
    "currency.js",
    "sparklines.js",
    "rows.js",
    "sorting.js",
    "details.js",
    "table.js",
    "providers.js",
    "search.js",
    "watching.js",
    "board.js",
    "status.js",
    "main.js",
)


@dataclass(frozen=True, slots=True)
class Page:
    """A page, HTML in UTF-8, and the value of its `Content-Security-Policy`."""

    body: bytes
    policy: str


@cache
def board() -> Page:
    """The page with all its parts in place."""
    style = "\n".join(map(_stripped, STYLES))
    script = "\n".join(map(_stripped, SCRIPTS))
    html = (FOLDER / "board.html").read_text(encoding="utf-8")
    html = html.replace("/* style */", style).replace("/* script */", script)
    policy = (
        "default-src 'none'",
        f"style-src 'sha256-{_digest(style)}'",
        f"script-src 'sha256-{_digest(script)}'",
        "connect-src 'self'",
        "img-src data:",  # the icon
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
    )
    return Page(html.encode(), "; ".join(policy))


def _stripped(name: str) -> str:
    text = (FOLDER / name).read_text(encoding="utf-8")
    lines = (line.strip() for line in _COMMENTS.sub("", text).splitlines())
    return "\n".join(line for line in lines if line)


def _digest(text: str) -> str:
    return b64encode(sha256(text.encode()).digest()).decode()
