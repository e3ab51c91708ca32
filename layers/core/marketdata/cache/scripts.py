"""The Lua scripts in `lua`: one shared decision each, loaded as package data.

A script may begin with lines `-- include: name.lua`; the named file's text takes the line's place,
so that a rule that two decisions share is written once.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent / "lua"
_INCLUDE = re.compile(r"^-- include: (\w+\.lua)$", re.MULTILINE)


@cache
def load(name: str) -> str:
    """Return the text of `<name>.lua` with its includes. Raise FileNotFoundError without one."""
    return _INCLUDE.sub(
        lambda line: (FOLDER / line[1]).read_text(encoding="utf-8"),
        (FOLDER / f"{name}.lua").read_text(encoding="utf-8"),
    )
