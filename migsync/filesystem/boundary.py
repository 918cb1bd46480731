"""The one check for every path, link, id, mode and size that is read from disk.

A cloned repository, an archive or another user can put anything into ``.migsync``, into a cache directory inside the
project, or behind a link. Nothing that was read there is used before it is checked here: a path is relative, stays
inside the project's root, and leads through no link; an id is hexadecimal; a mode has permission bits only.

The decoders raise DecodeError, the other functions ValueError, for what must not be used. The messages quote what they
name, so that they can be printed.
"""

from __future__ import annotations

import errno
import os
import re
import stat
import unicodedata
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from migsync.decoder import DecodeError, integer, shortened, text

CONTENT_LIMIT = 2**30
"""The largest file that is read, in bytes, where it is no document."""

SOURCE_LIMIT = 2**25
"""The largest file that a person wrote and migsync reads, in bytes: a hundred times the largest real migration."""

NUMBER_LIMIT = 2**53
PERMISSIONS = 0o777
# Compared without case: on macOS and Windows `.GIT` is `.git`.
RESERVED = frozenset({".git", ".hg", ".svn", ".migsync"})
_ID = re.compile(r"[0-9a-f]{32}")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_TIME = re.compile(r"[0-9T:Z.+-]{1,40}")


class Irregular(OSError, ValueError):
    """A file that is too large to be read, or is not a regular one."""


def hexadecimal_id(value: object) -> str:
    """An id as migsync makes them: 32 lower-case hexadecimal digits."""
    return _matching(_ID, value, "an id of 32 hexadecimal digits")


def hexadecimal_digest(value: object) -> str:
    """A SHA-256 in lower-case hexadecimal digits."""
    return _matching(_DIGEST, value, "a SHA-256 in hexadecimal digits")


def timestamp(value: object) -> str:
    """A time such as ``2026-02-01T10:00:00Z``."""
    return _matching(_TIME, value, "a time")


def permissions(value: object) -> int:
    """The permission bits of a mode. The bits for set-user-ID, set-group-ID and sticky are taken off."""
    return number(value) & PERMISSIONS


def number(value: object) -> int:
    """A whole number from 0 to 2**53."""
    if not 0 <= integer(value) < NUMBER_LIMIT:
        raise DecodeError(f"is {shortened(value)}, which is too small or too large")
    return integer(value)


def plain_text(value: object) -> str:
    """A text without control characters."""
    if any(unicodedata.category(each) == "Cc" for each in text(value)):
        raise DecodeError("has control characters")
    return text(value)


def relative_path(value: object) -> str:
    """A path of something inside the project's root, as migsync writes it: no ``..``, not absolute, not in ``.git``.

    It says nothing about links; see :func:`refuse_links`.
    """
    if not isinstance(value, str) or not value:
        raise DecodeError("is not a path")
    parts = value.split("/")
    if any(part in ("", ".", "..") for part in parts):
        raise DecodeError(f"is {shortened(value)}, which is not a plain path inside the project")
    if any(part.casefold() in RESERVED for part in parts):
        raise DecodeError(f"is {shortened(value)}, which is not migsync's to change")
    # isprintable() is fast, but refuses too much: a no-break space, and what os.fsdecode() makes of a name that is not
    # UTF-8. Only for what it refuses the categories are looked up.
    if not value.isprintable() and any(unicodedata.category(each) in ("Cc", "Cf") for each in value):
        raise DecodeError(f"is {shortened(value)}, which has control characters")
    try:
        # JSON can hold surrogates that os.fsdecode() never makes, such as \ud800.
        os.fsencode(value)
    except UnicodeEncodeError:
        raise DecodeError(f"is {shortened(value)}, which no file can be called") from None
    return value


def file_name(value: str) -> str:
    """The name of one file, to be put into a directory that somebody else named."""
    if "/" in relative_path(value) or (os.altsep or os.sep) in value or len(os.fsencode(value)) > 255:
        raise DecodeError(f"{shortened(value)} cannot be the name of a file")
    return value


