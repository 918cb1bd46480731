"""From directories to a :class:`History`: finds the files, reads the changed ones, and remembers the others."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

from migsync.errors import HistoryError
from migsync.escapes import printable
from migsync.filesystem.archives import read_member
from migsync.filesystem.boundary import SOURCE_LIMIT, open_to_read
from migsync.findings import Finding
from migsync.findings.history import broken_migration, no_init
from migsync.history.cache import Cache, now
from migsync.history.directory import MigrationDirectory, MigrationFile, Stamp, member_stamp, read_directory
from migsync.history.graph import History, build_history
from migsync.history.layout import read_generated
from migsync.history.migration import CONTROL_CHARACTER, App, Key, Migration, Problem
from migsync.history.parser import BrokenFileError, Header, read_header, source_digest
from migsync.progress import counted


def read_history(
    apps: Sequence[App],
    *,
    settings: Mapping[str, str] | None = None,
    cache: Cache | None = None,
    complete: bool = True,
) -> History:
    """The migrations of these apps as their files state them; nothing is imported.

    `settings` are the swappable settings, such as ``{"AUTH_USER_MODEL": "auth.User"}``; `complete` as for
    :func:`build_history`. A missing directory, and one without ``__init__``, hold no migrations, as for Django. Raises
    HistoryError, naming file and line, when a first-party file is broken; what cannot be read in a sound file is in
    the findings of the history.
    """
    with _no_collection():
        reader = _Reader(cache)
        read = [reader.app(app) for app in counted("Reading the migrations of apps", apps)]
        reader.raise_broken()
        if cache is not None:
            cache.save()
        history = build_history(reader.migrations, read, settings or {}, complete=complete)
    if not reader.findings:
        return history
    # A broken file has a problem in its header as well, which the history would tell a second time.
    told = {(finding.app, finding.name) for finding in reader.findings}
    rest = (finding for finding in history.findings if (finding.app, finding.name) not in told)
    return replace(history, findings=(*reader.findings, *rest))


def read_migration(content: bytes, key: Key, path: str, digest: str = "") -> Migration:
    """As :func:`parse_migration`, in a fraction of the time. `digest` is that of the operations, where it is known."""
    header = read_generated(content) or read_header(content, path)
    return header.migration(key, path, lambda: content, digest)


WITHOUT_IT = "Without this file, migsync does not know the order of the migrations."


class _Reader:
    """What was gathered from the directories so far."""

    def __init__(self, cache: Cache | None) -> None:
        self.cache = cache
        self.migrations: list[Migration] = []
        self.findings: list[Finding] = []
        self.broken: list[BrokenFileError] = []
        if cache is not None:
            cache.load()

    def app(self, app: App) -> App:
        """Read one app; the answer has no directory when Django sees no migrations in it."""
        # Before the directory is read: a file that is written meanwhile is younger than this, and is not cached.
        started = now()
        found = None if app.directory is None else _directory(app.directory)
        if found is None:
            return replace(app, directory=None)
        if not found.is_package:
            if found.files and app.first_party:
                self.findings.append(no_init(app=app.label, modules=len(found.files), file=found.path))
            return replace(app, directory=None)
        for file in found.files:
            if app.first_party and CONTROL_CHARACTER.search(file.name):
                self.broken.append(_misnamed(file))
            header = self.header(app, found.path, file, started)
            key = Key(app.label, file.name)
            if file.is_source:
                digests = self.cache.digests if self.cache else None
                self.migrations.append(header.migration(key, file.path, partial(_again, file), digests=digests))
            else:
                self.migrations.append(Migration(key, file.path, problems=header.problems))
        return app

    def header(self, app: App, directory: str, file: MigrationFile, started: int) -> Header:
        """What one file says; of a broken file in somebody else's app, that it is broken."""
        filename = file.path[len(directory) + 1 :]
        if self.cache is not None and (known := self.cache.get(directory, filename, file.stamp)) is not None:
            return known
        try:
            header = _read(file)
        except BrokenFileError as error:
            if app.first_party:
                self.broken.append(error)
            else:
                key, line = Key(app.label, file.name), error.problem.line
                self.findings.append(broken_migration(migration=key, file=file.path, line=line, reason=error.found))
            return Header(problems=(error.problem,))
        if self.cache is not None:
            self.cache.put(directory, filename, file.stamp, header, started)
        return header

    def raise_broken(self) -> None:
        """Raise one error for all broken files."""
        if len(self.broken) == 1:
            raise self.broken[0]
        if self.broken:
            meanings, hints = ({getattr(error, text) for error in self.broken} for text in ("meaning", "hint"))
            raise HistoryError(
                "\n".join(error.found for error in self.broken),
                meanings.pop() if len(meanings) == 1 else "",
                hints.pop() if len(hints) == 1 else "Fix these files, then run the command again.",
            )


