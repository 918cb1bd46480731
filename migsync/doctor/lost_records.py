"""A database that has tables and no records: which migrations have run there, as far as tables and columns tell."""

from __future__ import annotations

from collections.abc import Iterator

from migsync.doctor.catalog import columns_there, target_of
from migsync.doctor.makers import Columns, absent, columns_of, in_order
from migsync.findings import Finding
from migsync.findings import database_objects as objects
from migsync.history import History, Key
from migsync.history.contents import COMPUTED
from migsync.history.tables import TableState
from migsync.sync.survey import Survey


def records_lost(survey: Survey, alias: str, what: str, migration: Key) -> Finding:
    """The finding for a database without records, where `what`, which a migration makes, is there."""
    history = survey.history
    states = {app: list(_states(history, app)) for app in history.apps if history.names(app)}
    tables = {table for of_app in states.values() for _, columns in of_app for table in columns}
    there = columns_there(target_of(survey, alias), tables)
    last: list[Key] = []
    whole = True
    for of_app in states.values():
        fitting = [key for key, columns in of_app if not absent(columns, there)]
        whole = whole and bool(fitting) and fitting[-1] == of_app[-1][0]
        if fitting and any(table in there for _, columns in of_app for table in columns):
            last.append(fitting[-1])
    return objects.records_lost(what=what, migration=migration, last=last, whole=whole)


def _states(history: History, app: str) -> Iterator[tuple[Key, Columns]]:
    """The migrations of an app, each with what is there when it has run; up to one that only running it shows."""
    state = TableState()
    for key in in_order(history, app):
        contents = history.migrations[key].contents
        if any(each.kind == COMPUTED for each in contents.operations):
            return
        state.run(contents.operations)
        yield key, columns_of(state, app, certain=True)
