"""The base of a comparison: where a branch left the branch that it is to be merged into."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from migsync.decoder import load_json
from migsync.errors import ProjectError, UsageError
from migsync.filesystem.boundary import read_regular
from migsync.filesystem.git import GitError, run_git

MAIN = ("main", "master", "develop", "trunk")
USUAL = ("origin/HEAD", *(f"origin/{name}" for name in MAIN), *MAIN)
TARGET_BRANCHES = (
    "GITHUB_BASE_REF",
    "CI_MERGE_REQUEST_TARGET_BRANCH_NAME",
    "BITBUCKET_PR_DESTINATION_BRANCH",
    "CHANGE_TARGET",
    "SYSTEM_PULLREQUEST_TARGETBRANCHNAME",
    "BUILDKITE_PULL_REQUEST_BASE_BRANCH",
)
"""Variables in which CI services name the branch that a pull request is for."""
COMPLETE = (
    "In GitHub Actions, give actions/checkout `fetch-depth: 0`; in GitLab CI, set `GIT_DEPTH: 0`.\n"
    "Elsewhere: git fetch --unshallow"
)


@dataclass(frozen=True)
class Base:
    """A commit, and what is compared with it.

    `name` is what a person knows the commit by. `head` is the other commit; empty for the files on disk.
    """

    top: Path
    commit: str
    name: str
    date: str
    head: str = ""

    @property
    def label(self) -> str:
        """``main (1a2b3c4d)``, or ``1a2b3c4d``."""
        short = self.commit[:8]
        return short if self.commit.startswith(self.name) else f"{self.name} ({short})"


def find_base(top: Path, against: str | None, head: str | None, environ: Mapping[str, str]) -> Base | None:
    """The base in the repository at `top`; None in a repository without a commit.

    It is the merge base of `head` (what is checked out) and of `against`, of the branch that CI names, or of the usual
    main branch. Where that is HEAD itself, the files on disk are compared with HEAD. Raises UsageError for a revision
    that git does not know, ProjectError where git is missing or has no common commit.
    """
    if not _commit(top, "HEAD") and not head:
        return None
    tip = _named(top, head, "--head") if head else _commit(top, "HEAD")
    if against:
        name, other = against, _named(top, against, "--against")
    else:
        name, other = _usual(top, environ)
    found = _merge_base(top, name, other or tip, tip)
    date = _ask(top, "show", "--no-patch", "--no-show-signature", "--format=%cs", found)
    return Base(top, found, name, date, tip if head else "")


def _usual(top: Path, environ: Mapping[str, str]) -> tuple[str, str]:
    """The name of what the branch is compared with, and its commit; HEAD where there is no other branch."""
    for name in _of_ci(environ):
        if commit := _commit(top, name):
            return name.removeprefix("origin/"), commit
        raise _missing(top, name)
    for name in USUAL:
        if commit := _commit(top, name):
            named = _ask(top, "rev-parse", "--abbrev-ref", name) if name == "origin/HEAD" else name
            return (named or name).removeprefix("origin/"), commit
    return "HEAD", ""


def _of_ci(environ: Mapping[str, str]) -> Iterator[str]:
    """The revision that CI says is the base, if it says so."""
    if sha := environ.get("CI_MERGE_REQUEST_DIFF_BASE_SHA"):
        yield sha
    for variable in TARGET_BRANCHES:
        if branch := environ.get(variable):
            yield f"origin/{branch}"
    if (default := environ.get("CI_DEFAULT_BRANCH")) and environ.get("CI_COMMIT_BRANCH"):
        yield from _pushed(environ["CI_COMMIT_BRANCH"], default, environ.get("CI_COMMIT_BEFORE_SHA", ""))
    elif environ.get("GITHUB_EVENT_NAME") == "push":
        default, before = _event(environ.get("GITHUB_EVENT_PATH", ""))
        if default and environ.get("GITHUB_REF_NAME"):
            yield from _pushed(environ["GITHUB_REF_NAME"], default, before)


def _pushed(branch: str, default: str, before: str) -> Iterator[str]:
    """A push to the default branch is compared with what was there before; another branch with the default one."""
    if branch != default:
        yield f"origin/{default}"
    elif before.strip("0"):
        yield before


def _event(path: str) -> tuple[str, str]:
    """The default branch, and the commit before the push, as GitHub says them; empty where that cannot be read."""
    try:
        event = load_json(read_regular(Path(path)).decode())
    except (OSError, ValueError):
        return "", ""
    match event:
        case {"repository": {"default_branch": str(default)}, "before": str(before)}:
            return default, before
    return "", ""


def _merge_base(top: Path, name: str, other: str, tip: str) -> str:
    if found := _ask(top, "merge-base", other, tip):
        return found
    if _is_shallow(top):
        raise ProjectError(
            f"This clone is shallow: git does not have the commit at which this branch left {name}.",
            "Without it, migsync cannot know which names changed.",
            COMPLETE,
        )
    raise ProjectError(
        f"{name} and what is checked out have no commit in common.",
        "So it is not known which names changed.",
        "Name the commit to compare with: migsync check --against REV",
    )


def _named(top: Path, revision: str, option: str) -> str:
    if commit := _commit(top, revision):
        return commit
    if _is_shallow(top):
        raise _missing(top, revision)
    raise UsageError(
        f"{option} {revision}: git has no such branch or commit.", "", "To list the branches: git branch --all"
    )


def _missing(top: Path, name: str) -> ProjectError:
    if _is_shallow(top):
        return ProjectError(
            f"This clone is shallow and does not have {name}, with which the files are to be compared.",
            "Without it, migsync cannot know which names changed.",
            COMPLETE,
        )
    branch = name.removeprefix("origin/")
    fetch = f"git fetch origin {branch}:refs/remotes/origin/{branch}" if branch != name else f"git fetch origin {name}"
    return ProjectError(
        f"CI names {name} as the base, and this clone does not have it.",
        "Without it, migsync cannot know which names changed.",
        f"Fetch it first: {fetch}",
    )


def _is_shallow(top: Path) -> bool:
    return _ask(top, "rev-parse", "--is-shallow-repository") == "true"


def _commit(top: Path, revision: str) -> str:
    """The id of a commit; empty where git knows none by this name."""
    return _ask(top, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")


def _ask(top: Path, *arguments: str) -> str:
    """The first line that git prints; empty where it ends with an error."""
    try:
        return os.fsdecode(run_git(top, *arguments)).split("\n")[0]
    except GitError as error:
        if error.missing:
            raise ProjectError(
                f"{error}", "migsync check compares two commits, and needs git for that.", "Install git."
            ) from error
        return ""
