"""The page at /docs: the OpenAPI document as a person reads it, without a script.

It is made on the server from the document alone, so it needs nothing from any other host.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any
from urllib.parse import quote

from marketdata.api.problems import KINDS

# The page loads nothing and runs nothing but its own style.
CONTENT_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"

_STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
section { border-top: 1px solid #8886; padding-top: 1rem; }
table { border-collapse: collapse; width: 100%; display: block; overflow-x: auto; }
th, td { text-align: left; vertical-align: top; padding: .25rem .75rem .25rem 0; }
code, pre { font: .9em ui-monospace, monospace; }
pre { overflow-x: auto; padding: .75rem; background: #8881; }
summary { cursor: pointer; }
:target { outline: 2px solid; }
"""


def docs_page(document: Mapping[str, Any]) -> bytes:
    """The page, HTML in UTF-8, for an OpenAPI document."""
    info = document["info"]
    return "\n".join(
        (
            "<!doctype html>",
            '<html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(info['title'])}</title><style>{_STYLE}</style></head><body><main>",
            f"<h1>{escape(info['title'])}</h1><p>{_prose(info['description'])}</p>",
            '<p>For programs: <a href="/openapi.json">/openapi.json</a></p>',
            *(
                _operation(path, operations["get"])
                for path, operations in document["paths"].items()
            ),
            _problems(),
            *(_schema(name, schema) for name, schema in document["components"]["schemas"].items()),
            "</main></body></html>",
        )
    ).encode()


def _operation(path: str, operation: Mapping[str, Any]) -> str:
    parameters = operation.get("parameters", [])
    example = _example(path, parameters)
    link = f'<p>Try <a href="{escape(example)}"><code>{escape(example)}</code></a></p>'
    return "\n".join(
        (
            f'<section id="{operation["operationId"]}"><h2><code>GET {escape(path)}</code></h2>',
            f"<p><strong>{escape(operation['summary'])}.</strong> ",
            f"{_prose(operation['description'])}</p>",
            _table(
                ("parameter", "required", "meaning"),
                (
                    (
                        f"<code>{p['name']}</code>",
                        "yes" if p["required"] else "no",
                        _prose(p["description"]),
                    )
                    for p in parameters
                ),
            )
            if parameters
            else "",
            _table(("status", "meaning"), _answers(operation["responses"])),
            link,
            *_examples(operation["responses"]),
            "</section>",
        )
    )


def _answers(responses: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for status, told in sorted(responses.items()):
        schemas = (content["schema"]["$ref"] for content in told.get("content", {}).values())
        names = (reference.rsplit("/", 1)[-1] for reference in schemas)
        links = "".join(f' <a href="#schema-{name}">{name}</a>' for name in names)
        yield status, _prose(told["description"]) + links


def _examples(responses: Mapping[str, Any]) -> Iterator[str]:
    for status, told in sorted(responses.items()):
        for content in told.get("content", {}).values():
            if "example" in content:
                text = escape(json.dumps(content["example"], indent=2, ensure_ascii=False))
                yield (
                    f"<details><summary>An answer with status {status}</summary>"
                    f'<pre tabindex="0">{text}</pre></details>'
                )


def _problems() -> str:
    rows = (
        (f'<code id="{code}">{code}</code>', str(kind.status), escape(kind.title))
        for code, kind in KINDS.items()
    )
    return f"<section><h2>Problems</h2>{_table(('code', 'status', 'meaning'), rows)}</section>"


def _schema(name: str, schema: Mapping[str, Any]) -> str:
    rows = (
        (f"<code>{field}</code>", _type(told), _prose(told.get("description", "")))
        for field, told in schema["properties"].items()
    )
    return (
        f'<section id="schema-{name}"><h2>{name}</h2><p>{_prose(schema["description"])}</p>'
        f"{_table(('field', 'type', 'meaning'), rows)}</section>"
    )


def _type(schema: Mapping[str, Any]) -> str:
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[-1]
        return f'<a href="#schema-{name}">{name}</a>'
    if "anyOf" in schema:
        return " or ".join(_type(part) for part in schema["anyOf"])
    kind = schema["type"]
    words = " or ".join(kind) if isinstance(kind, list) else str(kind)
    return f"{words} of {_type(schema['items'])}" if "items" in schema else words


def _example(path: str, parameters: list[dict[str, Any]]) -> str:
    pairs = []
    for parameter in parameters:
        if parameter["in"] == "path":
            path = path.replace(f"{{{parameter['name']}}}", quote(parameter["example"]))
        elif parameter["required"]:
            pairs.append(f"{parameter['name']}={quote(str(parameter['example']), safe=',/')}")
    return path + ("?" + "&".join(pairs) if pairs else "")


def _table(head: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> str:
    titles = "".join(f'<th scope="col">{title}</th>' for title in head)
    lines = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{titles}</tr></thead><tbody>{lines}</tbody></table>"


def _prose(text: str) -> str:
    """Escaped text with `code` between backticks."""
    parts = escape(text).split("`")
    return "".join(f"<code>{part}</code>" if i % 2 else part for i, part in enumerate(parts))
