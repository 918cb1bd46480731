"""Whether ``migrate`` would start on a database: what Django's loader and its checks say of the files and the rows."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import groupby

from migsync.findings import Finding
from migsync.findings import consistency as entries
from migsync.findings.inconsistency import inconsistent_history
from migsync.history.edge_statement import edge_statement
from migsync.history.graph import History
from migsync.history.loader import LoaderState
from migsync.history.migration import Key


def inconsistencies(
    history: History, state: LoaderState, scope: Collection[str], *, told: bool = False
) -> Iterator[Finding]:
    """What stops ``migrate``, in any app: files that do not load, and recorded migrations without their dependencies.

    Of first-party apps outside of `scope`, whose records the plan leaves as they are, the latter is a warning. So is
    what rests on files that could not be read in full. `told` says that a finding about the files does so already.
    """
    if state.error and not told:
        doubtful = any(key.app in history.unread for key in history.dangling)
        yield entries.broken_graph(reason=state.error, doubtful=doubtful)
    for child, parent in state.inconsistent:
        stated = edge_statement(history, child, parent)
        yield inconsistent_history(
            migration=child,
            other=parent,
            stated_in=stated.migration if stated else None,
            named=stated.named if stated else None,
            last=_last_applied(history, state, parent.app),
            own=parent.app in history.first_party,
            own_child=child.app in history.first_party,
            strange=_strange(history, state, parent.app),
            doubtful=_doubtful(history, scope, child, parent),
        )
    yield from (finding for finding in state.findings if not finding.app or finding.app in scope)


def conflicts(history: History, state: LoaderState) -> Iterator[Finding]:
    """Apps with several leaf nodes: ``migrate`` refuses those files whatever is recorded."""
    if state.error:
        return
    for app, leaves in groupby(state.leaves, key=lambda key: key.app):
        names = [key.name for key in leaves]
        # A file that could not be read may be the one that puts the leaves together.
        if len(names) > 1 and app not in history.unread:
            yield entries.conflicting_migrations(
                app=app,
                name=names[-1],
                leaves=names,
                own=app in history.first_party,
                directory=str(history.apps[app].directory or app),
            )


def stops(history: History) -> Iterator[Finding]:
    """What stops ``migrate`` on a database without any record."""
    state = history.state(frozenset())
    blocking = [finding for finding in history.findings if finding.blocks]
    yield from blocking
    yield from inconsistencies(history, state, history.first_party, told=bool(blocking))
    yield from conflicts(history, state)


def unread_apps(history: History) -> Iterator[Finding]:
    """How many apps could not be read in full, so that their part of these checks is missing."""
    if apps := sorted(history.unread):
        yield entries.unread_apps(apps=apps)


def _doubtful(history: History, scope: Collection[str], child: Key, parent: Key) -> bool:
    outside = child.app in history.first_party and child.app not in scope
    return outside or not history.unread.isdisjoint((child.app, parent.app))


def _last_applied(history: History, state: LoaderState, app: str) -> str:
    """The last migration of an app that is applied; empty for none."""
    return next((name for name in reversed(history.names(app)) if Key(app, name) in state.applied), "")


def _strange(history: History, state: LoaderState, app: str) -> list[Key]:
    """Records of an app that neither a file nor any `replaces` explains."""
    replaced = {key for migration in history.migrations.values() for key in migration.replaces}
    return sorted(
        key for key in state.recorded if key.app == app and key not in history.migrations and key not in replaced
    )


def without_wrong_names(findings: Iterable[Finding], against: Iterable[Finding]) -> Iterator[Finding]:
    """The `findings` without those about the order of records that have a wrong name by what speaks `against` them.

    Only by errors: beside what is presumed, the order must still be right.
    """
    wrong = {(each.app, name) for each in against if each.blocks for name in _moved(each)}
    return (each for each in findings if each.code != inconsistent_history.code or (each.app, each.name) not in wrong)


def _moved(finding: Finding) -> Collection[str]:
    moved = finding.facts.get("moved")
    return moved if isinstance(moved, Mapping) else ()
