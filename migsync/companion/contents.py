"""Writes down what each migration's file is when ``migrate`` runs it: :mod:`migsync.sync.journal.contents`.

Nothing of Django is replaced for that. The progress callback of ``migrate`` says which migration begins and ends, and
the signals of the recorder's model say which row is written or deleted, in the transaction that does it. So the event
is committed with the record, or neither is: on an engine with transactional DDL, for an atomic migration that defers no
SQL. Else the record comes first, and a kill between the two leaves a record without an event.

It only adds to tables that are there. Whatever goes wrong is one line on standard error: `migrate` goes on.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.db import DatabaseError, connections, transaction
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.db.models.signals import post_delete, post_save

from migsync.engines import Engine, engine_named
from migsync.errors import HistoryError, UnknownEngine
from migsync.history.contents import UNREAD, Contents
from migsync.history.parser import read_contents, source_digest
from migsync.key import Key
from migsync.sync.journal.contents import OWN_SCHEMA, Event, as_document, document_digest
from migsync.sync.journal.sources import packed_source
from migsync.sync.journal.tables import (
    CONTENT_SEEN_TABLE,
    CONTENT_TABLE,
    RAN_TABLE,
    SOURCE_TABLE,
    VERSION_TABLE,
    has_contents,
    has_looks,
)

if TYPE_CHECKING:
    from django.db.migrations.migration import Migration

FirstParty = Callable[[str], bool]


@dataclass(frozen=True)
class _File:
    """A migration's file: the SHA-256 of its bytes, empty where there is no source, what it does, and the bytes."""

    source: str
    contents: Contents
    text: bytes = field(default=b"", repr=False)


@dataclass(frozen=True)
class _Row:
    """A row of ``django_migrations``: its id, the seconds of its `applied`, and the migration."""

    id: int
    moment: str
    key: Key

    @classmethod
    def of(cls, instance: Any) -> _Row:  # noqa: ANN401 (a model of Django's)
        # The same in every time zone; see migsync.sync.journal.contents.moment_of.
        applied = instance.applied
        return cls(instance.pk, f"{applied.second:02}.{applied.microsecond:06}", Key(instance.app, instance.name))


@dataclass
class _Running:
    """The migration that is being applied or unapplied; `file` is None for one that is not the project's own."""

    key: Key
    replaced: frozenset[Key]
    event: Event
    file: _File | None
    held: list[_Row] | None = None
    """Records whose event only the end of the migration tells; None where it is known."""

    def event_of(self, key: Key) -> Event:
        """What happened to the record `key`, which this migration or one that it replaces bears."""
        ran_instead = self.event is Event.APPLIED and key in self.replaced
        return Event.REPLACED if ran_instead else self.event


