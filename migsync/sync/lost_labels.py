"""An app that had another label when a database was migrated: in its records, its tables and its content types.

Nearly every app has a ``0001_initial``, so that name alone tells nothing; other names are compared by
:func:`migsync.sync.unknown_records.lost_apps`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace

import sqlalchemy as sa

from migsync.errors import MigsyncError
from migsync.findings import Finding
from migsync.findings.records import lost_app
from migsync.findings.rename_app import content_types_behind, tables_behind
from migsync.history.graph import History
from migsync.history.migration import Key
from migsync.history.tables import TableState, tables
from migsync.rewrites.labels import Labels
from migsync.rewrites.rewrite_graph import Rewrites
from migsync.sync.journal.contents import digests_seen
from migsync.sync.label_uses import TYPES, find_label_uses
from migsync.sync.plan import Plan
from migsync.sync.target import Target
from migsync.sync.target_state import DatabaseState, TargetState, afterwards
from migsync.sync.unknown_records import ANY_APP


def with_lost_labels(
    history: History, rewrites: Rewrites, state: DatabaseState, plan: Plan, leftovers: Collection[Key]
) -> Plan:
    """The plan, with a finding for each app whose records have another label, by its tables or by what ran.

    And for each app of which the `rewrites` changed the label, and whose tables or content types here still have the
    old one, whether or not anything is left to do in the records.
    """
    found = (*_lost_labels(history, state, plan, leftovers), *_left_behind(history, rewrites, state, plan))
    return replace(plan, findings=(*plan.findings, *found)) if found else plan


def asks_for_tables(
    history: History, rewrites: Rewrites, state: DatabaseState, plan: Plan, leftovers: Collection[Key]
) -> bool:
    """Whether :func:`with_lost_labels` has more to look at than the records."""
    return bool(_changed(rewrites, plan)) or any(_candidates(history, state, plan, leftovers))


def _lost_labels(history: History, state: DatabaseState, plan: Plan, leftovers: Collection[Key]) -> Iterator[Finding]:
    pairs = list(_candidates(history, state, plan, leftovers))
    if not pairs:
        return
    noted = _noted(state)
    there = tables_in(state.target) if isinstance(state, TargetState) else frozenset()
    for app, old, names in pairs:
        migration = history.migrations[Key(app, ANY_APP)]
        seen = tables_seen(history, app, app, old, there)
        if seen or migration.has(noted.get(f"{old}.{ANY_APP}", "")):
            yield lost_app(app=app, other=old, shared=[ANY_APP], names=names, tables=sorted(seen))


def _left_behind(history: History, rewrites: Rewrites, state: DatabaseState, plan: Plan) -> Iterator[Finding]:
    changed = _changed(rewrites, plan)
    if not changed or not isinstance(state, TargetState):
        return
    recorded = {record.app for record in afterwards(state.held.records, plan)}
    there = tables_in(state.target)
    for app, old in changed:
        if app not in history.first_party & recorded or old in history.apps:
            continue
        seen = tables_seen(history, app, app, old, there)
        if seen - tables_made(history, app):
            statements = rename_statements(state.target, seen, old, app)
            yield tables_behind(app=app, other=old, tables=sorted(seen), statements=statements)
        if TYPES in there:
            yield from _content_types_behind(state.target, app, old)


def _changed(rewrites: Rewrites, plan: Plan) -> Collection[tuple[str, str]]:
    """(app, label that it had) for each label that rewrites have changed."""
    labels = Labels(rewrites)
    changed = dict.fromkeys((labels.today(step.old), step.old) for step in labels.steps)
    return changed | dict.fromkeys(
        (app, one.origin) for each in plan.passed for app, one in each.apps.items() if one.origin
    )


def _content_types_behind(target: Target, app: str, old: str) -> Iterator[Finding]:
    try:
        uses = find_label_uses(target, old, app)
    except MigsyncError:  # the records can be updated by whoever may not read the content types
        return
    if uses.types:
        yield content_types_behind(
            app=app,
            other=old,
            types=uses.types,
            permissions=uses.permissions,
            there=uses.there,
            statement=uses.statement,
            back=uses.back,
        )


def _candidates(
    history: History, state: DatabaseState, plan: Plan, leftovers: Collection[Key]
) -> Iterator[tuple[str, str, list[str]]]:
    """(app without records, label that is not installed, its names), where ``0001_initial`` alone is in both."""
    records = afterwards(state.held.records, plan)
    recorded = {record.app for record in records}
    strange: dict[str, set[str]] = {}
    for record in records:
        if record.app not in history.apps and record.key not in leftovers:
            strange.setdefault(record.app, set()).add(record.name)
    for app in sorted(plan.fingerprints.keys() & history.first_party - recorded):
        files = set(history.names(app))
        yield from ((app, old, sorted(names)) for old, names in sorted(strange.items()) if files & names == {ANY_APP})


def _noted(state: DatabaseState) -> Mapping[str, str]:
    """The operations digests that the journal noted, by ``app.name`` as it was then."""
    found: dict[str, str] = {}
    for run in state.held.runs:
        found |= run.digests
    return found | digests_seen(state.held.seen)


def tables_in(target: Target) -> frozenset[str]:
    """The names of the tables beside ``django_migrations``; raises a TargetError where they cannot be read."""
    with target.explained(reading="the names of the tables"), target.transaction() as connection:
        return frozenset(sa.inspect(connection).get_table_names(schema=target.survey.schema or None))


def rename_statements(target: Target, tables: Collection[str], old: str, new: str) -> list[str]:
    """The SQL that gives `tables`, which are named after the label `old`, names after the label `new`."""
    with target.explained(), target.transaction() as connection:
        quote = connection.dialect.identifier_preparer.quote
    schema = target.survey.schema
    place = f"{quote(schema)}." if schema else ""
    return [
        f"ALTER TABLE {place}{quote(table)} RENAME TO {quote(relabelled(table, old, new))};"
        for table in sorted(tables)
        if table.startswith(f"{old}_")
    ]


def tables_seen(history: History, app: str, new: str, old: str, there: Collection[str]) -> frozenset[str]:
    """The tables of `app`, where all are `there`: as they are named with the label `new`, or with the label `old`.

    Empty where some are missing. `app` is the label of the app in `history`.
    """
    made = tables_made(history, app)
    if not made:
        return frozenset()
    for label in (new, old):
        named = frozenset(relabelled(table, app, label) for table in made)
        if named <= frozenset(there):
            return named
    return frozenset()


def tables_made(history: History, app: str) -> frozenset[str]:
    """The tables that the files of an app make, as far as reading them tells."""
    state = TableState()
    for name in history.names(app):
        state.run(history.migrations[Key(app, name)].contents.operations)
    return frozenset(tables(state, app))


def relabelled(table: str, app: str, label: str) -> str:
    """The name of a table with another label, where it begins with that of the app."""
    return f"{label}_{table.removeprefix(f'{app}_')}" if table.startswith(f"{app}_") else table
