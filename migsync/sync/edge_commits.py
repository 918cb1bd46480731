"""The commit that made a recorded migration depend on one that is not; git is asked only where a plan has this."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from migsync.filesystem.git import GitError, repository_of, run_git
from migsync.findings import Finding
from migsync.findings.inconsistency import inconsistent_history
from migsync.history import History
from migsync.history.edge_statement import EdgeStatement, edge_statement
from migsync.history.migration import Key
from migsync.rewrites.file_state import FileState
from migsync.rewrites.git import GitHistory
from migsync.sync.plan import Plan


def with_edge_commits(history: History, plan: Plan) -> Plan:
    """The plan with findings that name the commit since which a dependency is stated, where git knows it."""
    found = [each for each in plan.findings if each.code == inconsistent_history.code]
    apps = {app for each in found for app in (each.app, Key.parse(each.other).app)}
    if not apps:
        return plan
    with GitHistory(history.apps[app] for app in apps & history.apps.keys()) as git:
        return replace(plan, findings=tuple(_with_commit(each, git, history) for each in plan.findings))


def _with_commit(finding: Finding, git: GitHistory, history: History) -> Finding:
    if finding.code != inconsistent_history.code:
        return finding
    child, parent = Key(finding.app, finding.name), Key.parse(finding.other)
    statement = edge_statement(history, child, parent)
    if statement is None:
        return finding
    if statement.symbolic:
        # The words are the same as ever: they mean another migration since this one is there.
        commit = _begin(git.of(parent.app), lambda state: parent.name in state.migrations)
    else:
        commit = _begin(git.of(statement.migration.app), lambda state: _states(state, statement))
    if not commit:
        return finding
    return finding.with_facts(commit=commit, was_there=_was_there(history, parent, commit))


def _states(state: FileState, statement: EdgeStatement) -> bool:
    file = state.migrations.get(statement.migration.name)
    if file is None:
        return False
    return statement.named in (file.run_before if statement.run_before else file.dependencies)


def _begin(states: Sequence[FileState], holds: Callable[[FileState], bool]) -> str:
    """The commit since which something holds without a break up to now; empty where it does not hold in HEAD."""
    found = ""
    for state in states:
        if not holds(state):
            break
        found = state.commit
    return found


def _was_there(history: History, key: Key, commit: str) -> bool:
    """Whether the commit before `commit` has the file of `key`."""
    path = Path(history.migrations[key].path).resolve()
    top = repository_of(path.parent)
    with suppress(GitError, ValueError):
        if top is not None:
            run_git(top, "cat-file", "-e", f"{commit}^:{path.relative_to(top).as_posix()}")
            return True
    return False
