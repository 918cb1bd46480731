"""The task of a proof by databases: ``migrate`` on a scratch database, with a look at the schema on the way.

It is Django's own command that runs; only its order can be another one, as it is on a database that goes through given
stations. A station is a set of records: those that a database of the project can have.
"""

from __future__ import annotations

import importlib
import itertools
import traceback
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from migsync.engines import engine_named
from migsync.engines.catalog import Part
from migsync.key import Key
from migsync.worker.isolation import set_up_on_scratch
from migsync.worker.loader import Node, forwards, loader_without, whole_squashes
from migsync.worker.protocol import CatalogChange, TraceRequest, TraceResult
from migsync.worker.remake.operations import is_schema
from migsync.worker.setup import StageError, stage


class Arrived(Exception):
    """Ends `migrate` after the last station, where what comes later need not run."""


def answer(request: TraceRequest) -> TraceResult:
    """Run every migration that the routers allow for the alias, from station to station."""
    connection = set_up_on_scratch(request)
    with stage("load"):
        from django.db.migrations.loader import MigrationLoader

        reached: dict[Node, int] = {key: number for number, keys in enumerate(request.stations) for key in keys}
        never = len(request.stations)
        hidden: Collection[Node] | None = request.hidden
        if hidden is None:
            hidden = _without_room(MigrationLoader(None).disk_migrations, reached, never)
        loader = loader_without(hidden)
        way = _arranged(loader(None), reached, never)
    trace = _Trace(connection, [number for _, number in way], request)
    with stage("migrate"):
        _migrate(trace, connection.alias, loader, [key for key, _ in way])
    return TraceResult(tuple(trace.catalogs), tuple(Key(*key) for key in hidden))


def _without_room(migrations: Mapping[Node, Any], reached: Mapping[Node, int], never: int) -> list[Node]:
    """The squashes of which some station has a part recorded: there Django runs what they replace."""
    return [
        key
        for key, replaced in whole_squashes(migrations).items()
        # 0001_squashed replaces 0001_a and 0002_b, and a station has 0001_a alone. There Django's loader takes the
        # squash out of the graph, and `migrate` runs 0002_b: so must a run that goes through this station.
        if min(numbers := [reached.get(one, never) for one in replaced]) < max(numbers)
        and reached.get(key, never) > min(numbers)
    ]


def _arranged(loader: Any, reached: Mapping[Node, int], never: int) -> list[tuple[Node, int]]:  # noqa: ANN401
    """All migrations in an order that goes through the stations, each with the number of the first that has it.

    Within one station it is Django's order. What is recorded at no station comes last, with the number `never`.
    """
    numbers: dict[Node, int] = {}
    for key in forwards(loader.graph, loader.graph.leaf_nodes()):
        replaced = loader.graph.nodes[key].replaces
        number = reached.get(key, never)
        # Django takes a squash as applied where all that it replaces is, whether or not the squash itself is recorded.
        if replaced and all(tuple(one) in reached for one in replaced):
            number = min(number, max(reached[tuple(one)] for one in replaced))
        # Nothing can run before what it depends on, whatever the stations say.
        parents = (numbers[parent.key] for parent in loader.graph.node_map[key].parents)
        numbers[key] = max([number, *parents])
    # sorted() is stable: within a station, Django's order stays.
    return sorted(numbers.items(), key=lambda item: item[1])


