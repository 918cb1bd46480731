"""The guard where every schema is a tenant's: ``migrate_schemas`` runs ``migrate`` for one schema after the other.

django-tenants takes the command for that from a setting, in each of its executors::

    TENANT_BASE_MIGRATE_COMMAND = "migsync.companion.tenants.Command"

Its connection is in the schema already when the command begins, so the guard looks over that connection: also into a
schema that is not committed yet, and into the database that a test has made. The lock is the session's, which has a
search path of its own and so is shared by no pooler. Files are read once in a process.

A new tenant's ``django_migrations`` is empty, and so never refused. A copy of another schema holds that one's records
and journal, and is judged by them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import cache
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.conf import settings
from django.core.management.base import CommandError
from django.core.management.commands.migrate import Command as DjangosOwn
from django.db import DatabaseError, InterfaceError, connections, transaction
from django.utils.module_loading import import_string

from migsync.companion.guard import (
    OnMigrate,
    Refusal,
    on_migrate,
    refused,
    settle,
    stop,
    sync,
    unsound,
)
from migsync.companion.guarded_migrate import GuardedMigrate
from migsync.companion.project_files import FILES
from migsync.engines import ENGINES, Deadline, Inspection, MigrationTable, engine_named
from migsync.engines.borrowed import borrowing_engine
from migsync.engines.config import DatabaseConfig, SchemaChoice
from migsync.errors import MigsyncError
from migsync.escapes import printable_lines
from migsync.files.commit import Settlement
from migsync.project import Project
from migsync.sync.survey import survey_target
from migsync.sync.target import Target

if TYPE_CHECKING:
    import sqlalchemy as sa

HOOK = "TENANT_BASE_MIGRATE_COMMAND"
COMMAND = f"{__name__}.Command"
BACKENDS = frozenset(f"{backend}.base" for engine in ENGINES for backend in engine.tenant_backends)


def has_tenants(alias: str) -> bool:
    """Whether every schema of the alias is a tenant's, by its backend or by one that this is made from."""
    return any(base.__module__ in BACKENDS for base in type(connections[alias]).__mro__)


def is_hooked() -> bool:
    """Whether django-tenants runs a guarded ``migrate`` for each schema."""
    with suppress(ImportError):
        found = import_string(getattr(settings, HOOK, None) or "")
        return isinstance(found, type) and issubclass(found, GuardedSchema)
    return False


@cache
def _engine(alias: str) -> sa.Engine:
    """SQLAlchemy over Django's connection, which is another one after `migrate_schemas` has closed it."""
    return borrowing_engine(engine_named(connections[alias].vendor), lambda: connections[alias].connection)


class _CurrentTarget(Target):
    """The ``django_migrations`` that an unqualified name means on Django's connection, in a transaction of Django's."""

    @contextmanager
    def transaction(self, wait: float | None = None) -> Iterator[sa.Connection]:
        """What is set in it ends with the transaction of whoever has opened this target."""
        connection = self._connection or self.connect()
        try:
            yield connection
        finally:
            if connection is not self._connection:
                connection.close()

    def lock(self, table: MigrationTable, seconds: float) -> None:
        """Take migsync's lock for the session. Raises LockTimeout."""
        with self.explained(), self.transaction() as connection:
            self.behaviour.reserve(connection, table, Deadline(seconds), session=True)


@dataclass
class _Lock:
    """A lock on one schema, which a connection of the driver's holds; `table` is None where there is none."""

    alias: str
    connection: Any
    table: MigrationTable | None = None

    def release(self) -> None:
        """Nothing where the connection is another one by now: the lock has ended with it."""
        wrapper = connections[self.alias]
        if self.table is None or wrapper.connection is not self.connection:
            return
        # The driver's own cursor: that of the backend would set the search path once more.
        with suppress(DatabaseError), wrapper.wrap_database_errors, wrapper.connection.cursor() as cursor:
            cursor.execute(engine_named(wrapper.vendor).release(self.table))


@contextmanager
def _rolled_back(alias: str) -> Iterator[None]:
    """A transaction of its own, or a part of the one that is open, whose settings end with it."""
    with transaction.atomic(alias):
        yield
        transaction.set_rollback(True, alias)


@dataclass(frozen=True)
class SchemaVerdict:
    """What the guard says of one schema: the alias that migsync's commands take, the refusals, and the changes."""

    alias: str
    refusals: Sequence[Refusal] = ()
    changes: int = 0


