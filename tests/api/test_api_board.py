import gzip
import re
from base64 import b64encode
from hashlib import sha256

import pytest

from marketdata.api.board import FOLDER, SCRIPTS, STYLES
from tests.support.api_service import Service


@pytest.fixture
def reply(cache):
    """The page."""
    return Service(cache).get("/", accept="text/html")


def inside(tag, reply):
    """The text of the one element with a tag."""
    (text,) = re.findall(rf"<{tag}\b[^>]*>(.*?)</{tag}>", reply.body.decode(), re.DOTALL)
    return text


def test_the_root_is_the_board(reply):
    """One HTML answer, which a browser may keep for a while."""
    assert reply.status == 200
    assert reply.headers["content-type"] == "text/html; charset=utf-8"
    assert reply.headers["cache-control"] == "public, max-age=300"
    assert reply.body.startswith(b"<!doctype html>")


def test_the_browser_may_run_the_two_parts_inside_and_nothing_else(reply):
    """Their hashes are in the policy, which forbids anything else, also from other hosts."""
    policy = dict(
        part.split(" ", 1) for part in reply.headers["content-security-policy"].split("; ")
    )
    for tag in ("style", "script"):
        digest = b64encode(sha256(inside(tag, reply).encode()).digest()).decode()
        assert policy[f"{tag}-src"] == f"'sha256-{digest}'"
    assert policy["default-src"] == "'none'"
    assert policy["connect-src"] == "'self'"


def test_the_page_names_no_other_host(reply):
    """The one address in it is the name of a format."""
    addresses = set(re.findall(r"https?://[^'\" )]+", reply.body.decode()))
    assert addresses == {"http://www.w3.org/2000/svg"}


def test_comments_and_indentation_do_not_travel(reply):
    """They are for who reads the files."""
    for tag in ("style", "script"):
        lines = inside(tag, reply).strip().splitlines()
        assert [line for line in lines if line.startswith((" ", "/*", "//"))] == []


def test_every_part_of_the_page_is_in_it():
    """A file that is forgotten would be missed only by who needs it."""
    names = {path.name for path in FOLDER.iterdir()}
    assert names == {"board.html", *STYLES, *SCRIPTS}


def test_the_page_writes_no_markup(reply):
    """What comes from outside becomes text, never HTML."""
    script = inside("script", reply)
    for way in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("):
        assert way not in script


def test_the_page_is_small_and_conditional(cache):
    """It travels compressed, and only if it has changed."""
    service = Service(cache)
    packed = service.get("/", accept_encoding="gzip")
    assert len(packed.body) < 27_000
    assert gzip.decompress(packed.body) == service.get("/").body
    tag = packed.headers["etag"]
    again = service.get("/", accept_encoding="gzip", if_none_match=tag)
    assert (again.status, again.body) == (304, b"")
    assert again.headers["content-security-policy"] == packed.headers["content-security-policy"]
