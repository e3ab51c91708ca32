"""Files of the service on one machine: readable by its user only, and bounded in size."""

from __future__ import annotations

import contextlib
import io
import os
import threading
from pathlib import Path

LOG_BYTES = 20_000_000
OLD_LOGS = 5


def keep_private(folder: Path) -> None:
    """Make all files of this process and its children readable by its user only.

    That includes the files that an earlier version wrote to `folder`.
    """
    os.umask(0o077)
    if not folder.exists():
        return
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o700 if path.is_dir() else 0o600)


class RotatingFile(io.TextIOBase):
    """A log file that is renamed when it is full; five old ones are kept.

    Several processes may write to the same file. Before each line a process checks whether another
    process has renamed the file. `RotatingFileHandler` would write on to the renamed file.
    """

    def __init__(self, path: Path, most_bytes: int = LOG_BYTES) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._most_bytes = most_bytes
        self._lock = threading.Lock()
        self._file = self._open()

    def write(self, text: str, /) -> int:
        """Write one or several lines at once, and keep nothing in memory."""
        data = text.encode()
        with self._lock:
            if self._was_renamed():
                self._file.close()
                self._file = self._open()
            size = os.fstat(self._file.fileno()).st_size
            if size and size + len(data) > self._most_bytes:
                self._rotate()
            self._file.write(data)
        return len(text)

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        super().close()

    def _open(self) -> io.FileIO:
        return io.FileIO(self._path, "a")

    def _was_renamed(self) -> bool:
        try:
            return not os.path.samestat(self._path.stat(), os.fstat(self._file.fileno()))
        except FileNotFoundError:
            return True

    def _rotate(self) -> None:
        self._file.close()
        for number in range(OLD_LOGS, 0, -1):
            older = self._numbered(number)
            with contextlib.suppress(FileNotFoundError):
                self._numbered(number - 1).replace(older)
        self._file = self._open()

    def _numbered(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{number}") if number else self._path
