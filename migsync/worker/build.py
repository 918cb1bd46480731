"""The task of ``migsync verify``: ``migrate`` on a scratch database, with what each migration changes in the catalog.

A migration that fails is left out together with all that depends on it, and the others go on.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from migsync.engines.catalog import Part, catalog_of
from migsync.engines.statements import Touched, touched_by
from migsync.key import Key
from migsync.worker.isolation import set_up_on_scratch
from migsync.worker.loader import Node, loader_without
from migsync.worker.migrate import MigrateObserver, arranged, migrate_in_order
from migsync.worker.migration_traces import BuildRequest, BuildResult, MigrationTrace, Statement
from migsync.worker.progress import report
from migsync.worker.remake.operations import OF_ONE_ENGINE, is_schema
from migsync.worker.runtime import ENVIRONMENT_PARTS, LIBRARY
from migsync.worker.setup import first_line, stage

OTHERS: Final = OF_ONE_ENGINE | {"django.contrib.contenttypes.management"}
"""Where further operations are that change no data of the project; `migrate` puts one of these after a RenameModel."""


def answer(request: BuildRequest) -> BuildResult:
    """Run every migration, and note what it changes."""
    connection = set_up_on_scratch(request, request.server)
    with stage("setup-sql"):
        _run_setup(connection, request.setup)
    with stage("load"):
        loader = loader_without(request.hidden)
        graph = loader(None)
        way = [key for key, _ in arranged(graph, dict.fromkeys(request.first, 0), 1)]
    shared = _shared_schema(connection) if request.schema else ""
    if shared and request.schema != shared:
        with stage("migrate"):
            _enter_tenant(connection, request.schema, loader, way)
    if request.by_statement:
        last = max(number for number, key in enumerate(way) if Key(*key) in request.by_statement)
        way = way[: last + 1]
    build = _Build(connection, graph.graph, way, whole=request.whole, by_statement=request.by_statement)
    build.alone = bool(request.schema)
    with stage("migrate"), connection.execute_wrapper(build.watch):
        failures = migrate_in_order(build, connection.alias, loader, way)
        if failures and failures[-1].at is None:
            raise failures[-1]  # `migrate` itself did not start, or not end
        complete = build.complete()
        statements = tuple((key, tuple(each)) for key, each in build.statements.items())
        reversal = build.reversal(graph.unmigrated_apps) if request.by_statement else ()
    from django.conf import settings

    return BuildResult(
        tuple(build.traces),
        tuple(build.unbuilt.items()),
        dict(_files()),
        complete,
        bool(settings.DATABASE_ROUTERS),
        request.schema,
        shared,
        statements,
        reversal,
    )


def _shared_schema(connection: Any) -> str:  # noqa: ANN401 -- Django has no types
    """The schema that all tenants share, where the backend is that of django-tenants or django-tenant-schemas."""
    from django.conf import settings

    # The apps of such a tenant are known from its row alone, and the scratch database has none.
    if not hasattr(connection, "set_schema") or getattr(settings, "HAS_MULTI_TYPE_TENANTS", False):
        return ""
    return str(connection.schema_name)


def _enter_tenant(connection: Any, schema: str, loader: Any, way: list[Node]) -> None:  # noqa: ANN401
    """Build what the tenants share, and then make the schema of this one the current one.

    From here on the router of the package allows what a tenant has. Its tables may refer to the shared ones.
    """
    failures = migrate_in_order(MigrateObserver(connection), connection.alias, loader, list(way))
    if failures:
        raise failures[-1]
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE SCHEMA IF NOT EXISTS {connection.ops.quote_name(schema)}")
    connection.set_schema(schema)


def _run_setup(connection: Any, text: str) -> None:  # noqa: ANN401 -- Django has no types
    if text:
        with connection.cursor() as cursor:
            for statement in connection.ops.prepare_sql_script(text):
                cursor.execute(statement)


class _Build(MigrateObserver):
    """Reads the catalog after each migration that ran a statement which can change it."""

    def __init__(
        self,
        connection: Any,  # noqa: ANN401
        graph: Any,  # noqa: ANN401
        way: list[Node],
        *,
        whole: bool,
        by_statement: Collection[Key] = (),
    ) -> None:
        super().__init__(connection)
        self.graph = graph
        self.way = way
        self.whole = whole
        self.alone = False  # whether the tables of other schemas do not count
        self.traces: list[MigrationTrace] = []
        self.unbuilt: dict[Key, str] = {}
        self.statements: dict[Key, list[Statement]] = {key: [] for key in by_statement}
        self._statements: list[str] = []
        self._reading = False
        self._known: dict[Part, str] | None = None
        self._seen: dict[Part, str] | None = None

    def watch(self, execute: Any, sql: Any, params: Any, many: bool, context: Any) -> Any:  # noqa: ANN401
        """Django calls this in place of the execution of each statement."""
        # A backend that knows tenants sets the search path for each cursor, also for that of a reading.
        if self._reading:
            return execute(sql, params, many, context)
        text = sql if isinstance(sql, str) else str(sql)
        self._statements.append(text)
        result = execute(sql, params, many, context)
        if self.statements and touched_by([text]) is not Touched.NOTHING:
            self._note(text, params)
        return result

    def _note(self, sql: str, params: Any) -> None:  # noqa: ANN401
        """Note what this statement changed, where that was asked for."""
        migration = self.migration
        noted = self.statements.get(Key(migration.app_label, migration.name)) if migration else None
        if noted is not None:
            before, now = self._seen or self._known or {}, self._read()
            self._seen = now
            quoted = sql % tuple(map(self.connection.schema_editor().quote_value, params)) if params else sql
            noted.append(Statement(quoted, tuple(_changed(before, now))))

    def start(self, migration: Any) -> None:  # noqa: ANN401
        """Look at what was there before the first one: what the setup made is no migration's."""
        super().start(migration)
        report("migrate", len(self.traces), len(self.way), at_once=True)
        if self._known is None:
            self._known = self._read()
        self._statements.clear()
        self._seen = None

    def end(self) -> None:
        """Note what the migration changed."""
        migration = self.migration
        super().end()
        custom = any(map(_is_custom, migration.operations))
        key = Key(migration.app_label, migration.name)
        self.traces.append(MigrationTrace(key, tuple(self._changes()), custom))

    def pass_over(self, error: BaseException) -> bool:
        """Leave out the migration that failed, and all that cannot run without it."""
        if self.migration is None:
            return False
        failed = (self.migration.app_label, self.migration.name)
        if failed not in self.way:
            return False
        key = Key(*failed)
        self.unbuilt[key] = first_line(error)
        for other in self.graph.backwards_plan(failed):
            if other != failed and other in self.way:
                self.unbuilt.setdefault(Key(*other), f"it depends on {key}, which could not be built")
        self.way[:] = [node for node in self.way if Key(*node) not in self.unbuilt]
        self.migration = None
        self._changes()  # without DDL in transactions, a part of it stays, and is none of the next one's
        return True

    def reversal(self, real_apps: Collection[str]) -> tuple[Statement, ...]:
        """Unapply the migration that ran last; its statements, or nothing where it cannot be unapplied."""
        from django.db.migrations.state import ProjectState

        *before, last = self.way
        state: Any = ProjectState(real_apps=set(real_apps))
        for node in before:
            state = self.graph.nodes[node].mutate_state(state, preserve=False)
        migration = self.graph.nodes[last]
        noted: list[Statement] = []
        self.statements = {Key(*last): noted}
        self.migration, self._seen = migration, self._read()
        try:
            with self.connection.schema_editor(atomic=migration.atomic) as editor:
                migration.unapply(state, editor)
        except Exception:  # it is irreversible, or code of its own expects rows
            return ()
        return tuple(noted)

    def complete(self) -> bool:
        """Whether what is known of the catalog is what is there."""
        return self._known is None or self._known == self._read()

    def _changes(self) -> Iterator[tuple[str, str, str, str | None]]:
        touched = touched_by(self._statements)
        self._statements.clear()
        known = self._known or {}
        if touched is Touched.NOTHING:
            return iter(())
        now = self._read()
        self._known = now
        return iter(_changed(known, now))

    def _read(self) -> dict[Part, str]:
        self._reading = True
        try:
            return self._catalog()
        finally:
            self._reading = False

    def _catalog(self) -> dict[Part, str]:
        with self.connection.cursor() as cursor:

            def execute(statement: str) -> list[tuple[Any, ...]]:
                cursor.execute(statement)
                return list(cursor.fetchall())

            # The words for what tenants share change as soon as a tenant has a table of the same name.
            if self.alone:
                self.engine.keep_to_schema(execute)
            return catalog_of(self.engine.comparable(self.engine.parts(execute)))


def _is_custom(operation: Any) -> bool:  # noqa: ANN401
    """Whether an operation may do what no catalog shows."""
    if hasattr(operation, "database_operations"):  # SeparateDatabaseAndState
        return any(map(_is_custom, operation.database_operations))
    return not is_schema(operation) and type(operation).__module__ not in OTHERS


def _changed(before: Mapping[Part, str], now: Mapping[Part, str]) -> list[tuple[str, str, str, str | None]]:
    changed = [(*part, now[part]) for part in now if before.get(part) != now[part]]
    return [*changed, *((*part, None) for part in before if part not in now)]


def _files() -> Iterator[tuple[str, str]]:
    """The files of the project that were imported, with a digest of each."""
    for module in list(sys.modules.values()):
        path = getattr(module, "__file__", None)
        if not path or ENVIRONMENT_PARTS & set(Path(path).parts) or path.startswith(LIBRARY):
            continue
        try:
            yield path, hashlib.sha256(Path(path).read_bytes()).hexdigest()
        except OSError:
            continue
