"""Migration files as git holds them: their states in the past, read in two processes however many files there are."""

from __future__ import annotations

import datetime
import os
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import IO, Self, cast

from migsync.errors import HistoryError
from migsync.filesystem.git import GitError, repository_of, run_git, start_git
from migsync.history import parse_migration
from migsync.history.migration import App, Key, Migration
from migsync.rewrites.file_state import FileState

MANY_STATES = 1000
"""How many commits back an app's files are followed."""

MANY_BRANCHES = 200
"""How many branches are looked at for a file that HEAD never had."""


class GitHistory:
    """The past states of some apps' files. Nothing is read before the first is asked for, then all apps at once.

    A context manager, since a ``git cat-file`` runs until it is left. Git is never needed: where there is no git, no
    repository or no commit, an app has no states, and :meth:`reason` says why.
    """

    def __init__(self, apps: Iterable[App], limit: int = MANY_STATES) -> None:
        self._apps = {app.label: app for app in apps if app.directory}
        self._limit = limit
        self._found: dict[str, tuple[FileState, ...]] = {}
        self._abandoned: dict[str, tuple[FileState, ...]] = {}
        self._reasons: dict[str, str] = {}
        self._repositories: dict[Path, Repository] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for repository in (self._repositories or {}).values():
            repository.close()
        self._repositories = None

    def of(self, app: str) -> tuple[FileState, ...]:
        """What the app's files were in every commit that HEAD comes from, newest first, each state once."""
        if app not in self._found:
            self._found[app] = self._read(app, "HEAD")
        return self._found[app]

    def abandoned(self, app: str) -> tuple[FileState, ...]:
        """The same for commits that only the reflog knows: amended, rebased away, of a deleted branch."""
        if app not in self._abandoned:
            known = {tuple(state.migrations.items()) for state in self.of(app)}
            found = self._read(app, "--reflog")
            self._abandoned[app] = tuple(state for state in found if tuple(state.migrations.items()) not in known)
        return self._abandoned[app]

    def line(self, app: str) -> tuple[frozenset[str], ...]:
        """The names of the app's files in HEAD and along its first parents, newest first.

        Each state comes from the next one in the list, which is not so in :meth:`of`: there, branches are mixed.
        """
        place = self._place(app)
        if place is None:
            return ()
        repository, directory = place
        try:
            commits = repository.commits("HEAD", sorted(self._inside[repository.top].values()), self._limit, line=True)
            return tuple(repository.names(directory, commits))
        except GitError as error:
            self._reasons[app] = f"Git could not be asked: {error}"
            return ()

    def is_shallow(self, app: str) -> bool:
        """True where git holds the newest commits of the app's files only."""
        place = self._place(app)
        return place is not None and place[0].shallow

    def sources(self, app: str, state: FileState) -> dict[str, bytes]:
        """The bytes of the files of one state, by name; empty where git does not have them."""
        place = self._place(app)
        if place is None or not state.commit:
            return {}
        repository, directory = place
        with suppress(GitError):
            return {name: repository.content(f"{state.commit}:{directory}/{name}.py") for name in state.migrations}
        return {}

    def whole(self, app: str, state: FileState) -> tuple[Path, bytes] | None:
        """The top of the repository, and all that it had at the commit of `state`, as a tar archive."""
        place = self._place(app)
        try:
            return (place[0].top, run_git(place[0].top, "archive", "--format=tar", state.commit)) if place else None
        except GitError:
            return None

    def elsewhere(self, app: str, names: Iterable[str]) -> dict[str, tuple[str, str]]:
        """Those of `names` whose files HEAD never had: another branch that has the file, and its operations digest."""
        own = {name for state in self.of(app) for name in state.names}
        place = self._place(app)
        if place is None:
            return {}
        repository, directory = place
        found: dict[str, tuple[str, str]] = {}
        try:
            for branch in repository.branches():
                for name in names:
                    place_there = f"{branch}:{directory}/{name}.py"
                    if name not in own and name not in found and repository.has(place_there):
                        found[name] = branch, repository.digest(app, name, place_there)
        except GitError as error:
            self._reasons[app] = f"Git could not be asked: {error}"
        return found

    def reason(self, app: str) -> str:
        """A sentence on why git tells nothing, or not all; empty when there is nothing to say."""
        return self._reasons.get(app, "")

    def _read(self, app: str, start: str) -> tuple[FileState, ...]:
        place = self._place(app)
        if place is None:
            return ()
        repository, directory = place
        try:
            commits = repository.commits(start, sorted(self._inside[repository.top].values()), self._limit)
            states = tuple(repository.states(app, directory, commits))
        except GitError as error:
            self._reasons[app] = f"Git could not be asked: {error}"
            return ()
        if repository.shallow:
            self._reasons[app] = "This clone is shallow, so git does not hold the older files (git fetch --unshallow)."
        return states

    def _place(self, app: str) -> tuple[Repository, str] | None:
        """The repository of the app's files, and their directory in it."""
        # Before `_inside` is read, which this fills.
        found = self._by_repository()
        return next(((found[top], inside[app]) for top, inside in self._inside.items() if app in inside), None)

    def _by_repository(self) -> Mapping[Path, Repository]:
        if self._repositories is None:
            self._inside: dict[Path, dict[str, str]] = {}
            for label, app in self._apps.items():
                # The top of a repository is found as a real path, and `relative_to` compares paths as text.
                directory = Path(os.path.realpath(app.directory or ""))
                top = repository_of(directory)
                if top is None:
                    self._reasons[label] = "The files are not in a git repository."
                # ``cat-file --batch`` reads one name a line, so it cannot be asked for a path with a newline.
                elif directory != top and "\n" not in str(directory):
                    self._inside.setdefault(top, {})[label] = directory.relative_to(top).as_posix()
            self._repositories = {top: Repository(top) for top in self._inside}
        return self._repositories


