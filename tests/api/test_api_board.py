"""The page of the board as it is sent."""

import gzip
import re
from base64 import b64encode
from hashlib import sha256

import pytest

from marketdata.api.board import FOLDER, SCRIPTS, STYLES
from tests.support.api_service import Service


@pytest.fixture
def reply(cache):
    """The answer to a request for the page."""
    return Service(cache).get("/", accept="text/html")


def inside(tag, reply):
    """Return the text of the only element with a tag."""
    (text,) = re.findall(rf"<{tag}\b[^>]*>(.*?)</{tag}>", reply.body.decode(), re.DOTALL)
    return text


def source(*names):
    """The text of some files of the page."""
    return "\n".join((FOLDER / name).read_text(encoding="utf-8") for name in names)


def test_the_root_is_the_board(reply):
    """The root answers with HTML that a browser may keep for five minutes."""
    assert reply.status == 200
    assert reply.headers["content-type"] == "text/html; charset=utf-8"
    assert reply.headers["cache-control"] == "public, max-age=300"
    assert reply.body.startswith(b"<!doctype html>")


def test_the_browser_may_run_the_two_parts_inside_and_nothing_else(reply):
    """The security policy allows only the page's own style and script and requests to its host."""
    policy = dict(
        part.split(" ", 1) for part in reply.headers["content-security-policy"].split("; ")
    )
    for tag in ("style", "script"):
        digest = b64encode(sha256(inside(tag, reply).encode()).digest()).decode()
        assert policy[f"{tag}-src"] == f"'sha256-{digest}'"
    assert policy["default-src"] == "'none'"
    assert policy["connect-src"] == "'self'"


def test_the_page_names_no_other_host(reply):
    """The only foreign address in the page is the name of the SVG format."""
    addresses = set(re.findall(r"https?://[^'\" )]+", reply.body.decode()))
    assert addresses == {"http://www.w3.org/2000/svg"}


def test_comments_and_indentation_are_not_sent(reply):
    """Comments and indentation are removed from style and script."""
    for tag in ("style", "script"):
        lines = inside(tag, reply).strip().splitlines()
        assert [line for line in lines if line.startswith((" ", "/*", "//"))] == []


def test_every_part_of_the_page_is_in_it():
    """Each file of the page's folder is listed as a part of the page."""
    names = {path.name for path in FOLDER.iterdir()}
    assert names == {"board.html", *STYLES, *SCRIPTS}


def test_every_name_of_the_scripts_is_used():
    """Each function and each constant of a script is used by a script."""
    script = source(*SCRIPTS)
    defined = re.findall(r"^(?:async )?(?:function|const|let|class) (\w+)", script, re.MULTILINE)
    assert len(defined) > 100
    assert [name for name in defined if len(re.findall(rf"\b{name}\b", script)) < 2] == []


def test_every_style_is_for_something_on_the_page():
    """Each class, id and variable of a style is used by a script, by the HTML or by a style."""
    styles, parts = source(*STYLES), source("board.html", *SCRIPTS)
    selectors = " ".join(re.findall(r"[^{};]+(?=\{)", styles))
    styled = set(re.findall(r"[.#]([a-z][\w-]*)", selectors))
    assert len(styled) > 50
    assert [name for name in styled if not re.search(rf"(?<![\w-]){name}(?![\w-])", parts)] == []
    variables = set(re.findall(r"(--[\w-]+)\s*:", styles))
    assert [name for name in variables if not re.search(rf"var\({name}[,)]", styles)] == []


def test_the_page_writes_no_markup(reply):
    """The script has no function that turns text into HTML or code."""
    script = inside("script", reply)
    for way in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("):
        assert way not in script


def test_the_page_is_small_and_conditional(cache):
    """The page is compressed to within its size limit, and an unchanged page is a 304."""
    service = Service(cache)
    packed = service.get("/", accept_encoding="gzip")
    assert len(packed.body) < 27_000
    assert gzip.decompress(packed.body) == service.get("/").body
    tag = packed.headers["etag"]
    again = service.get("/", accept_encoding="gzip", if_none_match=tag)
    assert (again.status, again.body) == (304, b"")
    assert again.headers["content-security-policy"] == packed.headers["content-security-policy"]
