"""The figures of a benchmark: rows with their spread and, if the design has one, their bound."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.benchmarks.rounds import Spread


@dataclass(frozen=True)
class Row:
    """One figure. `at_most` and `at_least`: the design's bounds of its median, if any."""

    name: str
    value: Spread
    unit: str = "ms"
    at_most: float | None = None
    at_least: float | None = None

    @property
    def verdict(self) -> str:
        """`ok` or `MISSED` if there is a bound, else empty."""
        if self.at_most is None and self.at_least is None:
            return ""
        kept = (self.at_most is None or self.value.median <= self.at_most) and (
            self.at_least is None or self.value.median >= self.at_least
        )
        return "ok" if kept else "MISSED"

    @property
    def bound(self) -> str:
        """The bound as text."""
        if self.at_most is not None:
            return f"<= {plain(self.at_most)}"
        return "" if self.at_least is None else f">= {plain(self.at_least)}"

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON."""
        row_text = {"name": self.name, "unit": self.unit, **self.value.to_json()}
        bounds = {"at_most": self.at_most, "at_least": self.at_least}
        row_text |= {name: bound for name, bound in bounds.items() if bound is not None}
        return row_text | ({"verdict": self.verdict} if self.verdict else {})


@dataclass
class Section:
    """The rows of one benchmark, and notes for its reader."""

    title: str
    rows: list[Row] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON."""
        return {
            "title": self.title,
            "rows": [row.to_json() for row in self.rows],
            "notes": self.notes,
        }


def ms(seconds: Spread) -> Spread:
    """Return seconds as milliseconds."""
    return Spread(seconds.median * 1000, seconds.low * 1000, seconds.high * 1000)


def exact(value: float) -> Spread:
    """Return a figure that was counted, not measured."""
    return Spread(value, value, value)


def plain(number: float) -> str:
    """Return a number with about three significant digits."""
    if number == int(number) or abs(number) >= 1000:
        return f"{number:,.0f}"
    size = abs(number)
    digits = sum(size < bound for bound in (100, 10, 1))
    return f"{number:.{digits}f}"


def drawn(sections: Sequence[Section]) -> str:
    """Return all sections as text for a terminal."""
    lines = []
    for section in sections:
        lines += ["", section.title]
        width = max((len(row.name) for row in section.rows), default=0)
        for row in section.rows:
            row_text = f"  {row.name:<{width}}  {plain(row.value.median):>10} {row.unit:<5}"
            if row.value.low != row.value.high:
                row_text += f"  ({plain(row.value.low)} to {plain(row.value.high)})"
            if row.bound:
                row_text += f"  {row.bound}: {row.verdict}"
            lines.append(row_text.rstrip())
        lines += [f"  {note}" for note in section.notes]
    return "\n".join(lines[1:])
