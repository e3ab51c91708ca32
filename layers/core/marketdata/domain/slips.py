"""Slips of the finger: the texts that differ from a text by one of them. Pure."""

from __future__ import annotations

import string
from collections.abc import Iterator

_LETTERS = string.ascii_lowercase + string.digits


def one_slip(text: str) -> Iterator[str]:
    """Yield the texts from which a lower-case text differs by one slip; some come twice.

    A slip is one letter or digit too many, too few or wrong, or two that are exchanged.
    """
    cuts = [(text[:place], text[place:]) for place in range(len(text) + 1)]
    for head, tail in cuts:
        if tail:
            yield head + tail[1:]
        if len(tail) > 1:
            yield head + tail[1] + tail[0] + tail[2:]
        for letter in _LETTERS:
            yield head + letter + tail
            if tail:
                yield head + letter + tail[1:]
