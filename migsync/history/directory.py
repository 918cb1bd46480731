"""Which files of a directory are migrations: Django's rules, those of ``MigrationLoader.load_disk``.

Django asks ``pkgutil.iter_modules``, leaves out packages and names that begin with ``_`` or ``~``, and takes an app
whose migrations package has no ``__init__`` for one without migrations.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.machinery import all_suffixes
from typing import NamedTuple

from migsync.filesystem.archives import archive_of, members


class Stamp(NamedTuple):
    """What tells that a file is still the same: its size, and when it and its entry were last changed (ns)."""

    size: int
    mtime: int
    ctime: int


class MigrationFile(NamedTuple):
    """One migration module: its name, its file's path, and the stamp of the file before it is read."""

    name: str
    path: str
    stamp: Stamp

    @property
    def is_source(self) -> bool:
        """False for an extension, and for a ``.pyc`` whose source is gone: both are migrations to Django."""
        return self.path.endswith(".py")


@dataclass(frozen=True, slots=True)
class MigrationDirectory:
    """The migration modules in one directory, sorted by name. `is_package` is False without an ``__init__``."""

    path: str
    files: tuple[MigrationFile, ...]
    is_package: bool


_LEFT_OUT = frozenset(["", "_", "~"])
# The longest first, for ``.so`` also ends ``x.cpython-312-x86_64-linux-gnu.so``.
_SUFFIXES = sorted(all_suffixes(), key=len, reverse=True)


def read_directory(directory: str) -> MigrationDirectory | None:
    """The migrations in `directory`; None when there is no such directory. Raises OSError when it cannot be read."""
    try:
        entries = os.scandir(directory)
    except (FileNotFoundError, NotADirectoryError):
        return _in_archive(directory)
    files: dict[str, MigrationFile] = {}
    packages: set[str] = set()
    is_package = False
    with entries:
        for entry in entries:
            name, suffix = _split(entry.name)
            if name == "__init__":
                is_package = True
            elif not suffix:
                packages.update(_packages(entry))
            # Python imports the source where a name has also a compiled file, whichever of them comes first here.
            # A name with a dot is no module to pkgutil: nothing could import it.
            elif name[:1] not in _LEFT_OUT and "." not in name and (suffix == ".py" or name not in files):
                status = entry.stat()
                stamp = Stamp(status.st_size, status.st_mtime_ns, status.st_ctime_ns)
                files[name] = MigrationFile(name, entry.path, stamp)
    found = tuple(files[name] for name in sorted(files.keys() - packages))
    return MigrationDirectory(directory, found, is_package)


def _in_archive(directory: str) -> MigrationDirectory | None:
    """The migrations in a directory of a zip archive; each is as old as the archive."""
    found = sorted(members(directory))
    if not found:
        return None
    files = {}
    for filename, size in found:
        name, suffix = _split(filename)
        path = os.path.join(directory, filename)  # noqa: PTH118 -- texts in, texts out
        if suffix and name[:1] not in _LEFT_OUT and "." not in name and (suffix == ".py" or name not in files):
            files[name] = MigrationFile(name, path, member_stamp(path, size))
    return MigrationDirectory(directory, tuple(files.values()), any(_split(name)[0] == "__init__" for name, _ in found))


def member_stamp(path: str, size: int) -> Stamp:
    """The stamp of a file in an archive: it changes with the archive. Raises OSError where that is gone."""
    archive, _ = archive_of(path) or (path, "")
    status = os.stat(archive)  # noqa: PTH116 -- as above
    return Stamp(size, status.st_mtime_ns, status.st_ctime_ns)


def _split(filename: str) -> tuple[str, str]:
    if filename.endswith(".py"):
        return filename[:-3], ".py"
    for suffix in _SUFFIXES:
        if filename.endswith(suffix):
            return filename[: -len(suffix)], suffix
    return filename, ""


def _packages(entry: os.DirEntry[str]) -> Iterator[str]:
    """The name of a package beside the modules: it hides a module of the same name from Django."""
    if entry.name != "__pycache__" and "." not in entry.name and entry.is_dir():
        with os.scandir(entry.path) as inner:
            if any(_split(each.name)[0] == "__init__" and _split(each.name)[1] for each in inner):
                yield entry.name
