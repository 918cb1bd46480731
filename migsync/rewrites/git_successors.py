"""Names that files depend on and neither a file nor a rewrite knows, as git explains them.

After a revert of a rewrite, or a change of names by hand, a file of another branch may name what git held under that
name. After a cherry-pick, it may name a file that only another branch has.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from migsync.history import History, Migration
from migsync.history.migration import Key
from migsync.progress import counted
from migsync.rewrites.evidence.database import AppRecords
from migsync.rewrites.evidence.evidence import find_evidence
from migsync.rewrites.evidence.past_files import PastFiles
from migsync.rewrites.file_state import FileState
from migsync.rewrites.git import GitHistory

Answers = Mapping[Key, tuple[tuple[Key, ...], ...]]


@dataclass(frozen=True)
class GitSuccessors:
    """`renamed` maps a name to the key of the one file that has its operations, in the form of ``successors``.

    `elsewhere` maps a name to the branch that has the file, and to its path.
    """

    renamed: Answers = field(default_factory=dict)
    elsewhere: Mapping[Key, tuple[str, str]] = field(default_factory=dict)


NOTHING_IN_GIT = GitSuccessors()


def git_successors(
    history: History,
    missing: Iterable[Key],
    of_contents: Callable[[str, str], tuple[tuple[Key, ...], ...]] = lambda *_: (),
    of_branch: Callable[[Key, str], tuple[tuple[Key, ...], ...]] = lambda *_: (),
) -> GitSuccessors:
    """Ask git about each of `missing`; names of apps that are installed and not the project's own are passed over.

    `of_contents` says what the rewrites made of the file of an app with a digest, whatever it was called, and
    `of_branch` what the rewrites of a branch say that it was made of.
    """
    missing = list(missing)
    asked = [key for key in missing if key.app in history.first_party and history.apps[key.app].directory]
    renamed = _relabelled(history, [key for key in missing if key.app not in history.apps])
    elsewhere: dict[Key, tuple[str, str]] = {}
    if not asked:
        return GitSuccessors(renamed)
    with GitHistory(history.apps[app] for app in dict.fromkeys(key.app for key in asked)) as git:
        for key in counted("Searching git for lost names", asked):
            state = _last_with(key.name, git.of(key.app))
            branch, digest = ("", "") if state else git.elsewhere(key.app, [key.name]).get(key.name, ("", ""))
            if not (state or branch):  # it may have been rebased away
                state = _last_with(key.name, git.abandoned(key.app))
            found = _alike(history, key, state, digest)
            had = (state.digests.get(key.name) if state else digest) or ""
            answers = of_contents(key.app, had) if had and not found else ()
            if state and not (found or answers):
                found = _proven(history, key, state, git)
            if branch and not (found or answers):
                answers = of_branch(key, branch)
            if len(found) == 1:
                renamed[key] = (tuple(found),)
            elif len(answers) == 1:
                renamed[key] = answers
            elif branch:
                directory = history.apps[key.app].directory or ""
                elsewhere[key] = branch, os.path.join(directory, f"{key.name}.py")  # noqa: PTH118 -- text
    return GitSuccessors(renamed, elsewhere)


def _relabelled(history: History, missing: Sequence[Key]) -> dict[Key, tuple[tuple[Key, ...], ...]]:
    """Names under a label that no app has any more: the app has it where its own files used to depend on it so."""
    found: dict[Key, tuple[tuple[Key, ...], ...]] = {}
    bearers = {key: [Key(app, key.name) for app in sorted(history.first_party)] for key in missing}
    apps = {new.app for news in bearers.values() for new in news if new in history.migrations}
    with GitHistory(history.apps[app] for app in sorted(apps)) as git:
        had = {app: _labels(history, app, git) for app in sorted(apps)}
        for key, news in bearers.items():
            if answers := [new for new in news if new in history.migrations and key.app in had[new.app]]:
                found[key] = tuple((new,) for new in answers)
    return found


def _labels(history: History, app: str, git: GitHistory) -> set[str]:
    """The labels by which the app's files depended on each other, where they depend on its label today."""
    found = set()
    for state in git.of(app):
        for name, old in state.migrations.items():
            now = history.migrations.get(Key(app, name))
            if now and now.has(old.digest):
                found |= {key.app for key in old.dependencies if Key(app, key.name) in now.dependencies}
    return found - {app}


def _last_with(name: str, states: Iterable[FileState]) -> FileState | None:
    return next((state for state in states if name in state.migrations), None)


def _proven(history: History, key: Key, state: FileState, git: GitHistory) -> list[Key]:
    """What a database would have to call it that has run the files of this state: it may be in one file with others."""
    records = AppRecords(tuple(state.order or state.migrations))
    evidence = find_evidence(history, key.app, records, PastFiles.of(git, key.app))
    return [pair.news[-1] for pair in evidence.proven if key.name in pair.old and pair.new]


def _alike(history: History, key: Key, state: FileState | None, digest: str) -> list[Key]:
    """The files of the app on disk that do what the file of this name did, and were not beside it."""
    old: Migration | None = state.migrations[key.name] if state else None
    beside = state.migrations.keys() if state else ()
    files = [history.migrations[Key(key.app, name)] for name in history.names(key.app) if name not in beside]
    # All merges are alike, so that says nothing.
    if old and not old.operations:
        return []
    return [file.key for file in files if file.operations and file.has(old.digest if old else digest)]
