"""Files of the service on one machine: who may read them, and how large a log becomes."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from local.service.files import OLD_LOGS, RotatingFile
from tests.support.running_service import settings_free_environment

KEEPS = """
import sys
from pathlib import Path
from local.service.files import keep_private
folder = Path(sys.argv[1])
keep_private(folder)
(folder / "new").mkdir()
(folder / "new" / "file").write_text("x")
"""


def logs_of(path: Path) -> list[Path]:
    """A log and its old ones, newest first."""
    older = [path.with_name(f"{path.name}.{number}") for number in range(1, 10)]
    return [path, *(file for file in older if file.exists())]


def test_all_files_become_private(tmp_path):
    """Files that an earlier version left, and all new files, are readable by the owner only."""
    folder = tmp_path / "state"
    (folder / "old").mkdir(parents=True, mode=0o755)
    (folder / "old" / "file").write_text("x")
    command = [sys.executable, "-c", KEEPS, str(folder)]
    subprocess.run(command, check=True, env=settings_free_environment(), umask=0o022)  # noqa: S603
    for path in (folder, *folder.rglob("*")):
        assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600), path


def test_a_full_log_is_renamed_and_five_old_ones_are_kept(tmp_path):
    """No file of a log is larger than allowed, and the newest lines are kept."""
    path = tmp_path / "deeper" / "service.log"
    log = RotatingFile(path, most_bytes=1_000)
    for number in range(1_000):
        log.write(f"line {number:04}\n")
    log.close()
    files = logs_of(path)
    assert len(files) == 1 + OLD_LOGS
    assert all(0 < file.stat().st_size <= 1_000 for file in files)
    lines = [line for file in reversed(files) for line in file.read_text().splitlines()]
    assert lines == [f"line {number:04}" for number in range(1_000 - len(lines), 1_000)]


def test_writers_of_one_log_lose_no_line(tmp_path):
    """Two writers of one log lose no line, also if the log is renamed meanwhile."""
    path = tmp_path / "service.log"
    writers = [RotatingFile(path, most_bytes=100_000) for _ in range(2)]
    for number in range(3_000):
        writers[number % 2].write(f"line {number:04}\n")
        if number == 1_500:
            path.replace(path.with_name("service.log.moved"))
    for writer in writers:
        writer.close()
    moved = path.with_name("service.log.moved").read_text().splitlines()
    kept = path.read_text().splitlines()
    assert len(moved) == 1_501
    assert moved + kept == [f"line {number:04}" for number in range(3_000)]


def test_threads_write_whole_lines(tmp_path):
    """Lines that threads write at the same time are whole."""
    path = tmp_path / "service.log"
    log = RotatingFile(path, most_bytes=10_000_000)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: log.write(f"{n}" * 2_000 + "\n"), [1, 2, 3, 4] * 25))
    log.close()
    lines = path.read_text().splitlines()
    assert len(lines) == 100
    assert {len(set(line)) for line in lines} == {1}
