"""The one way in which migsync starts git: to read a repository that it does not trust, and never to change one.

A repository may have come as an unpacked archive, with a ``.git/config`` that names programs for git to run. migsync
may run inside a git hook, whose environment is about another repository. And git must neither ask for a password nor
fetch what a partial clone lacks. Callers use plumbing commands: a person's configuration does not change their output.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Collection
from pathlib import Path

_FROM_HOOKS = (
    *("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_NAMESPACE", "GIT_COMMON_DIR"),
    *("GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_SHALLOW_FILE", "GIT_GRAFT_FILE"),
    # These exclude GIT_LITERAL_PATHSPECS.
    *("GIT_GLOB_PATHSPECS", "GIT_NOGLOB_PATHSPECS", "GIT_ICASE_PATHSPECS"),
)
_QUIET = {
    # Else `git status` writes the index, in the way of a git that the person runs at the same time.
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_ALLOW_PROTOCOL": "none",  # for versions of git that do not know GIT_NO_LAZY_FETCH
    # A directory called `shop[1]` is that directory, and no pattern.
    "GIT_LITERAL_PATHSPECS": "1",
    # Else a ref under refs/replace puts other contents in the place of those that were committed.
    "GIT_NO_REPLACE_OBJECTS": "1",
    "LC_ALL": "C",
}
_NO_PROGRAMS = ("-c", "core.fsmonitor=false", "-c", f"core.hooksPath={os.devnull}")


class GitError(Exception):
    """What git said, as a sentence for people. `missing`: git itself could not be started."""

    def __init__(self, said: str, *, missing: bool = False) -> None:
        super().__init__(said)
        self.missing = missing


def repository_of(directory: Path) -> Path | None:
    """The top of the repository that holds `directory`, found without git; None where there is none.

    `directory` must be a real path. A ``.git`` counts also where it is a file (a worktree, a submodule) or broken.
    """
    # A broken .git is not passed over: the files do not belong to a repository further up.
    return next((up for up in (directory, *directory.parents) if (up / ".git").exists()), None)


def run_git(
    directory: Path, *arguments: str, search: bool = False, given: str = "", answers: Collection[int] = (0,)
) -> bytes:
    """What git prints in `directory`, the top of a repository; with `search`, a directory below it will do.

    `given` is what it reads from its standard input. `answers` are the exit statuses that are no error: `git grep` ends
    with 1 where it finds nothing. Raises GitError where git is not installed, and where it ends with an error.
    """
    try:
        done = subprocess.run(  # noqa: S603 (a list, no shell)
            _command(directory, arguments),
            stdin=None if given else subprocess.DEVNULL,
            input=os.fsencode(given) if given else None,
            capture_output=True,
            env=_environment(directory, search=search),
            check=False,
        )
    except OSError as error:
        raise _missing(error) from error
    if done.returncode not in answers:
        lines = os.fsdecode(done.stderr).strip().splitlines()
        raise GitError(lines[0] if lines else f"git {arguments[0]} ended with {done.returncode}.")
    return done.stdout


def start_git(directory: Path, *arguments: str) -> subprocess.Popen[bytes]:
    """Git as a process that answers questions, with pipes to it and from it; `directory` as for :func:`run_git`.

    Raises GitError where git is not installed.
    """
    try:
        return subprocess.Popen(  # noqa: S603 (a list, no shell)
            _command(directory, arguments),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_environment(directory),
        )
    except OSError as error:
        raise _missing(error) from error


def _missing(error: OSError) -> GitError:
    return GitError(f"git does not run ({error.strerror}).", missing=True)


def _command(directory: Path, arguments: tuple[str, ...]) -> list[str]:
    return ["git", "--no-pager", *_NO_PROGRAMS, "-C", str(directory), *arguments]


def _environment(directory: Path, *, search: bool = False) -> dict[str, str]:
    ours = {name: value for name, value in os.environ.items() if name not in _FROM_HOOKS}
    # Where the .git of `directory` is broken, git would go on to a repository above, and answer about that one.
    ceiling = {} if search else {"GIT_CEILING_DIRECTORIES": str(directory.parent)}
    return {**ours, **_QUIET, **ceiling}
