"""Cursors: what the API gives out, and what it accepts."""

import json
from base64 import urlsafe_b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketdata.api.readers.bad_request import BadRequestError
from marketdata.api.readers.cursors import Cursor, read_cursor
from marketdata.domain.symbols import AssetClass

CURSOR = Cursor("crypto", "1763820300000", 100, 250, 1_763_820_300_000, "bit")


def forged(*members: object) -> str:
    """Return a text in a cursor's form that the API never gave out."""
    text = json.dumps(members, separators=(",", ":"))
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


def test_a_cursor_comes_back_as_it_was_given():
    """A cursor needs no escaping in a URL and is read back as the same cursor."""
    assert CURSOR.text().replace("-", "").replace("_", "").isalnum()
    assert read_cursor(CURSOR.text(), AssetClass.CRYPTO, "bit") == CURSOR


def test_a_cursor_belongs_to_one_class_and_one_search():
    """A cursor used with another class or search is an error that names the difference."""
    with pytest.raises(BadRequestError, match="belongs to crypto, not to stocks") as caught:
        read_cursor(CURSOR.text(), AssetClass.STOCKS, "bit")
    assert caught.value.code == "unknown_cursor"
    with pytest.raises(BadRequestError, match="another q") as caught:
        read_cursor(CURSOR.text(), AssetClass.CRYPTO, None)
    assert caught.value.code == "unknown_cursor"


@pytest.mark.parametrize(
    "text", ["", "x", "\u00e9", "AAAA", "WyJj", CURSOR.text() + "=", "W" * 4096]
)
def test_what_does_not_look_like_a_cursor_is_invalid(text):
    """A text that does not have a cursor's form has the code `invalid_cursor`."""
    with pytest.raises(BadRequestError) as caught:
        read_cursor(text, AssetClass.CRYPTO, None)
    assert caught.value.code == "invalid_cursor"


def test_the_longest_cursor_still_looks_like_one():
    """The cursor of a search for 64 emoji, the longest query, has a cursor's form."""
    q = "\U0001f680" * 64
    cursor = Cursor("stocks", "v" * 64, 9_999_998, 9_999_999, 10**14 - 1, q)
    assert read_cursor(cursor.text(), AssetClass.STOCKS, q) == cursor


@pytest.mark.parametrize(
    "text",
    [
        CURSOR.text()[:-1],
        "WyJj" + "A" * 40,
        forged("crypto", "../v", 1, 2, 3, None),
        forged("crypto", "v:rows", 1, 2, 3, None),
        forged("crypto", "v", -1, 2, 3, None),
        forged("crypto", "v", 2, 2, 3, None),
        forged("crypto", "v", 1.0, 2, 3, None),
        forged("crypto", "v", 1, 2, 10**20, None),
        forged("crypto", "v", 1, 10**20, 3, None),
        forged("crypto", "v", 1, 2, 3, 4),
    ],
)
def test_anything_else_is_a_cursor_that_nobody_gave(text):
    """A text in a cursor's form that the API never gave out has the code `unknown_cursor`."""
    with pytest.raises(BadRequestError) as caught:
        read_cursor(text, AssetClass.CRYPTO, None)
    assert caught.value.code == "unknown_cursor"


@given(st.text())
def test_random_text_is_a_bad_request(text):
    """No random text is taken for a cursor."""
    with pytest.raises(BadRequestError):
        read_cursor(text, AssetClass.CRYPTO, None)
