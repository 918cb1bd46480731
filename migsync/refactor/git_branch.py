"""What git says about the branch that is checked out: which migrations another branch has, and which are its own."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from migsync.errors import HistoryError, UsageError
from migsync.filesystem.git import GitError, run_git
from migsync.history.migration import App

MAIN = ("main", "master", "origin/main", "origin/master")
UNDER_WAY = ("rebase-merge", "rebase-apply", "MERGE_HEAD")


@dataclass(frozen=True)
class GitBranch:
    """`onto` is the other branch, as a person knows it; `theirs` are its migrations, `base` those of the merge base.

    Both map an app's label to names. An app outside of the repository is in neither.
    """

    onto: str
    theirs: Mapping[str, frozenset[str]] = field(default_factory=dict)
    base: Mapping[str, frozenset[str]] = field(default_factory=dict)


def read_branch(root: Path, apps: Iterable[App], onto: str | None) -> GitBranch:
    """Ask git. Raises HistoryError without a repository, and UsageError for a branch that is not there."""
    git = _Git(root)
    name, commit, own = git.sides(onto)
    base = git.ask("merge-base", commit, own)
    places = git.places(apps)
    return GitBranch(name, git.names(commit, places), git.names(base, places) if base else {})


def is_under_way(root: Path) -> bool:
    """Whether a git rebase or merge was begun and is not ended: then what is not committed is git's own work."""
    try:
        git = _Git(root)
    except HistoryError:
        return False
    return any((git.directory / name).exists() for name in UNDER_WAY)


class _Git:
    """One repository, asked with plumbing commands."""

    def __init__(self, root: Path) -> None:
        self.root = root
        top = self.ask("rev-parse", "--show-toplevel")
        if not top:
            raise HistoryError(
                f"{root} is not in a git repository.",
                "migsync learns from git which migrations a branch added.",
                "To resolve several leaf nodes without git: migsync fix-conflicts",
            )
        self.top = Path(top)
        self.directory = Path(self.ask("rev-parse", "--absolute-git-dir"))

    def ask(self, *arguments: str) -> str:
        """The first line that git prints; empty where it ends with an error."""
        return os.fsdecode(self._run(*arguments)).split("\n")[0]

    def sides(self, onto: str | None) -> tuple[str, str, str]:
        """(name, commit) of the branch that comes first, and a commit of the branch that is moved."""
        # During a rebase HEAD is the other branch with some commits of this one on top; git notes where this one was.
        own = self._in_git_directory("rebase-merge/orig-head", "rebase-apply/orig-head") or "HEAD"
        if onto:
            return onto, self._commit(onto), own
        # In the middle of a rebase or a merge the other side is the one that git is working with, whatever is usual.
        running = self._in_git_directory("rebase-merge/onto", "rebase-apply/onto", "MERGE_HEAD")
        if running:
            return f"{self.ask('name-rev', '--name-only', '--always', running)}", running, own
        for name in self._usual():
            if commit := self.ask("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}"):
                return name, commit, own
        raise UsageError(
            "This branch has no upstream, and there is no branch main or master.",
            "So it is not clear which branch comes first.",
            "Name it: migsync rebase --onto BRANCH",
        )

    def places(self, apps: Iterable[App]) -> dict[str, str]:
        """The directory of each app of the project's own, as git writes it."""
        found = {}
        for app in apps:
            directory = Path(os.path.realpath(app.directory)) if app.directory and app.first_party else None
            if directory and directory.is_relative_to(self.top) and directory != self.top:
                found[app.label] = directory.relative_to(self.top).as_posix()
        return found

    def names(self, commit: str, places: Mapping[str, str]) -> dict[str, frozenset[str]]:
        """Each app's migration files in a commit."""
        # --full-tree, since git is started in the project's root, which may be below the top of the repository.
        output = self._run("ls-tree", "-r", "-z", "--name-only", "--full-tree", commit)
        found: dict[str, set[str]] = {}
        for path in os.fsdecode(output).split("\0"):
            directory, _, file = path.rpartition("/")
            if file.endswith(".py") and file[0] not in "_~":
                found.setdefault(directory, set()).add(file.removesuffix(".py"))
        return {label: frozenset(found.get(directory, ())) for label, directory in places.items()}

    def _usual(self) -> list[str]:
        """The upstream, unless it is only this branch's own copy elsewhere; then the usual names."""
        upstream = self.ask("rev-parse", "--abbrev-ref", "--symbolic-full-name", "@{upstream}")
        current = self.ask("symbolic-ref", "--short", "--quiet", "HEAD")
        # For feature, origin/feature holds the same migrations: against it nothing would be this branch's own.
        own = bool(current) and upstream.endswith(f"/{current}")
        return [*([upstream] if upstream and not own else []), *(name for name in MAIN if name != current)]

    def _commit(self, name: str) -> str:
        commit = self.ask("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")
        if not commit:
            raise UsageError(f"--onto {name}: git has no such branch or commit.", "", "To list them: git branch --all")
        return commit

    def _in_git_directory(self, *names: str) -> str:
        for name in names:
            path = self.directory / name
            if path.is_file():
                return path.read_text(encoding="utf-8").split("\n")[0].strip()
        return ""

    def _run(self, *arguments: str) -> bytes:
        try:
            return run_git(self.root, *arguments, search=True)
        except GitError as error:
            # Other errors are answers: there is no such branch, no upstream, no merge base.
            if error.missing:
                raise HistoryError(
                    str(error), "migsync learns from git which migrations a branch added.", "Install git."
                ) from error
            return b""
