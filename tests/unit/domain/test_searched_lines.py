"""Lines that are searched as one text give the same places as a search line by line."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from marketdata.domain.searched_lines import FEW_HITS, FEW_WORDS, Lines

texts = st.lists(st.text("ab ", max_size=8).map(str.encode), min_size=1, max_size=20)


@given(texts, st.text("ab ", min_size=1, max_size=3).map(str.encode), st.integers(1, 2))
def test_the_lines_with_a_part_are_found(lines, part, least):
    """A line is found if `bytes.count` counts the part at least as often as asked for."""
    found = Lines(lines, few=0).having(part, least)
    assert found == {place for place, line in enumerate(lines) if line.count(part) >= least}


def test_a_part_is_found_however_many_lines_have_it():
    """All lines with a part are found, at the limit of few hits and above it."""
    for hits in (FEW_HITS, FEW_HITS + 1):
        lines = [b"with part" if place % 2 else b"" for place in range(2 * hits)]
        assert Lines(lines, few=0).having(b"part") == set(range(1, 2 * hits, 2))


def test_words_are_found_however_many_they_are():
    """Each word is found with its lines, and a part of a word is not a word."""
    words = [f"w{number}".encode() for number in range(FEW_WORDS + 1)]
    lines = [b" %b other " % word for word in words] + [b" w0 w1 "]
    last = len(words)
    expected = {word: {place} for place, word in enumerate(words)}
    expected |= {b"w0": {0, last}, b"w1": {1, last}}
    found = Lines(lines, few=0)
    assert found.having_words({*words, b"absent", b"oth"}) == expected
    assert found.having_words({b"w1", b"absent"}) == {b"w1": {1, last}}
    assert found.having_words(set()) == {}