class _Trace:
    """Counts the migrations as they are done, and looks at the schema where a station is complete."""

    def __init__(self, connection: Any, numbers: Sequence[int], request: TraceRequest) -> None:  # noqa: ANN401
        self.connection = connection
        self.engine = engine_named(connection.vendor)
        self.request = request
        counted = Counter(numbers)
        # By station, how many migrations have run when it is complete.
        self.due = list(itertools.accumulate(counted[station] for station in range(len(request.stations))))
        self.count = 0
        self.migration: Any = None
        self._operations: dict[type, Sequence[Any]] = {}
        self.catalogs: list[tuple[CatalogChange, ...]] = []
        self._known: dict[Part, str] = {}

    def start(self, migration: Any) -> None:  # noqa: ANN401
        """One migration begins."""
        self.migration = migration
        # The station of a fresh database is complete before anything has run.
        self.look()

    def end(self) -> None:
        """One migration is done."""
        self.migration = None
        self.count += 1
        self.look()

    def at(self, error: BaseException) -> tuple[Key | None, int]:
        """The migration that ran when `error` came, and the number of its operation, as far as can be told."""
        if self.migration is None:
            return None, 0
        # The list as the file has it: pass_over() takes operations out, and the numbers of the others must not change.
        operations = self._operations.get(type(self.migration), self.migration.operations)
        failing = self._failing(error)
        numbers = [number for number, each in enumerate(operations, 1) if each is failing]
        return Key(self.migration.app_label, self.migration.name), numbers[0] if numbers else 0

    def _failing(self, error: BaseException) -> Any:  # noqa: ANN401
        """The operation of this migration that ran when `error` came, or None."""
        # Migration.apply() has the operation that it runs in a local variable. An exception says nothing of it.
        running = [frame.f_locals.get("operation") for frame, _ in traceback.walk_tb(error.__traceback__)]
        return next((each for each in self.migration.operations if any(each is one for one in running)), None)

    def pass_over(self, error: BaseException) -> bool:
        """Take out the operation that failed, if that may be and nothing is left of it: the rest can go on."""
        if self.migration is None or self.migration.app_label not in self.request.anew:
            return False
        failing = self._failing(error)
        undone = self.migration.atomic and self.connection.features.can_rollback_ddl
        # What the models show must run, or all that follows would fail for that; and without a transaction, half of
        # the operation may be there.
        if failing is None or is_schema(failing) or not undone:
            return False
        kind = type(self.migration)
        self._operations.setdefault(kind, kind.operations)
        # On the class: the next run of `migrate` makes an instance of its own from it.
        kind.operations = [each for each in kind.operations if each is not failing]
        return True

    def waited(self, error: BaseException | None) -> bool:
        """Whether the driver's error, which is the cause of Django's, says that a lock was waited for."""
        while error is not None:
            if self.engine.is_lock_timeout(error):
                return True
            error = error.__cause__
        return False

    def look(self) -> None:
        """Read the catalog for each station that is complete. Raises Arrived after the last, unless the whole runs."""
        while len(self.catalogs) < len(self.due) and self.due[len(self.catalogs)] <= self.count:
            catalog = self._read() if self.count else {}
            # Only what changed: a whole catalog for each of hundreds of stations would be gigabytes.
            changed = [part for part in catalog if self._known.get(part) != catalog[part]]
            gone = self._known.keys() - catalog.keys()
            self.catalogs.append(tuple((*part, catalog.get(part)) for part in (*changed, *gone)))
            self._known = catalog
        if not self.request.whole and len(self.catalogs) == len(self.due):
            raise Arrived

    def _read(self) -> dict[Part, str]:
        with self.connection.cursor() as cursor:

            def execute(statement: str) -> list[tuple[Any, ...]]:
                cursor.execute(statement)
                return list(cursor.fetchall())

            return self.engine.catalog(execute)


def _migrate(trace: _Trace, alias: str, loader: Any, way: Sequence[Node]) -> None:  # noqa: ANN401
    executor: Any = importlib.import_module("django.db.migrations.executor")
    migrate: Any = importlib.import_module("django.core.management.commands.migrate")

    class TracedExecutor(executor.MigrationExecutor):  # type: ignore[misc]
        """Django's, in the order of `way`."""

        def migration_plan(self, targets: Collection[Node], clean_start: bool = False) -> list[tuple[Any, bool]]:
            # Django asks for two plans: what is to run, and with `clean_start` all of it, along which it builds the
            # state. Both have to follow the way, or a migration would get the state of another place.
            applied = {} if clean_start else self.loader.applied_migrations
            return [(self.loader.graph.nodes[key], False) for key in way if key not in applied]

    # Django's own command: a project's may take locks, or refuse.
    class TracedCommand(migrate.Command):  # type: ignore[misc]
        """Django's, with an eye on each migration."""

        def migration_progress_callback(self, action: str, migration: Any = None, fake: bool = False) -> None:  # noqa: ANN401
            if action == "apply_start":
                trace.start(migration)
            elif action == "apply_success":
                trace.end()

    class UnforkedLoader(loader):  # type: ignore[misc]
        """For which several leaves of an app are no conflict: what each of them makes is what is compared."""

        def detect_conflicts(self) -> dict[str, set[str]]:
            return {}

    executor.MigrationLoader = UnforkedLoader
    migrate.MigrationExecutor = TracedExecutor
    failures: list[StageError] = []
    # What ran before a failure is recorded, so the next round begins with the migration that failed. All that fails in
    # the apps of `anew` is then told at once.
    while failure := _run(TracedCommand(), alias, trace):
        failures.append(failure)
        if not trace.pass_over(failure.error):
            break
    if failures:
        failures[0].more = failures[1:]
        raise failures[0]


def _run(command: Any, alias: str, trace: _Trace) -> StageError | None:  # noqa: ANN401
    from django.core.management import call_command

    try:
        call_command(command, database=alias, interactive=False, verbosity=0, skip_checks=True)
        trace.look()
    except Arrived:
        pass
    except Exception as error:
        first = _first(error)
        return StageError("lock" if trace.waited(first) else "migrate", first, *trace.at(first))
    return None


def _first(error: BaseException) -> BaseException:
    """What broke the transaction, where all that came out is that it is broken: SQLite's editor asks once more."""
    from django.db.transaction import TransactionManagementError

    while isinstance(error, TransactionManagementError) and error.__context__:
        error = error.__context__
    return error
