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
class GitSide:
    """One commit: the `names` of each app's migrations, and the ids of its `rewrites`.

    An app outside of the repository is not among them.
    """

    names: Mapping[str, frozenset[str]] = field(default_factory=dict)
    rewrites: frozenset[str] = frozenset()


@dataclass(frozen=True)
class GitBranch:
    """`onto` is the other branch, as a person knows it; `theirs` is what it has, `base` what the merge base has."""

    onto: str
    theirs: GitSide = GitSide()
    base: GitSide = GitSide()


def read_branch(root: Path, apps: Iterable[App], rewrites: Path, onto: str | None) -> GitBranch:
    """Ask git; `rewrites` is the directory of the rewrites.

    Raises HistoryError without a repository, and UsageError for a branch that is not there.
    """
    git = _Git(root)
    name, commit, own = git.sides(onto)
    base = git.ask("merge-base", commit, own)
    places = git.places(apps)
    there = git.side(commit, places, rewrites)
    return GitBranch(name, there, git.side(base, places, rewrites) if base else GitSide())


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
        # On main itself: what was merged into it comes behind what it had.
        if commit := self.ask("rev-parse", "--verify", "--quiet", "HEAD^2^{commit}"):
            return "HEAD^1", self._commit("HEAD^1"), own
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

    def side(self, commit: str, places: Mapping[str, str], rewrites: Path) -> GitSide:
        """What a commit has."""
        return GitSide(self._names(commit, places), self._rewrites(commit, rewrites))

    def _rewrites(self, commit: str, directory: Path) -> frozenset[str]:
        """The ids that the rewrites of a commit state."""
        place = os.path.relpath(directory, self.root)
        output = self._run("grep", "-h", "--no-color", "-e", '^id = "', commit, "--", place)
        return frozenset(line.split('"')[1] for line in os.fsdecode(output).splitlines())

    def _names(self, commit: str, places: Mapping[str, str]) -> dict[str, frozenset[str]]:
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
        # For feature, origin/feature holds the same migrations: against it nothing would be this branch's own. But
        # what main has and origin/main has not comes behind.
        own = bool(current) and current not in MAIN and upstream.endswith(f"/{current}")
        usual = [name for name in MAIN if name != current and not name.endswith(f"/{current}")]
        return [upstream, *usual] if upstream and not own else usual

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
