"""Finding the lines that have a part, in one text of bytes. Pure.

A loop over 30,000 lines takes ten times as long as a search of their text.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import accumulate, islice

# So many hits are looked up one by one; for more, the lines before all hits are counted.
FEW_HITS = 200
# So many words are looked up one by one; for more, all lines are looked at.
FEW_WORDS = 50


class Lines:
    """Lines of a text, each known by its place.

    At most `few` lines are looked at one by one. To find a part in more lines, the whole text is
    searched.
    """

    def __init__(self, lines: Sequence[bytes], few: int) -> None:
        self._few = few
        self._count = len(lines)
        self._text = b"\n".join(lines)
        # How long the lines before each place are, without the ends of lines.
        self._lengths = array("I", accumulate(map(len, lines), initial=0))

    def having_words(self, words: set[bytes]) -> dict[bytes, set[int]]:
        """Return the places of the lines with each of these words, without words that none has."""
        found = words.intersection(self._text.split()) if words else words
        if len(found) <= FEW_WORDS:
            return {word: self.having(b" %b " % word) for word in found}
        places: dict[bytes, set[int]] = {word: set() for word in found}
        for place, line in enumerate(self._text.split(b"\n")):
            for word in found.intersection(line.split()):
                places[word].add(place)
        return places

    def count(self, part: bytes) -> int:
        """Return how often the text has this part."""
        return self._text.count(part)

    def having(self, part: bytes, least: int = 1, among: set[int] | None = None) -> set[int]:
        """Return the places of the lines that have this part at least so often.

        With `among`, only these places count.
        """
        if among is not None and len(among) <= self._few:
            return {place for place in among if self._count_at(place, part) >= least}
        places = self._places(part)
        if least > 1:
            places = [place for place, count in Counter(places).items() if count >= least]
        return set(places) if among is None else among.intersection(places)

    def _places(self, part: bytes) -> list[int]:
        """Return the place of each line that has the part, as often as the line has it."""
        positions = list(islice(self._positions(part), FEW_HITS + 1))
        if len(positions) <= FEW_HITS:
            return [self._place(position) for position in positions]
        before = self._text.split(part)[:-1]
        return list(accumulate([text.count(b"\n") for text in before]))

    def _positions(self, part: bytes) -> Iterator[int]:
        position = self._text.find(part)
        while position >= 0:
            yield position
            position = self._text.find(part, position + len(part))

    def _place(self, position: int) -> int:
        """Return the place of the line with this position of the text."""
        return bisect_right(range(self._count), position, key=self._start) - 1

    def _start(self, place: int) -> int:
        return self._lengths[place] + place

    def _count_at(self, place: int, part: bytes) -> int:
        return self._text.count(part, self._start(place), self._start(place + 1))
