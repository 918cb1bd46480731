"""The versions of all migration files of a project, from git, kept beside the cache of the files between two commands.

The log is read once. Later only what new commits changed is added, and while neither a branch nor a file changes, git
is asked a single question. Nothing of it is needed: without git, or with a cache that cannot be read or written, less
is known.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, NamedTuple, Self

from migsync.errors import HistoryError
from migsync.filesystem.git import GitError
from migsync.history.contents import Contents
from migsync.history.graph import History
from migsync.history.migration import Key, Migration
from migsync.rewrites.file_versions import DELETED, FileVersion
from migsync.rewrites.version_cache import OpenFiles, VersionCache
from migsync.rewrites.version_log import VersionLog, on_line, read_log, read_tips

if TYPE_CHECKING:
    from migsync.rewrites.git import Repository

MOST = 300
"""So many versions are compared with the files on disk in one command at most; the next one goes on."""


class _Place(NamedTuple):
    """Where an app's files are: the top of the repository, and the directory in it."""

    top: str
    directory: str


class VersionIndex:
    """What git knows of the files of a project's own apps.

    A context manager, since a ``git cat-file`` runs until it is left. Nothing is read before it is asked for.
    """

    def __init__(self, history: History, cache: Path | None = None) -> None:
        self._history = history
        self._cache = VersionCache(cache)
        self._repositories: dict[str, Repository] = {}
        self._contents: dict[tuple[str, str], Contents | None] = {}
        self._open: dict[str, OpenFiles] = {}
        self._left = MOST

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for repository in self._repositories.values():
            repository.close()
        self._cache.save()

    def open_files(self, app: str) -> Mapping[str, Sequence[FileVersion]] | None:
        """The files of an app of which git holds another content than that on disk, or none, by name.

        What git has of all others is the file of today, at every time. None where git knows nothing of the app.
        """
        place = self._places.get(app)
        if place is None:
            return None
        if app not in self._open:
            disk = self._on_disk[app]
            known = self._cache.open.get(app)
            fresh = place.top not in self._moved and known and known[:2] == (place.directory, disk)
            self._open[app] = known if known and fresh else self._compared(app, place, disk)
        return self._open[app].files

    def of(self, key: Key) -> Sequence[FileVersion]:
        """The versions of a file, which need not be on disk any more; empty where git has none."""
        place = self._places.get(key.app)
        log = self._log(place) if place else None
        return on_line(log.versions[place.directory].get(key.name, ()), log.line) if place and log else ()

    def source(self, app: str, blob: str) -> str:
        """The digest of a version's bytes, as :attr:`Migration.source`; empty where git does not hold it."""
        sources = self._cache.log.sources
        if blob not in sources:
            from migsync.history.parser import source_digest

            content = self._blob(app, blob)
            sources[blob] = source_digest(content) if content is not None else ""
            self._cache.changed = True
        return sources[blob]

    def text(self, app: str, blob: str) -> bytes | None:
        """The bytes of a version; None where git does not hold it."""
        return self._blob(app, blob)

    def contents(self, app: str, blob: str) -> Contents | None:
        """The operations of a version; None for what is no migration, or git does not hold."""
        from migsync.history.parser import read_contents

        if (app, blob) not in self._contents:
            content = self._blob(app, blob)
            try:
                self._contents[app, blob] = None if content is None else read_contents(content, blob, app)
            except HistoryError:  # conflict markers, say: nobody has run it
                self._contents[app, blob] = None
        return self._contents[app, blob]

    def is_today(self, file: Migration, blob: str) -> bool:
        """Whether no database can tell a version from the file on disk."""
        app = file.key.app
        if self.source(app, blob) == file.source:
            return True
        pair, alike = f"{app} {blob} {file.source}", self._cache.log.alike
        if pair not in alike:
            found = self.contents(app, blob)
            if found is None or not found.same_effect(file.contents):
                return False
            alike.add(pair)
            self._cache.changed = True
        return True

    def _compared(self, app: str, place: _Place, disk: str) -> OpenFiles:
        log = self._log(place)
        files: dict[str, Sequence[FileVersion]] = {}
        complete = True
        for name in self._history.names(app):
            versions = on_line(log.versions[place.directory].get(name, ()), log.line) if log else []
            closed = self._is_closed(self._history.migrations[Key(app, name)], versions)
            complete = complete and closed is not None
            if not closed:
                files[name] = versions
        found = OpenFiles(place.directory, disk if complete else "", files)
        self._cache.open[app] = found
        self._cache.changed = True
        return found

    def _is_closed(self, file: Migration, versions: Sequence[FileVersion]) -> bool | None:
        """Whether the file of today is all that git ever had; None where that was not compared."""
        if not versions or any(each.oldest for each in versions) or file.problems:
            return False
        others = {each.blob for each in versions if each.blob != DELETED}
        others = {blob for blob in others if self.source(file.key.app, blob) != file.source}
        if self._left < len(others):
            return None
        self._left -= len(others)
        return all(self.is_today(file, blob) for blob in others)

    def _blob(self, app: str, blob: str) -> bytes | None:
        top = self._places[app].top
        if top not in self._repositories:
            from migsync.rewrites.git import Repository

            self._repositories[top] = Repository(Path(top))
        with suppress(GitError):
            return self._repositories[top].blob(blob)
        return None

    @cached_property
    def _on_disk(self) -> Mapping[str, str]:
        """A digest of the files on disk of each app."""
        sources: dict[str, list[str]] = {}
        for key, migration in self._history.migrations.items():
            sources.setdefault(key.app, []).extend((key.name, migration.source))
        # In the order in which they were read, which is that of their names.
        return {app: hashlib.sha256("\n".join(found).encode()).hexdigest() for app, found in sources.items()}

    @cached_property
    def _places(self) -> Mapping[str, _Place]:
        """Where the apps are that have a repository of which something can be asked."""
        self._cache.load()
        self._moved: set[str] = set()
        top_of, found = _tops(), {}
        for label in self._history.first_party:
            directory = self._history.apps[label].directory
            if directory and (place := top_of(directory)):
                found[label] = place
        for top in {place.top for place in found.values()}:
            if not self._look(top, {place.directory for place in found.values() if place.top == top}):
                found = {label: place for label, place in found.items() if place.top != top}
        return found

    def _look(self, top: str, directories: AbstractSet[str]) -> bool:
        """Bring the log of a repository up to date; False where git cannot be asked."""
        try:
            tips = read_tips(Path(top))
            known = self._cache.tips.get(top)
            if known != tips or not self._cache.directories.get(top, frozenset()) >= directories:
                self._moved.add(top)
                logs = self._cache.log.logs
                logs[top] = read_log(Path(top), logs.get(top), tips, directories)
                self._cache.tips[top] = tips
                self._cache.directories[top] = frozenset(logs[top].versions)
                self._cache.changed = True
        except GitError:
            return False
        return True

    def _log(self, place: _Place) -> VersionLog | None:
        return self._cache.log.logs.get(place.top)


def _tops() -> Callable[[str], _Place | None]:
    """A function that says where a directory is; each directory above is looked at once, since apps are many."""
    real: dict[str, str] = {}
    tops: dict[str, str] = {}

    def resolved(directory: str) -> str:
        if directory not in real:
            parent, name = os.path.split(directory)
            plain = name and not os.path.islink(directory)  # noqa: PTH114 -- texts, for hundreds of directories
            real[directory] = os.path.join(resolved(parent), name) if plain else os.path.realpath(directory)  # noqa: PTH118
        return real[directory]

    def top(directory: str) -> str:
        if directory not in tops:
            # As `repository_of`: a broken .git counts.
            there = os.path.exists(f"{directory}{os.sep}.git")  # noqa: PTH110 -- as above
            parent = os.path.split(directory)[0]
            tops[directory] = directory if there else "" if parent == directory else top(parent)
        return tops[directory]

    def place(directory: str) -> _Place | None:
        found = resolved(os.path.abspath(directory))  # noqa: PTH100 -- as above
        repository = top(found)
        # ``cat-file --batch`` reads one name a line.
        if not repository or repository == found or "\n" in found:
            return None
        return _Place(repository, found.removeprefix(repository).strip(os.sep).replace(os.sep, "/"))

    return place
