"""Every call on the project's files while they change, in one place: a test can make any of them fail, or the last."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from migsync.filesystem.boundary import CONTENT_LIMIT, PERMISSIONS, read_regular

SYNCS_AT_ONCE = 16
"""A file system writes the syncs that it is asked for together as one: 40 times faster for a thousand files."""

Fault = Callable[[str, Path], None]


def no_fault(_call: str, _path: Path) -> None:
    """What happens before each call outside of tests: nothing."""


@dataclass(frozen=True)
class Files:
    """The file system. `fault` is called with the name and the path of every call before it is made, for tests.

    All methods raise OSError.
    """

    fault: Fault = no_fault

    def read(self, path: Path, limit: int = CONTENT_LIMIT) -> bytes | None:
        """The content of a regular file; None where there is nothing.

        Raises Irregular, which is an OSError and a ValueError, for one of more than `limit` bytes, or of another kind.
        """
        self.fault("read", path)
        try:
            return read_regular(path, limit)
        except (FileNotFoundError, NotADirectoryError):
            return None

    def exists(self, path: Path) -> bool:
        """True for anything of this name, a dangling link too."""
        self.fault("exists", path)
        return os.path.lexists(path)

    def mode(self, path: Path) -> int:
        """The permission bits."""
        self.fault("mode", path)
        return path.stat().st_mode & PERMISSIONS

    def create(self, path: Path, content: bytes, mode: int) -> None:
        """Write a whole file, in place of what another attempt may have left. It is not on disk before :meth:`sync`."""
        self.fault("create", path)
        # Never into what is there: it may be a link, or share its content with a file elsewhere.
        path.unlink(missing_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            self.fault("write", path)
            file.write(content)
            file.flush()
            self.fault("chmod", path)
            # The umask takes bits off a mode that is given to open(), and none off one that is given to fchmod().
            os.fchmod(descriptor, mode)
        self._give_to_owner(path)

    def sync(self, paths: Iterable[Path]) -> None:
        """Sync files and directories to disk, so that they survive a power cut."""
        paths = list(dict.fromkeys(paths))
        for path in paths:
            self.fault("sync", path)
        with ThreadPoolExecutor(SYNCS_AT_ONCE) as threads:
            list(threads.map(_sync, paths))

    def replace(self, source: Path, path: Path) -> None:
        """Rename `source` to `path` in one step, whatever was there."""
        self.fault("replace", path)
        source.replace(path)

    def remove(self, path: Path) -> None:
        """Remove a file, if it is there."""
        self.fault("remove", path)
        # Looked at first: a read-only file system refuses to remove even what is not there.
        if os.path.lexists(path):
            path.unlink(missing_ok=True)

    def make_directory(self, path: Path) -> None:
        """Make a directory, if it is not there."""
        self.fault("make directory", path)
        with suppress(FileExistsError):
            path.mkdir()
            self._give_to_owner(path)

    def remove_directory(self, path: Path) -> None:
        """Remove a directory, if it is there and empty."""
        self.fault("remove directory", path)
        if path.is_dir() and not any(path.iterdir()):
            path.rmdir()

    def names(self, directory: Path) -> list[str]:
        """The names in a directory, sorted; none where there is no such directory."""
        self.fault("list", directory)
        try:
            return sorted(path.name for path in directory.iterdir())
        except (FileNotFoundError, NotADirectoryError):
            return []

    def open_lock(self, path: Path) -> int:
        """A descriptor to be locked."""
        self.fault("lock", path)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK, 0o666)
        about = os.fstat(descriptor)
        # `locked` writes into this file. A hard link may have come with the project, and share its content with any
        # file of the user.
        if not stat.S_ISREG(about.st_mode) or about.st_nlink > 1:
            os.close(descriptor)
            raise OSError(errno.EMLINK, "The lock file shares its content with another file", str(path))
        self._give_to_owner(path)
        return descriptor

    def _give_to_owner(self, path: Path) -> None:
        """As root, in a container say, what is made belongs to whoever has the directory it is made in."""
        if os.geteuid() == 0:
            parent = path.parent.stat()
            with suppress(PermissionError):  # a file system that has no owners, or maps them
                os.chown(path, parent.st_uid, parent.st_gid, follow_symlinks=False)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
