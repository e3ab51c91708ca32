"""Misspelt names of settings in an environment, each with the nearest name of ours."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

from marketdata.settings import ENV_PREFIXES, SETTINGS_BY_NAME

# Names of variables of our own that are no settings.
OTHER_VARIABLES = ("MARKETDATA_HOME", "MARKETDATA_PAYLOADS", "MARKETDATA_BROWSER")
# Nobody else's variables begin like these.
_OUR_NAMES = re.compile(rf"(?:{'|'.join(ENV_PREFIXES.values())}|MARKETDATA)_\w+", re.ASCII)
# From this likeness on a name counts as a misspelling. A name of one word must be nearer to a
# setting of one word, because other programs use such names, too.
_ALIKE = 0.8
_ONE_WORD = re.compile(r"[A-Z]+")


def misspelt_names(names: Iterable[str]) -> dict[str, str]:
    """Return the names that look like ours and are not, each with the nearest name of ours.

    `names` are those of an environment, which has the variables of other programs as well. The
    nearest name is empty where none is near.
    """
    found = {}
    for name in names:
        if name in SETTINGS_BY_NAME or name in OTHER_VARIABLES:
            continue
        near = nearest_name(name)
        if _ONE_WORD.fullmatch(name):
            is_ours = bool(near) and _differ_by_one_slip(name, near)
        else:
            is_ours = bool(near) or _OUR_NAMES.fullmatch(name) is not None
        if is_ours:
            found[name] = near
    return found


def nearest_name(name: str) -> str:
    """Return the name of ours that is most like another name; empty if none is near."""
    known = (*SETTINGS_BY_NAME, *OTHER_VARIABLES)
    cutoff = 0.7 if _ONE_WORD.fullmatch(name) else _ALIKE
    return next(iter(difflib.get_close_matches(name.upper(), known, 1, cutoff)), "")


def _differ_by_one_slip(name: str, other: str) -> bool:
    """Whether two swapped letters, one doubled, or one left out are all that differs."""
    swaps = {name[:at] + name[at + 1] + name[at] + name[at + 2 :] for at in range(len(name) - 1)}
    return other in swaps or _without_one(name, other) or _without_one(other, name)


def _without_one(longer: str, shorter: str) -> bool:
    return len(longer) == len(shorter) + 1 and any(
        longer[:at] + longer[at + 1 :] == shorter for at in range(len(longer))
    )
