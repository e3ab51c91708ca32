"""Loads the Lua scripts in `lua`, each of which is one shared decision.

A script may have lines `-- include: name.lua`. Each is replaced by the text of the named file, so
that a rule that two scripts share is written once.
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
