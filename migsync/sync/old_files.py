"""Where the old files are that a database has still to run: the commit to check out, for findings that lack it.

Git is asked only where a plan has such a finding.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

from migsync.findings import Finding
from migsync.findings.contents import never_ran
from migsync.findings.rewrites import partial_collapse
from migsync.history import History
from migsync.history.contents import PartKind
from migsync.history.migration import Key
from migsync.history.tables import TablePart, TableState
from migsync.rewrites.file_state import FileState
from migsync.rewrites.git import GitHistory
from migsync.sync.plan import Plan

PARTS = (PartKind.MODEL, PartKind.FIELD)


def with_old_files(history: History, plan: Plan) -> Plan:
    """The plan with findings that say which commit has the old files, and what these make that is missing here."""
    wanted = {each.app for each in plan.findings if each.code in (never_ran.code, partial_collapse.code)}
    apps = [history.apps[app] for app in wanted & history.apps.keys()]
    if not apps:
        return plan
    with GitHistory(apps) as git:
        return replace(plan, findings=tuple(_with_old_files(each, git, history) for each in plan.findings))


def _with_old_files(finding: Finding, git: GitHistory, history: History) -> Finding:
    if finding.code == partial_collapse.code:
        missing = _texts(finding, "missing")
        state = next((each for each in git.of(finding.app) if each.migrations.keys() >= set(missing)), None)
        if state:
            return finding.with_facts(commit=state.commit, parts=tuple(_made(state, missing)))
    if finding.code == never_ran.code and (parts := _texts(finding, "parts")):
        for state in git.of(finding.app):
            if last := _completes(state, Key(finding.app, finding.name), parts, history):
                return finding.with_facts(commit=state.commit, last=last)
    return finding


def _completes(state: FileState, key: Key, parts: Collection[str], history: History) -> str:
    """The last migration of `state` where other files than that of `key` make all of `parts`; else empty."""
    today, file = history.migrations.get(key), state.migrations.get(key.name)
    if file is None or today is None or file.digest == today.digest:
        return ""
    order = state.order or ()
    made = {str(place) for place in _parts(state, order)}
    by_file = {str(place) for place in _parts(state, [key.name])}
    return order[-1] if made.issuperset(parts) and by_file.isdisjoint(parts) else ""


def _made(state: FileState, names: Sequence[str]) -> Iterator[str]:
    """The tables and columns that these files add, without the columns of a new table."""
    rest = set(_parts(state, [name for name in state.migrations if name not in names]))
    found = [place for place in _parts(state, names) if place.part in PARTS and place not in rest]
    tables = {place.model for place in found if place.part is PartKind.MODEL}
    yield from (str(place) for place in found if place.part is PartKind.MODEL or place.model not in tables)


def _parts(state: FileState, names: Sequence[str]) -> Iterator[TablePart]:
    tables = TableState()
    for name in names:
        tables.run(state.migrations[name].contents.operations)
    yield from tables.parts


def _texts(finding: Finding, fact: str) -> list[str]:
    found = finding.facts.get(fact)
    return [each for each in found if isinstance(each, str)] if isinstance(found, list) else []
