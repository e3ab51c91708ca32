"""The Lua scripts in `lua`: one shared decision each, loaded as package data.

A script may begin with lines `-- include: name.lua`; the named file's text takes the line's place,
so that a rule that two decisions share is written once.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha1
from pathlib import Path

FOLDER = Path(__file__).parent / "lua"
_INCLUDE = re.compile(r"^-- include: (\w+\.lua)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Script:
    """One script: its whole text, and the SHA-1 that EVALSHA knows it by, in hex."""

    text: str = field(repr=False)
    sha: str


@cache
def load(name: str) -> Script:
    """The script in `<name>.lua`, its includes in place. FileNotFoundError if there is none."""
    text = _INCLUDE.sub(
        lambda line: (FOLDER / line[1]).read_text(encoding="utf-8"),
        (FOLDER / f"{name}.lua").read_text(encoding="utf-8"),
    )
    return Script(text, sha1(text.encode(), usedforsecurity=False).hexdigest())