def _misnamed(file: MigrationFile) -> BrokenFileError:
    return BrokenFileError(
        printable(file.path),
        0,
        "the file name contains a control character",
        "migsync accepts no such name in django_migrations: messages and scripts could not show it.",
        "Rename the file, then run the command again.",
    )


def _directory(directory: str) -> MigrationDirectory | None:
    try:
        return read_directory(directory)
    except OSError as error:
        raise HistoryError(
            f"The directory {directory} cannot be read: {error.strerror}.",
            "It contains the migrations of an app.",
            "Make it readable, then run the command again.",
        ) from error


def _read(file: MigrationFile) -> Header:
    if not file.is_source:
        what = "compiled code without its source; Django loads it as a migration"
        return Header(problems=(Problem(0, what),))
    source = _bytes(file)
    return (read_generated(source) or read_header(source, file.path))._replace(source=source_digest(source))


def _bytes(file: MigrationFile) -> bytes:
    """The file's content, in four system calls: there may be ten thousand files."""
    if file.stamp.size > SOURCE_LIMIT:
        raise _too_large(file)
    try:
        descriptor = open_to_read(file.path)
        try:
            content = os.read(descriptor, file.stamp.size + 1)  # one byte more, to notice that the file has grown
        finally:
            os.close(descriptor)
    except NotADirectoryError:
        content = read_member(file.path)
    except OSError as error:
        what = f"cannot be read ({error.strerror or error})"
        hint = "Make the file readable, then run the command again."
        raise BrokenFileError(file.path, 0, what, WITHOUT_IT, hint) from error
    if len(content) != file.stamp.size:
        raise _changed(file)
    return content


def _too_large(file: MigrationFile) -> BrokenFileError:
    size = SOURCE_LIMIT // 2**20
    what = f"larger than {size} MB"
    hint = "Move large data into a file that the migration loads, then run the command again."
    return BrokenFileError(file.path, 0, what, f"migsync does not read such large files. {WITHOUT_IT}", hint)


def _again(file: MigrationFile) -> bytes:
    """The content of a file whose header was read earlier."""
    content = _bytes(file)
    # Both must be of the same content, and minutes may lie between the two.
    if _stamp(file) != file.stamp:
        raise _changed(file)
    return content


def _stamp(file: MigrationFile) -> Stamp:
    try:
        status = os.stat(file.path)  # noqa: PTH116 -- one for each of thousands of files
    except NotADirectoryError:
        return member_stamp(file.path, file.stamp.size)
    return Stamp(status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def _changed(file: MigrationFile) -> HistoryError:
    return HistoryError(f"{file.path} was changed while migsync read it.", WITHOUT_IT, "Run the command again.")


@contextmanager
def _no_collection() -> Iterator[None]:
    """Keep the cyclic collector from looking at ten thousand new migrations: they have no cycles, and all stay."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.freeze()  # else it would look at all of them at once, now
            gc.enable()
