"""Since when a problem is there, and by which commit: git is asked once for the files of all problems."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha1
from pathlib import Path

from migsync.filesystem.git import GitError, repository_of, run_git
from migsync.findings import Finding
from migsync.findings.consistency import conflicting_migrations
from migsync.findings.finding import Fact
from migsync.history import History, Key

_FORMAT = "--format=%x01%H%x02%as%x02%an"


@dataclass(frozen=True, slots=True)
class FileCommit:
    """A commit that added, changed or removed a file; `place` is 0 for the newest one, `blob` what it left."""

    place: int
    commit: str
    date: str
    author: str
    blob: str

    def __str__(self) -> str:
        return f"{self.commit} ({self.date}, {self.author})"


def with_commits(history: History, findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """The findings, errors and warnings with the commit that brought what they are about, where git holds it."""
    paths = {finding: list(_files(history, finding)) for finding in findings if _is_asked(finding)}
    newest = _newest_commits({path for of_one in paths.values() for path in of_one})
    return tuple(_with_commit(finding, [newest.get(path) for path in paths.get(finding, ())]) for finding in findings)


def _is_asked(finding: Finding) -> bool:
    # Some know it already.
    return finding.severity.reaches(finding.severity.WARNING) and not finding.facts.get("commit")


def _with_commit(finding: Finding, commits: Sequence[FileCommit | None]) -> Finding:
    known = [each for each in commits if each]
    if not known:
        return finding
    last = min(known, key=lambda each: each.place)
    about = "Last change of the files" if len(commits) > 1 else "Last change of the file"
    since: Fact = {"commit": last.commit, "date": last.date, "author": last.author}
    meaning = "\n".join(filter(None, (finding.meaning, f"{about}: commit {last}.")))
    return replace(finding, meaning=meaning, facts={**finding.facts, "since": since})


def _files(history: History, finding: Finding) -> Iterator[Path]:
    """The files of a problem: those of the migrations that it is about, there or gone; all leaves of a conflict."""
    keys = [Key(finding.app, finding.name)] if finding.name else []
    if finding.code == conflicting_migrations.code:
        leaves = finding.facts["leaves"]
        keys = [Key(finding.app, str(name)) for name in leaves] if isinstance(leaves, list) else []
    # Of some findings it is an app.
    other, _, name = finding.other.partition(".")
    if name:
        keys.append(Key(other, name))
    for key in keys:
        app = history.apps.get(key.app)
        if app and app.first_party and app.directory:
            yield Path(os.path.realpath(app.directory)) / f"{key.name}.py"


def _newest_commits(paths: Iterable[Path]) -> Mapping[Path, FileCommit]:
    """The newest commit that touched each file, by git; none for a file that was changed since."""
    by_top: defaultdict[Path, list[Path]] = defaultdict(list)
    for path in sorted(paths):
        if top := repository_of(path.parent):
            by_top[top].append(path)
    found: dict[Path, FileCommit] = {}
    for top, files in by_top.items():
        options = ("--raw", "--no-abbrev", "--no-renames", _FORMAT)
        try:
            text = run_git(top, "-c", "core.quotePath=false", "log", *options, "--", *map(str, files))
        except GitError:
            continue
        found |= _read(top, os.fsdecode(text))
    return {path: each for path, each in found.items() if _blob(path) == each.blob}


def _read(top: Path, text: str) -> dict[Path, FileCommit]:
    found: dict[Path, FileCommit] = {}
    for place, entry in enumerate(text.split("\x01")[1:]):
        head, *lines = entry.splitlines()
        commit, date, author = head.split("\x02")
        for line in filter(None, lines):
            words, _, name = line.partition("\t")
            found.setdefault(top / name, FileCommit(place, commit[:10], date, author, words.split(" ")[3]))
    return found


def _blob(path: Path) -> str:
    """What git calls the contents of a file; its name for no file, where there is none."""
    try:
        content = path.read_bytes()
    except OSError:
        return "0" * 40
    return sha1(b"blob %d\0%b" % (len(content), content), usedforsecurity=False).hexdigest()
