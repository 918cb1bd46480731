"""Which commits changed which migration files, as ``git log`` tells it for all branches in one process."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from migsync.filesystem.git import GitError, run_git
from migsync.rewrites.file_versions import DELETED, FileVersion

MANY_DIRECTORIES = 30
"""Git compares every path with every one of so many; with more, it is faster to read all that commits changed."""
PREFIX = 12
"""So many digits of a commit's id are kept, only to tell which commits are on the line of HEAD."""


class Tips(NamedTuple):
    """Where a repository stands: the commit of HEAD, and those of HEAD and all branches, sorted."""

    head: str
    all: tuple[str, ...]
    shallow: bool


class LoggedVersion(NamedTuple):
    """A version as the log has it; `commit` is the beginning of the id of its commit."""

    version: FileVersion
    commit: str


Versions = dict[str, dict[str, list[LoggedVersion]]]
"""By directory in the repository and name of the migration. Children come before their parents."""


@dataclass
class VersionLog:
    """The log of one repository: what is known up to `tips`. `line` are the commits on the line of ``tips.head``."""

    tips: Tips
    versions: Versions
    line: frozenset[str] = frozenset()


def read_log(top: Path, known: VersionLog | None, tips: Tips, directories: Collection[str]) -> VersionLog:
    """The log up to `tips`: what is `known`, and what was committed since; raises GitError."""
    if known and known.versions.keys() >= set(directories) and not tips.shallow and not known.tips.shallow:
        with suppress(GitError):  # an old tip was collected as garbage, say
            return _later(top, known, tips)
    return _trimmed(VersionLog(tips, read_versions(top, directories, tips), read_line(top, tips.head)))


def _later(top: Path, known: VersionLog, tips: Tips) -> VersionLog:
    versions = known.versions
    if not set(tips.all) <= set(known.tips.all):
        for directory, found in read_versions(top, known.versions, tips, known.tips.all).items():
            for name, added in found.items():
                versions[directory][name] = [*added, *versions[directory].get(name, ())]
    line = known.line if tips.head == known.tips.head else read_line(top, tips.head)
    return _trimmed(VersionLog(tips, versions, line))


def _trimmed(log: VersionLog) -> VersionLog:
    """The log with those commits of the line only that changed a file."""
    every = {each.commit for found in log.versions.values() for versions in found.values() for each in versions}
    return VersionLog(log.tips, log.versions, log.line & every)


def read_tips(top: Path) -> Tips:
    """Raises GitError; also for a repository without a commit."""
    lines = run_git(top, "rev-parse", "--is-shallow-repository", "HEAD", "--branches", "--remotes").decode().split()
    return Tips(lines[1], tuple(sorted(set(lines[1:]))), lines[0] == "true")


def read_line(top: Path, head: str) -> frozenset[str]:
    """The commits on the line of first parents of `head`, as beginnings of ids; raises GitError."""
    listed = run_git(top, "rev-list", "--first-parent", head).decode().split()
    return frozenset(commit[:PREFIX] for commit in listed)


def read_versions(top: Path, directories: Collection[str], tips: Tips, known: Iterable[str] = ()) -> Versions:
    """What the commits that `tips` come from, and that `known` do not come from, changed in `directories`.

    No version is on the line of HEAD yet. Raises GitError.
    """
    options = ["--full-history", "--raw", "--no-abbrev", "--no-renames", "--diff-merges=first-parent"]
    # A person's configuration must not change what is printed.
    options += ["--no-color", "--no-notes", "--no-mailmap", "--format=>%H %ct %at %P"]
    settings = ("-c", "core.quotePath=false", "-c", "log.showRoot=true", "-c", "log.showSignature=false")
    revisions = [*tips.all, *(f"^{commit}" for commit in known)]
    paths = ["--", *sorted(directories)] if len(directories) <= MANY_DIRECTORIES else ["--"]
    output = run_git(top, *settings, "log", *options, "--stdin", *paths, given="\n".join(revisions))
    found: Versions = {directory: {} for directory in directories}
    for directory, name, logged in _parsed(os.fsdecode(output).splitlines(), shallow=tips.shallow):
        if directory in found:
            found[directory].setdefault(name, []).append(logged)
    return found


def _parsed(lines: Iterable[str], *, shallow: bool) -> Iterator[tuple[str, str, LoggedVersion]]:
    """(directory, name, version) for each migration file in the log."""
    commit, committed, authored, oldest = "", 0, 0, False
    for line in lines:
        if line.startswith(">"):
            commit, at, first, *parents = line[1:].split(" ")
            committed, authored = int(at), int(first)
            oldest = shallow and not any(parents)
        elif line.startswith(":"):
            fields, _, path = line.partition("\t")
            _, mode, _, blob, _ = fields.split(" ")
            directory, _, file = path.rpartition("/")
            name = file.removesuffix(".py")
            # A link (120000) holds only a path. See `_migration_blobs` for the names.
            if name != file and name[:1] not in ("_", "~", "") and "." not in name:
                there = blob if mode.startswith("100") else DELETED
                version = FileVersion(there, committed, authored, False, oldest)
                yield directory, name, LoggedVersion(version, commit[:PREFIX])


def on_line(versions: Sequence[LoggedVersion], line: Collection[str]) -> list[FileVersion]:
    """The versions, with those on the line of HEAD marked."""
    return [each.version._replace(main=each.commit in line) for each in versions]