class Repository:
    """One repository, asked with plumbing commands only: a person's configuration does not change what they print."""

    def __init__(self, top: Path) -> None:
        self.top = top
        self._commits: dict[tuple[str, bool], Sequence[tuple[str, str]]] = {}
        self._batch: subprocess.Popen[bytes] | None = None
        self._migrations: dict[tuple[str, str], Migration | None] = {}

    def commits(
        self, start: str, directories: Sequence[str], limit: int, *, line: bool = False
    ) -> Sequence[tuple[str, str]]:
        """(commit, date) of the commits that changed any of `directories`, children before parents.

        Merged branches are followed too: a database may have been migrated on one of them. With `line` only first
        parents are followed.
        """
        # The directories are not in the key: a repository is always asked for all of its apps, in one process.
        if (start, line) not in self._commits:
            # Without --full-history, git leaves out a merged branch of which nothing is left in the result.
            options = ["--full-history", "--topo-order", "--timestamp", f"--max-count={limit * len(directories)}"]
            options += ["--first-parent"] if line else []
            # Where no reflog is kept, ``--reflog`` alone is a usage error.
            options += ["--default", "HEAD"]
            output = self._run("rev-list", *options, start, "--", *directories)
            pairs = (line.split() for line in output.splitlines())
            self._commits[start, line] = [(commit, _day(moment)) for moment, commit in pairs]
        return self._commits[start, line]

    def states(self, app: str, directory: str, commits: Iterable[tuple[str, str]]) -> Iterator[FileState]:
        """The states of one directory at `commits`, each once, without those that Django could not have loaded."""
        seen: set[str] = set()
        for commit, date in commits:
            kind, tree, content = self._object(f"{commit}:{directory}")
            # The directory may not have been there yet. One tree has one id in all commits, so each state is read once.
            if kind != "tree" or tree in seen:
                continue
            seen.add(tree)
            blobs = dict(_migration_blobs(content, len(tree) // 2))
            files = {name: self._migration(app, name, blob) for name, blob in blobs.items()}
            whole = {name: file for name, file in files.items() if file}
            state = FileState(f"git {commit[:10]} ({date})", whole, commit=commit)
            # With a file that cannot be read (conflict markers, say), no database was migrated from this commit.
            if len(whole) == len(files) and state.is_legal:
                yield state

    def names(self, directory: str, commits: Iterable[tuple[str, str]]) -> Iterator[frozenset[str]]:
        """The names of the migrations in one directory at each of `commits`; equal neighbours once."""
        last = ""
        for commit, _ in commits:
            kind, tree, content = self._object(f"{commit}:{directory}")
            if kind == "tree" and tree != last:
                yield frozenset(name for name, _ in _migration_blobs(content, len(tree) // 2))
                last = tree

    def branches(self) -> Sequence[str]:
        """Local and remote branches, those committed to last first, at most `MANY_BRANCHES`."""
        options = ["--sort=-committerdate", f"--count={MANY_BRANCHES}", "--format=%(refname:short)"]
        return self._run("for-each-ref", *options, "refs/heads", "refs/remotes").split()

    def has(self, name: str) -> bool:
        """True for the name of an object that git holds."""
        return self._object(name)[0] != "missing"

    def files(self, commit: str, places: Sequence[str]) -> Iterator[tuple[str, str]]:
        """(path, blob id) of each regular file below `places`: no links and no submodules. Raises GitError."""
        listed = self._run("ls-tree", "-r", "-z", "--full-tree", commit, "--", *places)
        for entry in filter(None, listed.split("\0")):
            head, _, path = entry.partition("\t")
            mode, kind, blob = head.split(" ")
            if kind == "blob" and mode.startswith("100"):
                yield path, blob

    def blob(self, name: str) -> bytes | None:
        """The content of a file by its id or its ``branch:path``; None when git does not have it."""
        kind, _, content = self._object(name)
        return content if kind == "blob" else None

    def content(self, place: str) -> bytes:
        """The bytes of the file at `place` (``commit:path``)."""
        return self._object(place)[2]

    def digest(self, app: str, name: str, place: str) -> str:
        """The operations digest of the file at `place` (``branch:path``); empty when it cannot be read in full."""
        found = self._migration(app, name, place)
        return found.digest if found and not found.problems else ""

    @cached_property
    def shallow(self) -> bool:
        """True when git holds the newest commits only."""
        try:
            return self._run("rev-parse", "--is-shallow-repository").strip() == "true"
        except GitError:
            return False

    def close(self) -> None:
        """End the process that hands out objects."""
        if self._batch:
            self._batch.communicate()
            self._batch = None

    def _migration(self, app: str, name: str, blob: str) -> Migration | None:
        """One file, parsed once; None when it is no migration or cannot be read."""
        key = Key(app, name)
        if (app, blob) not in self._migrations:
            kind, _, content = self._object(blob)
            try:
                self._migrations[app, blob] = parse_migration(content, key) if kind == "blob" else None
            except HistoryError:
                self._migrations[app, blob] = None
        found = self._migrations[app, blob]
        # A renamed file is the same blob, so it may have been parsed under another name.
        return found.changed(key=key) if found else None

    def _object(self, name: str) -> tuple[str, str, bytes]:
        """(type, id, content) of an object; the type is ``missing`` when git does not have it."""
        if self._batch is None:
            self._batch = start_git(self.top, "cat-file", "--batch")
        stdin, stdout = cast("IO[bytes]", self._batch.stdin), cast("IO[bytes]", self._batch.stdout)
        try:
            stdin.write(os.fsencode(name) + b"\n")
            stdin.flush()
        except BrokenPipeError:
            raise GitError("git cat-file ended.") from None
        header = stdout.readline()
        if not header:
            raise GitError("git cat-file ended.")
        fields = header.rstrip(b"\n").rsplit(b" ", 2)
        # ``ID TYPE SIZE``, or ``NAME missing``, where NAME is what was asked for and may have spaces in it.
        if len(fields) != 3 or not fields[2].isdigit():
            return "missing", "", b""
        content = stdout.read(int(fields[2]))
        # Behind each object git writes a newline.
        stdout.read(1)
        return fields[1].decode(), fields[0].decode(), content

    def _run(self, *arguments: str) -> str:
        return os.fsdecode(run_git(self.top, *arguments))


def _migration_blobs(tree: bytes, width: int) -> Iterator[tuple[str, str]]:
    """(migration name, blob id) from a tree object, by Django's rule for what is a migration module.

    `width` is the length of an id in bytes: 20, or 32 in a repository that uses SHA-256.
    """
    position = 0
    while position < len(tree):
        space = tree.index(b" ", position)
        end = tree.index(b"\0", space)
        mode, file = tree[position:space], os.fsdecode(tree[space + 1 : end])
        position = end + 1 + width
        name = file.removesuffix(".py")
        # 100644 and 100755 are files. A link (120000) holds only a path; a directory (40000) is no migration for
        # Django.
        if mode.startswith(b"100") and name != file and name[:1] not in ("_", "~", "") and "." not in name:
            yield name, tree[end + 1 : position].hex()


def _day(moment: str) -> str:
    return datetime.datetime.fromtimestamp(int(moment), datetime.UTC).date().isoformat()
