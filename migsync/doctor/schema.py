"""Tables and columns that recorded migrations have made by their files, and that the database does not have."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from collections.abc import Set as AbstractSet

from migsync.doctor.makers import Columns, absent, columns_of, in_order, last_makers
from migsync.errors import MigsyncError
from migsync.findings import Finding
from migsync.findings import database_objects as objects
from migsync.history import History
from migsync.history.columns import UNKNOWN
from migsync.history.contents import COMPUTED, Contents
from migsync.history.digest_cache import DigestCache
from migsync.history.migration import Key
from migsync.history.tables import TableState
from migsync.sync.survey import Survey


def missing_parts(survey: Survey, alias: str) -> Iterator[Finding]:
    """What is recorded here and not there, for each migration; first-party apps only.

    What cannot be told from the files alone is passed over: apps with an operation that only running the file shows,
    models that an operation changes in the state alone, and apps of which nothing is there at all, where the project
    has several databases: a router keeps them away.
    """
    history = survey.history
    applied = history.state(frozenset(record.key for record in survey.records[alias])).applied
    cache = DigestCache(survey.project.cache.with_suffix(".columns"))
    wanted = {app: _remembered(cache, history, applied, app) for app in sorted(history.first_party)}
    cache.save()
    try:
        there = survey.targets[alias].columns({table for tables in wanted.values() for table in tables})
    except MigsyncError:  # the catalog may not be read, and the records could be read all the same
        return
    if not there and any(wanted.values()):
        yield objects.no_tables_there(tables=sum(map(len, wanted.values())))
        return
    several = len(survey.project.databases) > 1
    for app, tables in wanted.items():
        if tables and not (several and there.keys().isdisjoint(tables)):
            yield from _of_app(history, applied, app, tables, there)


def _of_app(
    history: History, applied: AbstractSet[Key], app: str, tables: Columns, there: dict[str, frozenset[str]]
) -> Iterator[Finding]:
    missing = absent(tables, there)
    if not missing:
        return
    makers = last_makers(history, applied, app)
    by_maker: dict[Key, list[str]] = {}
    for part in missing:
        if maker := makers.get((part.table, part.field)):
            by_maker.setdefault(maker, []).append(part.shown)
    for maker, parts in by_maker.items():
        yield objects.recorded_not_there(migration=maker, missing=parts)


def _remembered(cache: DigestCache, history: History, applied: AbstractSet[Key], app: str) -> Columns:
    """What is to be there of an app, by its files: to know it, all of them are parsed."""
    keys = [key for key in in_order(history, app) if key in applied]
    sources = hashlib.sha256("\n".join(f"{key} {history.migrations[key].source}" for key in keys).encode())
    text = cache.of(app, sources.hexdigest()[:32], lambda: json.dumps(_plain(_to_be_there(history, keys, app))))
    return {
        table: {field: frozenset(names) for field, names in columns.items()}
        for table, columns in json.loads(text).items()
    }


def _plain(columns: Columns) -> dict[str, dict[str, list[str]]]:
    return {table: {field: sorted(names) for field, names in fields.items()} for table, fields in columns.items()}


def _to_be_there(history: History, keys: list[Key], app: str) -> Columns:
    state, unsure = TableState(), set()
    for key in keys:
        contents: Contents = history.migrations[key].contents
        if any(each.kind == COMPUTED for each in contents.operations):
            return {}
        unsure |= {step.model for each in contents.operations if each.state_only for step in each.steps}
        state.run(contents.operations)
    found = columns_of(state, app)
    # With the tables of their many-to-many fields.
    left_out = tuple(state.table_of(app, model) for model in unsure)
    return {name: fields for name, fields in found.items() if not name.startswith((UNKNOWN, *left_out))}