def refuse_links(root: Path, paths: Iterable[str]) -> None:
    """Raise for a path below `root` that is a symbolic link, or has one on the way. `root` must have none itself."""
    known: dict[str, bool] = {}
    for path in paths:
        directory, _, _ = path.rpartition("/")
        if directory not in known:
            place = os.path.join(root, directory) if directory else str(root)  # noqa: PTH118 -- thousands
            known[directory] = os.path.realpath(place) == place
        if not known[directory] or os.path.islink(os.path.join(root, path)):  # noqa: PTH114, PTH118
            raise ValueError(f"{shortened(path)} is a symbolic link, or is reached through one")


def refuse_foreign_state(directory: Path) -> None:
    """Raise for a state directory that is a link, holds links, or belongs to another user.

    It is enough to look at the three levels that migsync uses; what lies elsewhere is never opened.
    """
    try:
        about = directory.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return
    if not stat.S_ISDIR(about.st_mode):
        raise ValueError(f"{directory} is not a directory, but {_kind(about.st_mode)}")
    if not _is_owner(about, directory.parent):
        raise ValueError(f"{directory} belongs to another user (number {about.st_uid})")
    for level in ((directory,), (directory / "commits",), _directories(directory / "commits")):
        for place in level:
            _refuse_entries(place)


def read_regular(path: Path, limit: int = CONTENT_LIMIT) -> bytes:
    """The content of a regular file of at most `limit` bytes; a link is not followed, a pipe not waited for.

    Raises OSError, and Irregular for a file that is larger or is not a regular one.
    """
    if path.is_symlink():
        raise Irregular(f"{path} is a symbolic link")
    # The look above gives the better message; O_NOFOLLOW is for a link that is put there after it.
    return _read(path, limit, getattr(os, "O_NOFOLLOW", 0))


def read_source(path: Path, limit: int = SOURCE_LIMIT) -> bytes:
    """The content of a file that a person wrote into the project: a regular file, or a link to one.

    It has at most `limit` bytes. Raises OSError, and Irregular.
    """
    return _read(path, limit)


def open_to_read(path: str | Path, flags: int = 0) -> int:
    """A descriptor; a pipe that nobody writes to is not waited for. Raises OSError, and Irregular for what is no file.

    A directory raises IsADirectoryError.
    """
    always = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    descriptor = os.open(path, always | flags)
    # Asked of what is open: the name may lead to another file by now.
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISREG(mode):
        return descriptor
    os.close(descriptor)
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    raise Irregular(f"{path} is not a file, but {_kind(mode)}")


def _read(path: Path, limit: int, flags: int = 0) -> bytes:
    with os.fdopen(open_to_read(path, flags), "rb") as file:
        # One byte more, to tell a file of just this size from a larger one.
        content = file.read(limit + 1)
    if len(content) > limit:
        raise Irregular(f"{path} is larger than {limit // 2**20} MB")
    return content


def _matching(pattern: re.Pattern[str], value: object, what: str) -> str:
    if not pattern.fullmatch(text(value)):
        raise DecodeError(f"is {shortened(value)}, not {what}")
    return text(value)


def _directories(place: Path) -> list[Path]:
    return [Path(entry.path) for entry in _entries(place) if entry.is_dir(follow_symlinks=False)]


def _refuse_entries(place: Path) -> None:
    for entry in _entries(place):
        with suppress(FileNotFoundError):  # another migsync has just removed it
            mode = entry.stat(follow_symlinks=False).st_mode
            if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
                raise ValueError(f"{shortened(entry.path)} is {_kind(mode)}")


def _entries(place: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(place) as entries:
            return list(entries)
    except (FileNotFoundError, NotADirectoryError):
        return []


def _is_owner(about: os.stat_result, parent: Path) -> bool:
    """As root, in a container say, migsync makes files for whoever has the project; so that is the right owner too."""
    if not hasattr(os, "geteuid") or about.st_uid == os.geteuid():
        return True
    return os.geteuid() == 0 and about.st_uid == parent.stat().st_uid


def _kind(mode: int) -> str:
    if stat.S_ISLNK(mode):
        return "a symbolic link"
    return "a directory" if stat.S_ISDIR(mode) else "a file" if stat.S_ISREG(mode) else "a device or a pipe"
