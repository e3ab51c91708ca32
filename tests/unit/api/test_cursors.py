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
    """A cursor that no list gave."""
    text = json.dumps(members, separators=(",", ":"))
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


def test_a_cursor_comes_back_as_it_was_given():
    """Its text goes into a URL as it is."""
    assert CURSOR.text().replace("-", "").replace("_", "").isalnum()
    assert read_cursor(CURSOR.text(), AssetClass.CRYPTO, "bit") == CURSOR


def test_a_cursor_belongs_to_one_class_and_one_search():
    """With another class or search it is an error that names the difference."""
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
    """It came from somewhere else."""
    with pytest.raises(BadRequestError) as caught:
        read_cursor(text, AssetClass.CRYPTO, None)
    assert caught.value.code == "invalid_cursor"


def test_the_longest_cursor_still_looks_like_one():
    """That of a search for as many of the rarest characters as a search may have."""
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
    """Every forgery is an error with the same code."""
    with pytest.raises(BadRequestError) as caught:
        read_cursor(text, AssetClass.CRYPTO, None)
    assert caught.value.code == "unknown_cursor"


@given(st.text())
def test_any_text_is_read_or_is_a_bad_request(text):
    """A client can send anything."""
    with pytest.raises(BadRequestError):
        read_cursor(text, AssetClass.CRYPTO, None)
