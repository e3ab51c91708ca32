"""The page at /docs: Swagger UI with "Try it out", served by ourselves.

The files of Swagger UI come with the package fastapi-offline, so the page loads nothing from
another host. Below it stand the kinds of problems, because the `type` of a problem links to them.
"""

from __future__ import annotations

import re
from base64 import b64encode
from hashlib import sha256
from html import escape
from importlib.util import find_spec
from pathlib import Path

from fastapi.openapi.docs import get_swagger_ui_html

from marketdata.api.problems import KINDS

STATIC_URL = "/docs/static"
_INLINE = re.compile(r"<script>(.*?)</script>", re.DOTALL)


def static_folder() -> Path:
    """Return the folder with the files of Swagger UI."""
    spec = find_spec("fastapi_offline")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("fastapi-offline is not installed")
    return Path(next(iter(spec.submodule_search_locations))) / "static"


def docs_page(title: str) -> tuple[bytes, str]:
    """Return the page, HTML in UTF-8, and its `Content-Security-Policy`."""
    html = bytes(
        get_swagger_ui_html(
            openapi_url="/openapi.json",
            title=title,
            swagger_js_url=f"{STATIC_URL}/swagger-ui-bundle.js",
            swagger_css_url=f"{STATIC_URL}/swagger-ui.css",
            swagger_favicon_url=f"{STATIC_URL}/favicon.png",
        ).body
    ).decode()
    scripts = " ".join(f"'sha256-{_digest(script)}'" for script in _INLINE.findall(html))
    policy = (
        "default-src 'none'",
        f"script-src 'self' {scripts}",
        # Swagger UI sets styles of single elements.
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
    return html.replace("</body>", f"{_problems()}</body>").encode(), "; ".join(policy)


def _problems() -> str:
    rows = "".join(
        f'<tr id="{code}"><td><code>{code}</code></td><td>{kind.status}</td>'
        f"<td>{escape(kind.title)}</td></tr>"
        for code, kind in KINDS.items()
    )
    return (
        '<section class="swagger-ui"><div class="wrapper"><h2>Problems</h2><table><thead><tr>'
        "<th>code</th><th>status</th><th>meaning</th></tr></thead>"
        f"<tbody>{rows}</tbody></table></div></section>"
    )


def _digest(script: str) -> str:
    return b64encode(sha256(script.encode()).digest()).decode()
