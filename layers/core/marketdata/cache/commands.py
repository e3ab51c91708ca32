"""Commands on their way to Redis: what callers write, and the bytes that travel.

What a reader sends again and again is packed once: for a hundred keys that takes as long as Redis
needs to find them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hiredis import pack_command

from marketdata.cache import scripts


@dataclass(frozen=True, slots=True)
class Packed:
    """A command as it travels. `key` decides the node; without one any node will do."""

    data: bytes
    key: str | None


# `("GET", key)`, or `("script", name, keys, args)` for one of our Lua scripts, or what `pack` made.
Command = Sequence[Any] | Packed


def pack(*args: Any) -> Packed:
    """A command, `pack("GET", key)`, ready to travel; its first argument is taken for its key."""
    key = args[1] if len(args) > 1 else None
    return Packed(pack_command(args), key.decode() if isinstance(key, bytes) else key)


def wire(command: Command, *, whole: bool = False) -> Packed:
    """Any command ready to travel; a script by its SHA-1, or `whole`."""
    if isinstance(command, Packed):
        return command
    if not is_script(command):
        return pack(*command)
    _, name, keys, args = command
    script = scripts.load(name)
    call = ("EVAL", script.text) if whole else ("EVALSHA", script.sha)
    return Packed(pack_command((*call, len(keys), *keys, *args)), keys[0])


def is_script(command: Command) -> bool:
    """Whether it names one of our Lua scripts."""
    return not isinstance(command, Packed) and command[0] == "script"
