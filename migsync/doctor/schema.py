"""Tables and columns of a database, held against what its recorded migrations have made by their files."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from collections.abc import Set as AbstractSet

from migsync.alias import schema_of
from migsync.doctor.catalog import columns_there, target_of
from migsync.doctor.makers import Columns, absent, columns_of, in_order, last_makers, pending_removers
from migsync.doctor.pending import already_there, pending_tables
from migsync.errors import MigsyncError
from migsync.findings import Finding
from migsync.findings import database_objects as objects
from migsync.history import History
from migsync.history.columns import UNKNOWN
from migsync.history.contents import COMPUTED, Contents
from migsync.history.loader import LoaderState
from migsync.history.migration import Key
from migsync.history.source_cache import SourceCache
from migsync.history.tables import TableState
from migsync.sync.survey import Survey


def schema_findings(survey: Survey, alias: str) -> Iterator[Finding]:
    """What is recorded and not there, and what is there and not recorded, for each migration; first-party apps only.

    What cannot be told from the files alone is passed over: apps with an operation that only running the file shows,
    and models that an operation changes in the state alone. Apps of which nothing is there at all, where the project
    has several databases, are only noted: a router keeps them away.
    """
    history, records = survey.history, survey.records.get(alias, ())
    state = history.state(frozenset(record.key for record in records))
    cache = SourceCache(survey.project.cache.with_suffix(".columns"))
    apps = sorted(history.first_party)
    wanted = {app: _remembered(cache, history, state.applied, app) for app in apps} if records else {}
    told = _told(survey, alias)
    pending = {app: _pending(cache, history, state, app) for app in apps if app not in told}
    cache.save()
    names = {
        table
        for tables in (*wanted.values(), *(made for app in pending.values() for made in app.values()))
        for table in tables
    }
    try:
        there = columns_there(target_of(survey, alias), names)
    except MigsyncError:  # the catalog may not be read, and the records could be read all the same
        return
    if any(wanted.values()) and not any(table in there for tables in wanted.values() for table in tables):
        yield objects.no_tables_there(tables=sum(map(len, wanted.values())))
        return
    # An entry for many schemas is several databases, too.
    several = len(survey.project.databases) > 1 or bool(schema_of(alias))
    elsewhere = [app for app, tables in wanted.items() if tables and there.keys().isdisjoint(tables)] if several else []
    for app, tables in wanted.items():
        if app not in elsewhere:
            yield from _of_app(history, state, app, tables, there)
    if elsewhere:
        number = sum(record.app in elsewhere for record in records)
        yield objects.records_without_tables(apps=elsewhere, records=number)
    # Of any app: a model may have been moved.
    recorded = {table: fields for tables in wanted.values() for table, fields in tables.items()}
    # In a database beside others that has no records, tables may be the work of another program.
    if records or not several:
        for of_app in pending.values():
            yield from already_there(survey, alias, state, of_app, recorded, there)


def _told(survey: Survey, alias: str) -> set[str]:
    """The apps about whose records the plan has something to say first."""
    plans = [plan for plan in survey.plans if plan.target.alias == alias]
    changes = {record.app for plan in plans for change in plan.changes if (record := change.before or change.after)}
    return changes | {finding.app for plan in plans for finding in plan.findings if finding.blocks}


def _of_app(
    history: History, state: LoaderState, app: str, tables: Columns, there: dict[str, frozenset[str]]
) -> Iterator[Finding]:
    missing = absent(tables, there)
    if not missing:
        return
    makers = last_makers(history, state.applied, app)
    removers = pending_removers(history, state.nodes - state.applied, app)
    by_maker: dict[Key, list[str]] = {}
    told: set[Key] = set()
    for part in missing:
        if remover := removers.get((part.table, part.field)):
            if remover not in told:
                told.add(remover)
                what = f"{'column' if part.field else 'table'} {part.shown}"
                yield objects.removed_unrecorded(what=what, migration=remover)
        elif maker := makers.get((part.table, part.field)):
            by_maker.setdefault(maker, []).append(part.shown)
    for maker, parts in by_maker.items():
        yield objects.recorded_not_there(migration=maker, missing=parts)


def _remembered(cache: SourceCache, history: History, applied: AbstractSet[Key], app: str) -> Columns:
    """What is to be there of an app, by its files: to know it, all of them are parsed."""
    keys = [key for key in in_order(history, app) if key in applied]
    sources = hashlib.sha256("\n".join(f"{key} {history.migrations[key].source}" for key in keys).encode())
    text = cache.of(app, sources.hexdigest()[:32], lambda: json.dumps(_plain(_to_be_there(history, keys, app))))
    return _columns(json.loads(text))


def _pending(cache: SourceCache, history: History, state: LoaderState, app: str) -> dict[Key, Columns]:
    """:func:`pending_tables`, remembered: to know them, all files of the app are parsed."""
    keys = list(in_order(history, app))
    if all(key in state.applied for key in keys):
        return {}
    lines = "\n".join(
        f"{key} {history.migrations[key].source} {key in state.applied} {key in state.nodes}" for key in keys
    )
    sources = hashlib.sha256(f"pending\n{lines}".encode()).hexdigest()[:32]

    def made() -> str:
        found = pending_tables(history, state, app)
        return json.dumps({key.name: _plain(tables) for key, tables in found.items()})

    return {Key(app, name): _columns(tables) for name, tables in json.loads(cache.of(app, sources, made)).items()}


def _columns(plain: dict[str, dict[str, list[str]]]) -> Columns:
    return {table: {field: frozenset(names) for field, names in columns.items()} for table, columns in plain.items()}


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
    found = columns_of(state, app, certain=True)
    # With the tables of their many-to-many fields.
    left_out = tuple(state.table_of(app, model) for model in unsure)
    return {name: fields for name, fields in found.items() if not name.startswith((UNKNOWN, *left_out))}