def judge(alias: str, mode: OnMigrate, lock: _Lock | None = None) -> SchemaVerdict | None:
    """Judge the schema in which Django's connection is; with `lock`, under that, which is taken.

    None where there is nothing to guard: no ``django_migrations``, a schema of another project, or no connection.
    """
    wrapper = connections[alias]
    try:
        wrapper.ensure_connection()
    except (DatabaseError, InterfaceError):  # `migrate` meets it next
        return None
    # A lock would end with the savepoint. What was made in this transaction, nobody else sees yet.
    locks = lock is not None and not wrapper.in_atomic_block
    with _rolled_back(alias):
        engine = engine_named(wrapper.vendor)
        with wrapper.cursor() as cursor:  # which sets the search path
            cursor.execute(engine.table_schema)
            schema, own = cursor.fetchone() or ("", "")
        # A new tenant may see the table of the schema that all share.
        config = _config(FILES.project, alias, schema) if schema and schema == own else None
        if config is None:
            return None
        target = _CurrentTarget(config, engine, _engine(alias))
        table = MigrationTable(schema)
        # What else a server says of itself is asked where a command changes something.
        target.survey = Inspection(f"{alias}/{schema}", schema, table, database=alias)
        with target.connected():
            if lock is not None and locks:
                target.lock(table, FILES.project.lock_timeout)
                lock.connection, lock.table = wrapper.connection, table
            return _verdict(target, mode)


def _verdict(target: Target, mode: OnMigrate) -> SchemaVerdict | None:
    try:
        found = survey_target(*FILES.read(), target)
    except MigsyncError as error:
        return SchemaVerdict(target.alias, [unsound(target.alias, error)])
    changes = sum(len(plan.changes) for plan in found.plans)
    return SchemaVerdict(target.alias, refused(target.alias, found, mode), changes)


def _config(project: Project, alias: str, schema: str) -> DatabaseConfig | None:
    """The schema as migsync's commands name it; None for one of another project."""
    known = {**project.databases, **project.passed_over}
    own = known.get(alias)
    if own is None or any(fnmatchcase(schema, pattern) for pattern in project.ignore_schemas):
        return None
    # An entry may take the connection of the alias, and say which schemas it stands for.
    for entry in (own, *(each for each in known.values() if each.url == own.url)):
        if entry.schemas and _may_hold(entry.schemas, schema):
            return replace(entry.member(schema), error=None)
        if entry.schema == schema:
            return replace(entry, error=None)
    return replace(own, schema=schema, schemas=None, error=None)


def _may_hold(choice: SchemaChoice, schema: str) -> bool:
    """A query is not asked for it."""
    return bool(choice.query) or any(fnmatchcase(schema, pattern) for pattern in choice.patterns)


def before_migrate(sender: object, using: str, **_: object) -> None:
    """Refuse what a ``migrate`` without our command must not do: the receiver of ``pre_migrate``. Raises CommandError.

    django-pgschemas runs Django's own command in each schema, and makes no system checks.
    """
    # The signal is sent for each app.
    first = next(config for config in apps.get_app_configs() if config.models_module is not None)
    try:
        if sender is not first or not has_tenants(using) or is_hooked() or on_migrate() is OnMigrate.OFF:
            return
        # Nothing syncs here, whatever the setting says.
        found = judge(using, OnMigrate.CHECK)
        stop(found.refusals if found else ())
    except MigsyncError as error:
        raise CommandError(printable_lines(str(error))) from error


class GuardedSchema(GuardedMigrate):
    """``migrate`` of the schema in which Django's connection is; stands before a ``migrate`` among the bases."""

    def settled(self) -> Settlement | None:
        """For the project that is known already."""
        return settle(FILES.project)

    @contextmanager
    def guarded(self, alias: str, mode: OnMigrate, options: Mapping[str, Any]) -> Iterator[None]:
        """Under the lock from the first look on; only for a run of migsync's, which takes it too, it is let go."""
        lock = _Lock(alias, None)
        try:
            found = judge(alias, mode, lock)
            if found and found.changes and not found.refusals and mode is OnMigrate.SYNC:
                lock.release()
                self.say_synced(found.alias, sync(found.alias))
                found = judge(alias, mode, lock)
            stop([_with_template(each, options) for each in found.refusals] if found else [])
            yield
        finally:
            lock.release()


def _with_template(refusal: Refusal, options: Mapping[str, Any]) -> Refusal:
    """django-tenants fakes the migrations of a schema that it has just copied, and drops it where that fails."""
    if not (options.get("fake") and getattr(settings, "TENANT_CREATION_FAKES_MIGRATIONS", False)):
        return refusal
    said = "If this schema is being made as a copy of another one, run that for the other one, and create it again."
    return replace(refusal, hint=f"{refusal.hint}\n{said}")


class Command(GuardedSchema, DjangosOwn):
    """For ``TENANT_BASE_MIGRATE_COMMAND``."""
