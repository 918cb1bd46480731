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
from migsync.filesystem.boundary import SOURCE_LIMIT, open_to_read
from migsync.findings import Finding, Severity
from migsync.history.cache import Cache, now
from migsync.history.generated import read_generated
from migsync.history.graph import History, build_history
from migsync.history.migration import CONTROL_CHARACTER, App, Key, Migration, Problem
from migsync.history.packages import Module, Package, Stamp, find_modules
from migsync.history.reader import BrokenFileError, Header, read_digest, read_header


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
        disk = _Disk(cache)
        read = [disk.app(app) for app in apps]
        disk.raise_broken()
        if cache is not None:
            cache.save()
        history = build_history(disk.migrations, read, settings or {}, complete=complete)
    if not disk.findings:
        return history
    told = {(finding.app, finding.name) for finding in disk.findings}
    rest = (finding for finding in history.findings if (finding.app, finding.name) not in told)
    return replace(history, findings=(*disk.findings, *rest))


def read_migration(content: bytes, key: Key, path: str, digest: str = "") -> Migration:
    """As :func:`parse_migration`, in a fraction of the time.

    The digest, where the caller does not know it, is worked out when it is asked for.
    """
    header = read_generated(content) or read_header(content, path)
    return header.migration(key, path, digest or (lambda: read_digest(content, path)))


class _Disk:
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
        started = now()
        package = None if app.directory is None else _package(app.directory)
        if package is None:
            return replace(app, directory=None)
        if not package.is_package:
            if package.modules and app.first_party:
                self.findings.append(_ignored(app, package))
            return replace(app, directory=None)
        for module in package.modules:
            if app.first_party and CONTROL_CHARACTER.search(module.name):
                self.broken.append(_misnamed(module))
            header = self.header(app, package.directory, module, started)
            key = Key(app.label, module.name)
            digest = partial(_digest, module)
            self.migrations.append(header.migration(key, module.path, digest))
        return app

    def header(self, app: App, directory: str, module: Module, started: int) -> Header:
        """What one file says; of a broken file in somebody else's app, that it is broken."""
        filename = module.path[len(directory) + 1 :]
        if self.cache is not None and (known := self.cache.get(directory, filename, module.stamp)) is not None:
            return known
        try:
            header = _read(module)
        except BrokenFileError as error:
            if app.first_party:
                self.broken.append(error)
            else:
                self.findings.append(_broken(app, module, error))
            return Header(problems=(error.problem,))
        if self.cache is not None:
            self.cache.put(directory, filename, module.stamp, header, started)
        return header

    def raise_broken(self) -> None:
        """Raise for all broken files at once."""
        if len(self.broken) == 1:
            raise self.broken[0]
        if self.broken:
            first = self.broken[0]
            raise HistoryError("\n".join(error.found for error in self.broken), first.meaning, first.hint)


def _misnamed(module: Module) -> BrokenFileError:
    return BrokenFileError(
        printable(module.path),
        0,
        "a control character in the name of the file",
        "No row of django_migrations can have this name, and no message could show it.",
        "Rename the file.",
    )


def _package(directory: str) -> Package | None:
    try:
        return find_modules(directory)
    except OSError as error:
        raise HistoryError(
            f"{directory}: {error.strerror}", "The migrations in it are unknown.", "Make the directory readable."
        ) from error


def _read(module: Module) -> Header:
    if not module.is_source:
        what = "compiled code without its source; Django takes it for a migration"
        return Header(problems=(Problem(0, what),))
    source = _bytes(module)
    return read_generated(source) or read_header(source, module.path)


def _bytes(module: Module) -> bytes:
    """The file's content, in four system calls: there may be ten thousand files."""
    if module.stamp.size > SOURCE_LIMIT:
        raise _too_large(module)
    try:
        descriptor = open_to_read(module.path)
        try:
            content = os.read(descriptor, module.stamp.size + 1)
        finally:
            os.close(descriptor)
    except OSError as error:
        hint = "Make the file readable, then run this again."
        raise BrokenFileError(module.path, 0, error.strerror or str(error), "What it says is unknown.", hint) from error
    if len(content) != module.stamp.size:
        raise _changed(module)
    return content


def _too_large(module: Module) -> BrokenFileError:
    size = SOURCE_LIMIT // 2**20
    what = f"larger than {size} MB, which migsync does not read"
    return BrokenFileError(module.path, 0, what, "What it says is unknown.", "Load large data from a file of its own.")


def _digest(module: Module) -> str:
    """The digest of a file that was read earlier."""
    content = _bytes(module)
    if _stamp(module.path) != module.stamp:
        raise _changed(module)
    return read_digest(content, module.path) if module.is_source else ""


def _stamp(path: str) -> Stamp:
    status = os.stat(path)  # noqa: PTH116 -- one for each of thousands of files
    return Stamp(status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def _changed(module: Module) -> HistoryError:
    return HistoryError(
        f"{module.path} was changed while it was read.", "What it says now is not known.", "Run this again."
    )


def _broken(app: App, module: Module, error: BrokenFileError) -> Finding:
    return Finding(
        "broken-migration",
        Severity.ERROR,
        f"{error.found}.",
        f"Django imports this file of {app.label} too, so `migrate` ends with an error.",
        "Install the package again, or move the file elsewhere if it is not the package's own.",
        app=app.label,
        name=module.name,
        file=module.path,
        line=error.problem.line,
    )


def _ignored(app: App, package: Package) -> Finding:
    return Finding(
        "no-init",
        Severity.WARNING,
        f"{package.directory} has {len(package.modules)} modules and no __init__.py.",
        "Django does not look for migrations in a directory that is no regular package.",
        "Add an empty __init__.py if these are migrations.",
        app=app.label,
        file=package.directory,
    )


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