@dataclass
class ContentsRecorder:
    """Watches one ``migrate`` of one alias. `warn` is called at most once.

    `first_party` and `keep_sources` are asked when there is something to note: which files are the project's own, and
    whether the files themselves are kept.
    """

    alias: str
    fake_initial: bool
    first_party: Callable[[], FirstParty]
    warn: Callable[[str], object]
    keep_sources: Callable[[], bool] = bool
    _tables: _Tables | None = None
    _looked: bool = False
    _running: _Running | None = None
    _squashes: dict[Key, Event] = field(default_factory=dict)
    """What became of the squashes in this ``migrate``. Up to Django 5.2 they are recorded only at its end."""

    def progress(self, action: str, migration: Migration | None, fake: bool) -> None:
        """Take note of what Django's ``MigrationExecutor`` tells its progress callback."""
        with self._harmless():
            match action:
                case "apply_start" | "unapply_start" if migration is not None and self._writable():
                    self._running = self._start(migration, applied=action == "apply_start", fake=fake)
                case "apply_success" | "unapply_success" if self._running is not None:
                    running, self._running = self._running, None
                    if running.event is not Event.UNAPPLIED:
                        running.event = Event.FAKED if fake else Event.APPLIED
                        self._squashes[running.key] = running.event
                    for row in running.held or ():
                        self._write(row, running.event_of(row.key), running.file)

    def saved(self, instance: Any, created: bool, using: str, **_: object) -> None:  # noqa: ANN401 (a model of Django's)
        """A row was written: the receiver of ``post_save``."""
        if using == self.alias and created:
            with self._harmless():
                self._recorded(_Row.of(instance))

    def deleted(self, instance: Any, using: str, **_: object) -> None:  # noqa: ANN401 (a model of Django's)
        """A row was deleted: the receiver of ``post_delete``. Without a migration that is unapplied, nothing ran."""
        running, key = self._running, Key(instance.app, instance.name)
        if (
            using == self.alias
            and running
            and running.event is Event.UNAPPLIED
            and key in {running.key, *running.replaced}
        ):
            with self._harmless():
                self._write(_Row.of(instance), Event.UNAPPLIED, running.file)

    def _start(self, migration: Migration, *, applied: bool, fake: bool) -> _Running | None:
        if fake and not applied:
            return None
        key = Key(migration.app_label, migration.name)
        event = Event.UNAPPLIED if not applied else Event.FAKED if fake else Event.APPLIED
        # Only after --fake-initial has looked at the tables is it known whether the migration runs.
        held: list[_Row] | None = [] if applied and self.fake_initial and not fake else None
        return _Running(key, _replaced(key), event, self._file(_module_name(key), key.app), held)

    def _recorded(self, row: _Row) -> None:
        running = self._running
        if running is None:
            self._squash_recorded(row)
        elif row.key == running.key or row.key in running.replaced:
            if running.held is not None:
                running.held.append(row)
            else:
                self._write(row, running.event_of(row.key), running.file)

    def _squash_recorded(self, row: _Row) -> None:
        """Django records a squash as soon as all that it replaces is recorded, whether by running it or before."""
        key = row.key
        if _replaces(key) and self._writable():
            self._write(row, self._squashes.get(key, Event.REPLACED), self._file(_module_name(key), key.app))

    def _file(self, name: str, app: str) -> _File | None:
        module = sys.modules[name]
        if not self.first_party()(str(Path(module.__file__ or "").parent)):
            return None
        path = inspect.getsourcefile(module)
        if path is None:
            return _File("", UNREAD)
        source = Path(path).read_bytes()
        try:
            contents = read_contents(source, path, app)
        except HistoryError:
            # Python has read it, so it can only be nested too deeply for us.
            contents = UNREAD
        return _File(source_digest(source), contents, source)

    def _writable(self) -> bool:
        """Whether this database has the tables; looked up once."""
        if not self._looked:
            self._looked = True
            self._tables = _find_tables(self.alias)
        return self._tables is not None

    def _write(self, row: _Row, event: Event, file: _File | None) -> None:
        if self._tables is not None and file is not None:
            self._tables.write(row, event, file, keep_source=self.keep_sources())

    @contextmanager
    def _harmless(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:  # `migrate` must not fail by what only migsync needs
            name = self._tables.name if self._tables else CONTENT_TABLE
            self._looked, self._tables, self._running = True, None, None
            said = (str(error).strip() or type(error).__name__).splitlines()[0]
            self.warn(f"migsync: what these migrations are could not be saved in {name}: {said}")


def _module_name(key: Key) -> str:
    return f"{MigrationLoader.migrations_module(key.app)[0]}.{key.name}"


def _replaces(key: Key) -> list[Key]:
    """What a migration that Django has loaded replaces itself."""
    migration = getattr(sys.modules.get(_module_name(key)), "Migration", None)
    return [Key(*replaced) for replaced in getattr(migration, "replaces", ())]


def _replaced(key: Key) -> frozenset[Key]:
    """All that a squash replaces, also by a squash that it replaces: Django 6.0 records these, too."""
    found: set[Key] = set()
    todo = _replaces(key)
    while todo:
        inner = todo.pop()
        if inner not in found:
            found.add(inner)
            todo += _replaces(inner)
    return frozenset(found)


@contextmanager
def recorded_contents(recorder: ContentsRecorder) -> Iterator[ContentsRecorder]:
    """Let the recorder receive the signals, until the block ends."""
    model = MigrationRecorder.Migration
    post_save.connect(recorder.saved, sender=model, weak=False)
    post_delete.connect(recorder.deleted, sender=model, weak=False)
    try:
        yield recorder
    finally:
        post_save.disconnect(recorder.saved, sender=model)
        post_delete.disconnect(recorder.deleted, sender=model)


@dataclass(frozen=True)
class _Tables:
    """The tables, over Django's own connection. Events go to the one with this `name`.

    `place` is what stands before each name: the schema, quoted, with its point.
    """

    alias: str
    engine: Engine
    place: str
    name: str

    def write(self, row: _Row, event: Event, file: _File, *, keep_source: bool) -> None:
        """Add one event. A statement that fails is taken back alone: the transaction of ``migrate`` goes on."""
        document = as_document(file.contents)
        digest = document_digest(document)
        values: dict[str, str | int] = {
            "schema_name": OWN_SCHEMA,
            "record": row.id,
            "app": row.key.app,
            "name": row.key.name,
            "event": str(event),
            "source": file.source,
            "content": digest,
            **({"moment": row.moment} if self.name == RAN_TABLE else {}),
        }
        # A % in the server's time is no parameter's.
        marks = f"{', '.join(['%s'] * len(values))}, {self.engine.now.replace('%', '%%')}"
        with transaction.atomic(self.alias), connections[self.alias].cursor() as cursor:
            self._keep(cursor, CONTENT_TABLE, digest, lambda: document)
            if keep_source and file.source and self.name == RAN_TABLE:
                self._keep(cursor, SOURCE_TABLE, file.source, lambda: packed_source(file.text))
            cursor.execute(
                f"INSERT INTO {self.place}{self.name} ({', '.join(values)}, at) VALUES ({marks})",  # noqa: S608 (names of ours)
                list(values.values()),
            )

    def _keep(self, cursor: Any, table: str, digest: str, document: Callable[[], str]) -> None:  # noqa: ANN401 (Django's)
        """Add a document under its digest, unless it is there."""
        cursor.execute(f"SELECT 1 FROM {self.place}{table} WHERE digest = %s", [digest])  # noqa: S608 (names of ours)
        if cursor.fetchone() is None:
            insert = f"INSERT INTO {self.place}{table} (digest, document) VALUES (%s, %s)"  # noqa: S608
            cursor.execute(insert, [digest, document()])


def _find_tables(alias: str) -> _Tables | None:
    """The tables beside the ``django_migrations`` that this connection uses; None where they are not there."""
    connection = connections[alias]
    try:
        engine = engine_named(connection.vendor)
        with transaction.atomic(alias), connection.cursor() as cursor:
            # Asked first, for a statement that fails is an error in the server's log.
            if VERSION_TABLE not in connection.introspection.table_names(cursor):
                return None
            place = ""
            if engine.table_schema:
                # Not what an unqualified name means: the search path may lead to the journal of another schema.
                cursor.execute(engine.table_schema)
                place = f"{connection.ops.quote_name(cursor.fetchone()[0])}."
            cursor.execute(f"SELECT version_num FROM {place}{VERSION_TABLE}")  # noqa: S608 (names of ours)
            versions = [version for (version,) in cursor.fetchall()]
    except (UnknownEngine, DatabaseError):
        # This user may not read the journal.
        return None
    if not any(map(has_contents, versions)):
        return None
    return _Tables(alias, engine, place, RAN_TABLE if any(map(has_looks, versions)) else CONTENT_SEEN_TABLE)
