"""What git holds of the files that are about to change."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from migsync.errors import NOTHING_CHANGED, FilesRefused
from migsync.filesystem.git import GitError, repository_of, run_git


@dataclass(frozen=True)
class GitStatus:
    """`uncommitted`: git knows the file, and HEAD or the index holds something else. `untracked`: git has no copy.

    Where there is no repository, every file is untracked. `unknown` says why git could not be asked, where there is a
    repository.
    """

    uncommitted: tuple[Path, ...] = ()
    untracked: tuple[Path, ...] = ()
    unknown: str = ""

    @property
    def unheld(self) -> tuple[Path, ...]:
        """The files whose content may be nowhere in git."""
        return tuple(sorted({*self.uncommitted, *self.untracked}))


def git_status(paths: Iterable[Path]) -> GitStatus:
    """What git holds of these files; one process for each repository that they are in."""
    uncommitted: list[Path] = []
    untracked: list[Path] = []
    unknown: list[str] = []
    for top, inside in _by_repository(paths).items():
        if top is None:
            untracked += inside.values()
            continue
        try:
            states = _status(top, {path.rpartition("/")[0] for path in inside})
        except GitError as error:
            unknown.append(str(error))
            untracked += inside.values()
            continue
        for relative, path in inside.items():
            state = states.get(relative) or _ignored(relative, states)
            if state in ("??", "!!"):
                untracked.append(path)
            elif state:
                uncommitted.append(path)
    return GitStatus(tuple(sorted(uncommitted)), tuple(sorted(untracked)), "\n".join(unknown))


def refuse_uncommitted(root: Path, held: GitStatus) -> None:
    """Raise FilesRefused for files with changes that are not committed."""
    if held.unknown:
        raise FilesRefused(
            f"git cannot tell whether the migration files are committed: {held.unknown}",
            NOTHING_CHANGED,
            "Fix the cause, or run the command again with `--force`. migsync keeps a copy of every file.",
        )
    if held.uncommitted:
        names = "\n".join(f"  {os.path.relpath(path, root)}" for path in held.uncommitted)
        raise FilesRefused(
            f"These files have uncommitted changes:\n{names}",
            "Afterwards you could not tell your changes from migsync's. Nothing was changed.",
            "Commit them, or run the command again with `--force`. migsync keeps a copy of every file.",
        )


def _by_repository(paths: Iterable[Path]) -> Mapping[Path | None, dict[str, Path]]:
    """The top of a repository, None for none -> {path in it, as git writes it: path}."""
    found: dict[Path | None, dict[str, Path]] = {}
    places: dict[str, tuple[Path | None, str]] = {}
    for path in paths:
        directory, name = os.path.split(path)
        if directory not in places:
            places[directory] = _place(Path(os.path.realpath(directory)))
        top, prefix = places[directory]
        found.setdefault(top, {})[prefix + name] = path
    return found


def _place(directory: Path) -> tuple[Path | None, str]:
    """The top of the repository that a directory is in, and what the paths of its files begin with."""
    top = repository_of(directory)
    if top is None:
        return None, f"{directory}{os.sep}"
    return top, "" if top == directory else f"{directory.relative_to(top).as_posix()}/"


def _status(top: Path, directories: Iterable[str]) -> Mapping[str, str]:
    """Path, or directory with a slash at its end -> its two letters, for what differs from HEAD and the index."""
    # With -z git writes a rename as two entries, the second without letters; --no-renames leaves one for each path.
    options = ["--porcelain", "-z", "--no-renames", "--untracked-files=all", "--ignored=matching"]
    paths = (path or "." for path in sorted(directories))
    output = run_git(top, "status", *options, "--", *paths)
    return {os.fsdecode(entry[3:]): entry[:2].decode() for entry in output.split(b"\0") if entry}


def _ignored(relative: str, states: Mapping[str, str]) -> str:
    """The state of the nearest directory that git names as a whole."""
    if not states:
        return ""
    # Git names an ignored directory as a whole (`shop/migrations/`), and not the files in it.
    parents = (f"{parent.as_posix()}/" for parent in Path(relative).parents)
    return next((states[parent] for parent in parents if parent in states), "")
