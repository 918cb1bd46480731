"""Only one migsync changes the files of a project at a time."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from migsync.errors import FilesLocked
from migsync.files.commit.syscalls import Files

if sys.platform != "win32":
    import fcntl

RETRY_SECONDS = 0.05


@contextmanager
def locked(path: Path, files: Files, timeout: float) -> Iterator[None]:
    """Hold the lock file at `path`, waiting at most `timeout` seconds for it.

    Raises FilesLocked.

    The kernel gives the lock back when a process ends, however it ends, so no lock is ever stale. The file stays: were
    it removed, two processes could hold two files of one name.
    """
    descriptor = files.open_lock(path)
    try:
        _wait(descriptor, path, time.monotonic() + timeout)
        with suppress(OSError):  # only a courtesy, and a full disk must not keep anybody from settling
            os.truncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)


def _wait(descriptor: int, path: Path, end: float) -> None:
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if time.monotonic() < end:
                time.sleep(RETRY_SECONDS)
                continue
            # Whoever holds the lock may not have written its number yet, or may have met a full disk.
            holder = os.pread(descriptor, 20, 0).decode("ascii", "replace").strip() or "unknown"
            raise FilesLocked(
                f"Another migsync (process {holder}) is changing the migration files of this project.",
                f"It holds the lock {path}. Nothing was changed.",
            ) from error
        return
