"""The one way in which migsync writes a file: whole, or not at all.

The content is written to a new file in the same directory and synced to disk; then the new file is renamed to the old
name. Whoever reads sees the old content or the new, and a full disk, a kill or a power cut leaves the old file as it
was. A change of migration files takes the same steps one by one (:mod:`migsync.files.commit`), since the names change
only after a database has committed.
"""

from __future__ import annotations

import errno
import os
import secrets
import stat
from collections.abc import Collection, Mapping
from contextlib import suppress
from pathlib import Path


class PartlyWritten(OSError):
    """Of several files, those in `written` have their new content, and the others are as they were."""

    def __init__(self, error: OSError, written: Collection[Path]) -> None:
        super().__init__(error.errno, error.strerror, error.filename)
        self.written = tuple(written)


def write_file(path: Path, content: bytes, *, durable: bool = True) -> None:
    """Put `content` into the file at `path`; an existing file keeps its permission bits.

    A symbolic link is not followed, for it may have come with a clone and lead anywhere, and is not replaced either:
    that raises OSError. What is no file, such as a pipe, a terminal or ``/dev/stdout``, is written to as it is.
    `durable=False` leaves out the syncs, for what can be made again.

    Raises OSError; then the file is as it was.
    """
    write_files({path: content}, durable=durable)


def write_files(contents: Mapping[Path, bytes], *, durable: bool = True) -> None:
    """Write each content to its path as :func:`write_file` does; all are on the disk before the first file is replaced.

    Raises OSError when no file was changed, and PartlyWritten in the rare case that one could be replaced and another
    could not.
    """
    staged: dict[Path, Path] = {}
    written: list[Path] = []
    try:
        # A full disk, or a directory without the right to write, shows here, while every file is still as it was.
        for path, content in contents.items():
            if not _is_stream(path):
                staged[path] = _stage(path, content, durable=durable)
        for path, content in contents.items():
            if path in staged:
                staged[path].replace(path)
            else:
                path.write_bytes(content)
            written.append(path)
    except OSError as error:
        if written:
            raise PartlyWritten(error, written) from error
        raise
    finally:
        for new in staged.values():
            with suppress(OSError):
                new.unlink(missing_ok=True)
        if durable:
            for directory in {path.parent for path in written if path in staged}:
                # The new name is in the directory: until that is synced, a loss of power can bring the old file back.
                _sync_directory(directory)


def _is_stream(path: Path) -> bool:
    """Whether it is there and neither a file nor a directory; a link that leads to such a thing is one too."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return False
    return not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)


def _stage(path: Path, content: bytes, *, durable: bool) -> Path:
    """The content in a new file beside `path`. Raises OSError, and then leaves nothing behind."""
    about = _replaceable(path)
    # In the same directory, for a rename is one step within one file system only.
    new = path.with_name(f".migsync-{secrets.token_hex(8)}.tmp")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            if about:
                _keep(new, about)
            if durable:
                # Before the rename: some file systems write the new name to disk before the content, and a loss of
                # power in between would leave an empty file.
                os.fsync(file.fileno())
    except BaseException:
        new.unlink(missing_ok=True)
        raise
    return new


def _replaceable(path: Path) -> os.stat_result | None:
    """What is known of the file that is to be replaced; None where there is none. Raises OSError for one that stays."""
    try:
        about = path.lstat()
    except FileNotFoundError:
        return None
    if stat.S_ISLNK(about.st_mode):
        raise OSError(errno.ELOOP, f"it is a symbolic link to {path.readlink()}", str(path))
    if stat.S_ISDIR(about.st_mode):
        raise IsADirectoryError(errno.EISDIR, "it is a directory", str(path))
    # A rename needs the right to write to the directory only: it would replace a read-only file without a word.
    if not os.access(path, os.W_OK):
        raise PermissionError(errno.EACCES, "it is there, and read-only", str(path))
    return about


def _keep(new: Path, about: os.stat_result) -> None:
    """The owner, where that is permitted, and the permission bits."""
    # The replacement is a new file, and would belong to root from now on.
    if hasattr(os, "chown") and os.geteuid() == 0:
        with suppress(PermissionError):  # a file system that has no owners, or maps them
            os.chown(new, about.st_uid, about.st_gid)
    new.chmod(about.st_mode & 0o777)


def _sync_directory(directory: Path) -> None:
    with suppress(OSError):  # some file systems, and Windows, cannot sync a directory; the files are in place
        descriptor = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
