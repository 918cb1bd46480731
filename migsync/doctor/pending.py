"""Tables and columns that are there although the migration that makes them has still to run: `migrate` will fail."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from collections.abc import Set as AbstractSet

from migsync.doctor.catalog import drop_statements, target_of
from migsync.doctor.makers import Columns, absent, columns_of, expected, in_order, is_expected, new_parts
from migsync.findings import Finding
from migsync.findings import database_objects as objects
from migsync.history import History, Key
from migsync.history.contents import COMPUTED
from migsync.history.loader import LoaderState
from migsync.history.tables import TableState
from migsync.sync.survey import Survey


def pending_tables(history: History, state: LoaderState, app: str) -> dict[Key, Columns]:
    """For each pending migration of an app, the tables and columns that it makes.

    Empty from the first operation on that only running the file shows. What is made by state alone, or by a recorded
    migration, does not count.
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
            left_out = {tables.table_of(app, model) for model in state_only}
            if found := {name: new for name, new in new_parts(before, after).items() if name not in left_out}:
                made[key] = found
        before = after
    return made


def already_there(
    survey: Survey,
    alias: str,
    state: LoaderState,
    made: Mapping[Key, Columns],
    recorded: Columns,
    there: Mapping[str, AbstractSet[str]],
) -> Iterator[Finding]:
    """The findings for pending migrations of which something is `there` that none of the `recorded` ones has made."""
    earlier = {*recorded}
    reported: list[Key] = []
    for key, parts in made.items():
        if found := next(_found(parts, recorded, there), ""):
            if not survey.records.get(alias):
                yield objects.records_lost(what=found, migration=key)
                return
            below = survey.history.ancestors([key])
            above = next((each for each in reversed(reported) if each in below), None)
            yield unrecorded(survey, alias, state, found, key, parts, earlier, there, above)
            reported.append(key)
        earlier |= parts.keys()


def unrecorded(
    survey: Survey,
    alias: str,
    state: LoaderState,
    what: str,
    key: Key,
    parts: Columns,
    earlier: Collection[str],
    there: Mapping[str, AbstractSet[str]],
    above: Key | None = None,
) -> Finding:
    """The finding for a migration that has not run and makes `parts`, of which `what` is there.

    `earlier` are the tables that other migrations make; `above` has such a finding, and comes before it.
    """
    # What a later migration removes may be missing because that one has run, too.
    kept = expected(survey.history, frozenset(survey.history.migrations), key.app)
    missing = [part.shown for part in absent(parts, there) if is_expected(part.shown, kept)]
    own = [table for table in parts if table in there and table not in earlier]
    in_others = any(
        not names.isdisjoint(there.get(table, ()))
        for table, fields in parts.items()
        if table not in own
        for names in fields.values()
    )
    # The last one first: it may refer to the others.
    drops = drop_statements(target_of(survey, alias), own[::-1]) if missing and own and not in_others else []
    waits_for = [parent for parent in survey.history.parents(key) if parent not in state.applied]
    return objects.there_unrecorded(
        what=what, migration=key, missing=missing, drops=drops, waits_for=waits_for, above=above
    )


def _found(parts: Columns, recorded: Columns, there: Mapping[str, AbstractSet[str]]) -> Iterator[str]:
    # A pending migration may make a table or column again that an earlier one is still to remove or to rename.
    present = {table: fields for table, fields in parts.items() if table in there}
    yield from (f"table {table}" for table in present if table not in recorded)
    for table, fields in present.items():
        for name in sorted({name for names in fields.values() for name in names} & there[table]):
            if table in recorded and not is_expected(f"{table}.{name}", recorded):
                yield f"column {table}.{name}"
