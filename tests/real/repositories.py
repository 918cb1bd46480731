"""The migration files of a Django project as its git repository holds them, commit by commit; no code is imported.

An app is a directory ``…/migrations``. Its label is what its files call it in their dependencies, else the name of the
directory above. Files for South, and a directory with a file that is no Python, are passed over.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import IO, Self, cast

from migsync.errors import HistoryError
from migsync.history import History, build_history, parse_migration
from migsync.history.migration import App, Key, Migration
from migsync.history.parser import source_digest

FILE = re.compile(r"(?P<directory>(?:.*/)?migrations)/(?P<name>[A-Za-z0-9][^/.]*)\.py")
_KEY = re.compile(rb"""\(\s*u?["'](\w+)["'],\s*u?["'](\w+)["']""")
_FOR_TESTS = re.compile(r"(^|/)(_?tests?|test_\w+|\w+_tests?|testing|testproject|sandbox|_site)/")
SPECS = ("*migrations/*.py",)
Files = Mapping[str, str]
"""The blob of each migration file of one commit, by path."""


@dataclass(frozen=True)
class Commit:
    """A commit of the main branch. `files` are those of this commit."""

    id: str
    moment: int
    files: Files = field(repr=False)

    @property
    def day(self) -> str:
        return datetime.fromtimestamp(self.moment, UTC).date().isoformat()


@dataclass(frozen=True)
class Snapshot:
    """The migrations of one commit, as migsync reads them, and the directory of each app in the repository."""

    history: History
    directories: Mapping[str, str]


class Mirror:
    """A repository without a work tree, at the path of its git directory. A context manager: a git process runs."""

    def __init__(self, path: Path) -> None:
        inside = path / ".git" if (path / ".git").is_dir() else path
        self.path = inside
        parts = [part for part in path.resolve().parts if part not in (".git", "repo")]
        self.name = parts[-1].removesuffix(".git").rpartition("+")[2]
        self._batch: subprocess.Popen[bytes] | None = None
        self._sources: dict[str, bytes] = {}
        self._migrations: dict[tuple[str, Key], Migration] = {}
        self._labels: dict[tuple[str, Files], str] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        if self._batch:
            self._batch.communicate()

    def git(self, *arguments: str) -> str:
        done = subprocess.run(
            ["git", "-c", "safe.directory=*", f"--git-dir={self.path}", *arguments], capture_output=True, check=True
        )
        return os.fsdecode(done.stdout)

    @cached_property
    def main(self) -> list[Commit]:
        """The commits of the main branch that changed a migration file, oldest first."""
        text = self.git(
            *("log", "--first-parent", "-m", "--reverse", "--raw", "--no-abbrev", "--no-renames", "-z"),
            *("--format=%x01%H %ct", "HEAD", "--", *SPECS),
        )
        files: dict[str, str] = {}
        found = []
        for part in text.split("\x01")[1:]:
            head, *fields = part.strip("\0\n").split("\0")
            for meta, path in zip(fields[::2], fields[1::2], strict=True):
                self._change(files, meta.strip().split(" "), path)
            commit, moment = head.split()
            found.append(Commit(commit, int(moment), dict(files)))
        return found

    def _change(self, files: dict[str, str], meta: list[str], path: str) -> None:
        _, mode, _, blob, _ = meta
        if FILE.fullmatch(path):
            if mode.startswith(":") or mode == "000000":
                files.pop(path, None)
            elif mode.startswith("100"):
                files[path] = blob

    def files_of(self, commit: str) -> Files:
        """The migration files of any commit."""
        found = {}
        for line in self.git("ls-tree", "-r", "-z", commit).split("\0"):
            meta, _, path = line.partition("\t")
            if FILE.fullmatch(path) and meta.startswith("100"):
                found[path] = meta.split(" ")[2]
        return found

    @cached_property
    def line(self) -> list[tuple[str, int]]:
        """Every commit of the main branch with its time, oldest first."""
        output = self.git("rev-list", "--first-parent", "--reverse", "--timestamp", "HEAD")
        pairs = (line.split() for line in output.splitlines())
        return [(commit, int(moment)) for moment, commit in pairs]

    def state_at(self, moment: int) -> Commit:
        """The main branch at that time, by its last commit that changed migration files."""
        before = [commit for commit in self.main if commit.moment <= moment]
        return before[-1] if before else self.main[0]

    def later(self, commit: str, moment: int, days: int) -> str:
        """The first commit of the main branch that contains `commit` and is `days` younger; its head, otherwise."""
        limit = moment + int(timedelta(days=days).total_seconds())
        for each, when in self.line:
            if when >= limit and self._contains(each, commit):
                return each
        return self.line[-1][0]

    def _contains(self, commit: str, other: str) -> bool:
        command = ["git", "-c", "safe.directory=*", f"--git-dir={self.path}"]
        return not subprocess.run([*command, "merge-base", "--is-ancestor", other, commit], check=False).returncode

    def renames(self) -> Iterator[tuple[str, str, int]]:
        """(commit, its parent, time) of the commits that gave migration files other names, newest first."""
        text = self.git(
            *("log", "--no-merges", "--raw", "-M50%", "--diff-filter=R", "-z", "--format=%x01%H %P %ct", "HEAD"),
            *("--", *SPECS),
        )
        for part in text.split("\x01")[1:]:
            head, *fields = part.strip("\0\n").split("\0")
            words = head.split()
            pairs = zip(fields[1::3], fields[2::3], strict=False)
            if len(words) == 3 and any(_same_app(old, new) for old, new in pairs):
                yield words[0], words[1], int(words[2])

    def renamed(self, old: str, new: str) -> dict[str, str]:
        """The paths of migration files that have another name in the same directory, as git finds between commits."""
        text = self.git("diff-tree", "-r", "-M50%", "-l5000", "--diff-filter=R", "-z", old, new, "--", *SPECS)
        fields = text.split("\0")
        return {old: new for old, new in zip(fields[1::3], fields[2::3], strict=False) if _same_app(old, new)}

    def snapshot(self, files: Files, root: Path | None = None, only: Collection[str] | None = None) -> Snapshot:
        """The migrations of a commit, or those in `only` these directories.

        With `root`, the apps are said to be in that work tree.
        """
        by_directory: dict[str, dict[str, str]] = {}
        for path, blob in files.items():
            # The projects in the folders for tests have apps of the same names.
            match = FILE.fullmatch(path) if not _FOR_TESTS.search(path) else None
            if match and (only is None or match["directory"] in only):
                by_directory.setdefault(match["directory"], {})[match["name"]] = blob
        directories: dict[str, str] = {}
        migrations: dict[str, list[Migration]] = {}
        for directory, named in sorted(by_directory.items()):
            label = self._label(directory, named)
            read = [self._migration(label, name, blob) for name, blob in named.items()]
            if label in directories or None in read or not any(name.startswith("0001") for name in named):
                continue
            directories[label] = directory
            migrations[label] = [each for each in read if each]
        apps = [App(label, str(root / each) if root else None) for label, each in directories.items()]
        history = build_history((each for found in migrations.values() for each in found), apps, complete=False)
        return Snapshot(history, directories)

    def source(self, blob: str) -> bytes:
        if blob not in self._sources:
            if self._batch is None:
                self._batch = subprocess.Popen(
                    ["git", "-c", "safe.directory=*", f"--git-dir={self.path}", "cat-file", "--batch"],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                )
            stdin, stdout = cast("IO[bytes]", self._batch.stdin), cast("IO[bytes]", self._batch.stdout)
            stdin.write(f"{blob}\n".encode())
            stdin.flush()
            *_, size = stdout.readline().split()
            self._sources[blob] = stdout.read(int(size)) if size.isdigit() else b""
            stdout.read(1 if size.isdigit() else 0)
        return self._sources[blob]

    def _migration(self, label: str, name: str, blob: str) -> Migration | None:
        key = Key(label, name)
        if (blob, key) not in self._migrations:
            source = self.source(blob)
            if b"from south" in source or b"import south" in source:
                return None
            try:
                read = parse_migration(source, key, f"{label}/{name}.py")
            except (HistoryError, RecursionError):
                return None
            self._migrations[blob, key] = read.changed(source=source_digest(source))
        return self._migrations[blob, key]

    def _label(self, directory: str, named: Mapping[str, str]) -> str:
        """What the files of a directory call their app: by its name, unless several of them say otherwise."""
        own = directory.split("/")[-2] if "/" in directory else directory
        # Every app has a 0001_initial, so that it tells nothing.
        apps = {
            (app.decode(), name.decode())
            for blob in named.values()
            for app, name in _KEY.findall(self.source(blob))
            if name.decode() in named and name != b"0001_initial"
        }
        counts = Counter(app for app, _ in apps)
        return own if own in counts or not counts else max(counts, key=lambda app: (counts[app], app))


def _same_app(old: str, new: str) -> bool:
    first, second = FILE.fullmatch(old), FILE.fullmatch(new)
    return bool(first and second and first["directory"] == second["directory"])


class Clone:
    """A repository that has the objects of another, and any commit as its HEAD. It has no files in its work tree."""

    def __init__(self, root: Path, mirror: Mirror) -> None:
        self.root = root
        subprocess.run(["git", "init", "-q", str(root)], check=True)
        (root / ".git" / "objects" / "info" / "alternates").write_text(f"{mirror.path.resolve() / 'objects'}\n")
        self._head = root / ".git" / "HEAD"
        self._head.write_text(f"{mirror.line[-1][0]}\n")
        # With it, git finds the commits that changed one directory in a hundredth of the time.
        subprocess.run(
            ["git", "-C", str(root), "commit-graph", "write", "--stdin-commits", "--changed-paths", "--no-progress"],
            input=f"{mirror.line[-1][0]}\n".encode(),
            check=True,
        )

    def at(self, commit: str, *, shallow: bool = False) -> Path:
        """The work tree, with `commit` checked out in name; with `shallow`, git holds no older commit."""
        self._head.write_text(f"{commit}\n")
        grafts = self.root / ".git" / "shallow"
        grafts.write_text(f"{commit}\n") if shallow else grafts.unlink(missing_ok=True)
        return self.root
