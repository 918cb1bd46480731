"""Tables that are there although the migration that makes them has still to run: `migrate` will fail."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet

from migsync.doctor.makers import Columns, absent, columns_of, in_order
from migsync.findings import Finding
from migsync.findings import database_objects as objects
from migsync.history import History, Key
from migsync.history.contents import COMPUTED
from migsync.history.loader import LoaderState
from migsync.history.tables import TableState


def pending_tables(history: History, state: LoaderState, app: str) -> dict[Key, Columns]:
    """For each pending migration of an app that makes tables, these and their columns.

    Empty from the first operation on that only running the file shows. A table that is made by state alone, or that a
    recorded migration has made, does not count.
    """
    made: dict[Key, Columns] = {}
    tables = TableState()
    before: Columns = {}
    for key in in_order(history, app):
        contents = history.migrations[key].contents
        if any(each.kind == COMPUTED for each in contents.operations):
            break
        state_only = {step.model for each in contents.operations if each.state_only for step in each.steps}
        tables.run(contents.operations)
        after = columns_of(tables, app, certain=True)
        # Of a squash that is applied, what it replaces will not run.
        if key in state.nodes and key not in state.applied:
            new = {name: columns for name, columns in after.items() if name not in before}
            left_out = {tables.table_of(app, model) for model in state_only}
            if found := {name: columns for name, columns in new.items() if name not in left_out}:
                made[key] = found
        before = after
    return made


def already_there(
    history: History, state: LoaderState, made: Mapping[Key, Columns], there: Mapping[str, AbstractSet[str]], lost: bool
) -> Iterator[Finding]:
    """The findings for pending migrations whose tables are `there`; `lost`: the database has no records at all."""
    for key, tables in made.items():
        found = [table for table in tables if table in there]
        if not found:
            continue
        what = f"table {found[0]}"
        if lost:
            yield objects.records_lost(what=what, migration=key)
            return
        missing = [part.shown for part in absent(tables, there)]
        waits_for = [parent for parent in history.parents(key) if parent not in state.applied]
        yield objects.there_unrecorded(what=what, migration=key, missing=missing, waits_for=waits_for)
