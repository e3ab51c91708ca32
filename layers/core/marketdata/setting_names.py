"""Misspelt names of settings in an environment, each with the nearest name of ours."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

from marketdata.settings import ENV_PREFIXES, SETTINGS_BY_NAME

# Our own variables that are not settings.
OTHER_VARIABLES = ("MARKETDATA_HOME", "MARKETDATA_CONTAINER")
# No other program has variables that begin like these.
_OUR_NAMES = re.compile(rf"(?:{'|'.join(ENV_PREFIXES.values())}|MARKETDATA)_\w+", re.ASCII)
# The similarity from which on a name counts as a misspelling. A name of one word must differ from a
# setting by one slip only, because other programs have variables such as POST or HOSTS.
_ALIKE = 0.8
_ONE_WORD = re.compile(r"[A-Z]+")


def misspelt_names(names: Iterable[str]) -> dict[str, str]:
    """Return the names that are probably misspelt settings, each with the nearest setting.

    `names` are those of an environment, which has the variables of other programs as well. The
    nearest setting is empty if none is similar.
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
    """Return the setting or variable most similar to a name; empty if none is similar."""
    known = (*SETTINGS_BY_NAME, *OTHER_VARIABLES)
    cutoff = 0.7 if _ONE_WORD.fullmatch(name) else _ALIKE
    return next(iter(difflib.get_close_matches(name.upper(), known, 1, cutoff)), "")


def _differ_by_one_slip(name: str, other: str) -> bool:
    """Return whether names differ by two swapped letters, or by one letter too many or too few."""
    swaps = {name[:at] + name[at + 1] + name[at] + name[at + 2 :] for at in range(len(name) - 1)}
    return other in swaps or _without_one(name, other) or _without_one(other, name)


def _without_one(longer: str, shorter: str) -> bool:
    return len(longer) == len(shorter) + 1 and any(
        longer[:at] + longer[at + 1 :] == shorter for at in range(len(longer))
    )
