"""What an error message means for this project and its databases."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import cached_property
from typing import Final

from migsync.doctor.catalog import columns_there, indexes_there, target_of
from migsync.doctor.examination import Examination, pending_changes, sequence_findings
from migsync.doctor.makers import (
    Maker,
    absent,
    expected,
    files_with,
    in_order,
    index_removers,
    is_expected,
    makers,
    models_near,
    remover,
)
from migsync.doctor.message import Message, MessageKind
from migsync.doctor.pending import unrecorded
from migsync.findings import Finding, environment
from migsync.findings import database_objects as objects
from migsync.findings import error_messages as entries
from migsync.history import History
from migsync.history.loader import LoaderState
from migsync.key import Key
from migsync.sync.plan import Plan
from migsync.sync.rebuilds import left_by_rebuilds
from migsync.sync.survey import Survey
from migsync.sync.target import Target

_K = MessageKind
_OBJECTS: Final = frozenset(
    [_K.TABLE_EXISTS, _K.TABLE_MISSING, _K.COLUMN_EXISTS, _K.COLUMN_MISSING, _K.INDEX_EXISTS, _K.INDEX_MISSING]
)
_EXISTS: Final = frozenset([_K.TABLE_EXISTS, _K.COLUMN_EXISTS, _K.INDEX_EXISTS])
_OF_THE_GRAPH: Final = frozenset([_K.INCONSISTENT_HISTORY, _K.MISSING_PARENT, _K.CONFLICT, _K.CYCLE, _K.UNREADABLE])
"""What stops `migrate` before it runs anything: the survey finds that itself."""


def diagnose(survey: Survey, message: Message) -> Examination:
    """What the message means here.

    Where names are to be changed, or a plan is blocked, that comes first: it is the cause more often than not.
    """
    found = makers(survey.history, table=message.table, column=message.column, index=message.index)
    # PostgreSQL says "relation" of an index too.
    relation = not found and message.kind in (_K.TABLE_EXISTS, _K.TABLE_MISSING)
    if relation and (found := makers(survey.history, index=message.table)):
        message = replace(message, table="", index=message.table)
    apps = {key.app for key in (message.migration, message.other, *(each.migration for each in found)) if key}
    general = [*_stated(survey.history, message, found), *_named(survey.history, message)]
    every = message.kind in _OF_THE_GRAPH
    general += [each for each in survey.findings if each.blocks and (every or each.app in apps)]
    by_alias: dict[str, tuple[Finding, ...]] = {}
    plans = {plan.target.alias: plan for plan in survey.plans}
    for alias in (*plans, *survey.fresh):
        if message.alias in ("", alias):
            causes = _causes(plans[alias], apps, every=every) if alias in plans else []
            if message.kind is _K.SEQUENCE:
                causes += sequence_findings(survey, alias)
            if message.kind in _OBJECTS and not causes:
                causes = list(_Objects(survey, alias, message, found).findings())
            if message.kind is _K.UNAPPLIED and not causes:
                causes = list(_pending(survey, alias))
            by_alias[alias] = tuple(
                dict.fromkeys(each.with_facts(alias=survey.project.typed(alias)) for each in causes)
            )
    if message.kind in _OBJECTS and not found:
        general.append(objects.made_by_none(what=_what(message)))
    elif not general and not any(by_alias.values()):
        general.append(entries.not_seen_here(message=message.text))
    return Examination.of(survey, general, by_alias)


def _causes(plan: Plan, apps: Collection[str], *, every: bool) -> list[Finding]:
    """What the plan says of these apps, or of every one: changes that were not made, and what stops `migrate`."""
    first = pending_changes(plan, None if every else apps)
    return [*first, *(each for each in plan.findings if each.blocks and (every or each.app in apps))]


def _pending(survey: Survey, alias: str) -> Iterator[Finding]:
    state = survey.history.state(frozenset(record.key for record in survey.records.get(alias, ())))
    pending = [key for key in survey.history.order if key in state.nodes and key not in state.applied]
    if pending:
        yield environment.not_migrated(migrations=len(pending), first=pending[0])


def _what(message: Message) -> str:
    if message.column:
        return f"column {message.table}.{message.column}" if message.table else f"column {message.column}"
    return f"index {message.index}" if message.index else f"table {message.table}"


@dataclass
class _Objects:
    """A table, a column or an index in one database, held against the migrations that make it."""

    survey: Survey
    alias: str
    message: Message
    makers: Sequence[Maker]

    @cached_property
    def target(self) -> Target:
        """The database."""
        return target_of(self.survey, self.alias)

    def findings(self) -> Iterator[Finding]:
        if not self.makers:
            return
        if left := self._left_by_rebuild():
            yield from left
            return
        state = self._state()
        ran = [each for each in self.makers if each.migration in state.applied]
        pending = [each for each in self.makers if each.migration not in state.applied]
        what = _what(self.message)
        if self.message.kind in _EXISTS and pending:
            yield self._unrecorded(what, pending[0], ran, state)
        elif pending and not ran:
            yield objects.not_run_yet(what=what, migration=pending[0].migration, user=self._user(pending[0].migration))
        elif ran:
            key = ran[-1].migration
            yield self._recorded_index(what, key, state) if self.message.index else self._recorded(what, ran[-1], state)

    def _left_by_rebuild(self) -> list[Finding]:
        """What is left of a rebuild of the table: what else seems to be missing, may be in it."""
        table, prefix = self.message.table, self.target.behaviour.rebuild_prefix
        there = columns_there(self.target, {table, prefix + table}) if table and prefix else {}
        return list(left_by_rebuilds(self.target, there, {table}))

    def _unrecorded(self, what: str, maker: Maker, ran: Sequence[Maker], state: LoaderState) -> Finding:
        """What a migration that has not run would make, is there."""
        key, history = maker.migration, self.survey.history
        if ran:
            file = str(history.migrations[key].path)
            return objects.made_twice(what=what, migration=key, other=ran[-1].migration, file=file)
        there = columns_there(self.target, maker.made)
        missing = [part.shown for part in absent(maker.made, there)]
        if self.message.table in missing or f"{self.message.table}.{self.message.column}" in missing:
            return objects.not_run_yet(what=what, migration=key)  # it was removed since
        if not self.survey.records.get(self.alias):
            return objects.records_lost(what=what, migration=key)
        earlier = maker.made.keys() - maker.tables
        return unrecorded(self.survey, self.alias, state, what, key, maker.made, earlier, there)

    def _recorded(self, what: str, maker: Maker, state: LoaderState) -> Finding:
        key, history = maker.migration, self.survey.history
        if gone := remover(history, state.applied, key, self.message.table, self.message.column):
            return objects.removed_since(what=what, migration=gone)
        if (pending := self._pending_remover(key, state)) and not self._is_there():
            return objects.removed_unrecorded(what=what, migration=pending)
        there = expected(history, state.applied, key.app)
        absent_parts = absent(maker.made, columns_there(self.target, maker.made))
        missing = [part.shown for part in absent_parts if is_expected(part.shown, there)]
        if not missing:
            return objects.as_recorded(what=what, migration=key, there=bool(maker.made))
        return self._not_there(key, missing, state, whole=missing == _everything(maker))

    def _recorded_index(self, what: str, key: Key, state: LoaderState) -> Finding:
        history, index = self.survey.history, self.message.index
        removers = index_removers(history, key.app, index)
        if gone := next((each for each in removers if each in state.applied), None):
            return objects.removed_since(what=what, migration=gone)
        tables = {*expected(history, state.applied, key.app), *filter(None, [self.message.table])}
        if index in indexes_there(self.target, tables):
            return objects.as_recorded(what=what, migration=key, there=True)
        if pending := next((each for each in removers if each in state.nodes), None):
            return objects.removed_unrecorded(what=what, migration=pending)
        return self._not_there(key, [what], state, whole=len(history.migrations[key].contents.operations) == 1)

    def _not_there(self, key: Key, missing: Sequence[str], state: LoaderState, *, whole: bool) -> Finding:
        history = self.survey.history
        # Its record can be taken back where nothing of it is there, and nothing was built on it.
        parents = [parent.name for parent in history.parents(key) if parent.app == key.app]
        built_on = any(child in state.applied for child in history.children(key))
        before = (*parents, "zero")[0] if whole and not built_on and len(parents) < 2 else ""
        return objects.recorded_not_there(migration=key, missing=missing, whole=whole, before=before)

    def _pending_remover(self, maker: Key, state: LoaderState) -> Key | None:
        """The first pending migration that removes or renames what the message is about."""
        history, ran = self.survey.history, set(state.applied)
        for key in in_order(history, maker.app):
            if key in state.nodes and key not in state.applied:
                ran.add(key)
                if remover(history, ran, maker, self.message.table, self.message.column):
                    return key
        return None

    def _is_there(self) -> bool:
        table, column = self.message.table, self.message.column
        there = columns_there(self.target, {table} if table else {name for each in self.makers for name in each.made})
        return any(not column or column in columns for columns in there.values())

    def _state(self) -> LoaderState:
        return self.survey.history.state(frozenset(record.key for record in self.survey.records.get(self.alias, ())))

    def _user(self, maker: Key) -> Key | None:
        """The migration that failed, where it does not depend on the one that makes what it uses."""
        user = self.message.migration
        if user is None or user == maker or user not in self.survey.history.migrations:
            return None
        return None if maker in self.survey.history.ancestors([user]) else user


def _everything(maker: Maker) -> list[str]:
    """What is missing where nothing of the migration is there."""
    others = dict.fromkeys(maker.made.keys() - maker.tables, frozenset[str]())
    return [part.shown for part in absent(maker.made, others)]


def _named(history: History, message: Message) -> Iterator[Finding]:
    """About a name that somebody typed, or that a file has."""
    if message.kind is _K.MIGRATION_UNKNOWN and (asked := message.migration):
        names = sorted(name for name in history.names(asked.app) if name.startswith(asked.name))
        if len(names) != 1:
            yield environment.no_such_migration(app=asked.app, sought=asked.name, names=names)
    elif message.kind is _K.APP_UNKNOWN and not (message.sought in history.apps and history.names(message.sought)):
        yield environment.app_not_there(app=message.sought, near=get_close_matches(message.sought, history.apps))


def _stated(history: History, message: Message, found: Sequence[Maker]) -> Iterator[Finding]:
    """What is true of the message wherever it was printed."""
    what = message.table or "a table"
    column = f"{message.table}.{message.column}" if message.column and message.table else message.column
    maker = found[0].migration if found else None
    answers: dict[MessageKind, Callable[[], Finding]] = {
        _K.DUPLICATE_VALUES: lambda: entries.duplicate_values(
            what=column or message.index or "a column", migration=message.migration
        ),
        _K.NULL_VALUES: lambda: entries.null_values(what=column or "a column", migration=message.migration),
        _K.PENDING_TRIGGERS: lambda: entries.pending_trigger_events(what=what),
        _K.LAZY_REFERENCE: lambda: entries.lazy_reference(
            what=message.sought, users=files_with(history, message.sought)
        ),
        _K.NOT_PERMITTED: lambda: entries.missing_right(what=what),
        _K.NO_SCHEMA: entries.no_schema_to_create_in,
        _K.LOCKED: entries.lock_not_free,
        _K.READ_ONLY: entries.read_only_connection,
        _K.FOREIGN_KEY: lambda: entries.foreign_key_refused(what=message.table or "another table"),
        _K.CURSOR: environment.cursor_not_there,
        _K.TOO_LARGE: entries.too_large,
        _K.TYPE_CHANGE: lambda: entries.type_not_converted(what=column or "the column"),
        _K.DEPENDED_ON: lambda: entries.others_depend(what=column or what),
        _K.VALUE_TOO_LONG: entries.value_too_long,
        _K.NO_EXTENSION: environment.extension_missing,
        _K.ROW_WITHOUT_PARENT: lambda: entries.rows_without_parent(what=what),
        _K.NOT_CONNECTED: environment.not_connected,
        _K.CODE_GONE: lambda: environment.code_gone(code=message.sought, migration=message.migration),
        _K.CONSTRAINT_COUNT: lambda: entries.constraint_not_found(what=what, migration=message.migration),
        _K.MODEL_UNKNOWN: lambda: entries.not_in_state(
            what=f"the model {message.sought}",
            maker=maker,
            user=message.migration,
            near=[] if maker else models_near(history, message.sought),
        ),
        _K.FIELD_UNKNOWN: lambda: entries.not_in_state(
            what=f"the field {message.column}", maker=maker, user=message.migration
        ),
    }
    if message.kind is _K.IRREVERSIBLE and message.migration:
        yield entries.not_reversible(migration=message.migration)
    if answer := answers.get(message.kind):
        yield answer()
