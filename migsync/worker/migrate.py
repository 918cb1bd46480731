"""Django's own ``migrate`` in a given order, with an observer; for scratch databases."""

from __future__ import annotations

import importlib
import traceback
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from migsync.engines import engine_named
from migsync.key import Key
from migsync.worker.loader import Node, forwards
from migsync.worker.setup import StageError


class Arrived(Exception):
    """Ends `migrate` after the last station, where what comes later need not run."""


class MigrateObserver:
    """Is told of each migration as it begins and ends, and decides what becomes of one that fails."""

    def __init__(self, connection: Any) -> None:  # noqa: ANN401 -- Django has no types
        self.connection = connection
        self.engine = engine_named(connection.vendor)
        self.migration: Any = None

    def start(self, migration: Any) -> None:  # noqa: ANN401
        """One migration begins."""
        self.migration = migration

    def end(self) -> None:
        """One migration is done."""
        self.migration = None

    def look(self) -> None:
        """Called at the end of ``migrate`` too. May raise Arrived."""

    def pass_over(self, error: BaseException) -> bool:
        """Take out what failed, if the rest can go on without it."""
        return False

    def operations(self, migration: Any) -> Sequence[Any]:  # noqa: ANN401
        """The operations of a migration as its file has them."""
        found: Sequence[Any] = migration.operations
        return found

    def at(self, error: BaseException) -> tuple[Key | None, int]:
        """The migration that ran when `error` came, and the number of its operation, as far as can be told."""
        if self.migration is None:
            return None, 0
        failing = self.failing(error)
        numbers = [number for number, each in enumerate(self.operations(self.migration), 1) if each is failing]
        return Key(self.migration.app_label, self.migration.name), numbers[0] if numbers else 0

    def failing(self, error: BaseException) -> Any:  # noqa: ANN401
        """The operation of this migration that ran when `error` came, or None."""
        # Migration.apply() has the operation that it runs in a local variable. An exception says nothing of it.
        running = [frame.f_locals.get("operation") for frame, _ in traceback.walk_tb(error.__traceback__)]
        return next((each for each in self.migration.operations if any(each is one for one in running)), None)

    def waited(self, error: BaseException | None) -> bool:
        """Whether the driver's error, which is the cause of Django's, says that a lock was waited for."""
        while error is not None:
            if self.engine.is_lock_timeout(error):
                return True
            error = error.__cause__
        return False


def arranged(loader: Any, reached: Mapping[Node, int], never: int) -> list[tuple[Node, int]]:  # noqa: ANN401
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


def migrate_in_order(
    observer: MigrateObserver,
    alias: str,
    loader: Any,  # noqa: ANN401 -- Django has no types
    way: Sequence[Node],
) -> list[StageError]:
    """Run all of `way`, also what the observer takes out of it or out of a migration after a failure; the failures."""
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
                observer.start(migration)
            elif action == "apply_success":
                observer.end()

    class UnforkedLoader(loader):  # type: ignore[misc]
        """For which several leaves of an app are no conflict: what each of them makes is what is compared."""

        def detect_conflicts(self) -> dict[str, set[str]]:
            return {}

    executor.MigrationLoader = UnforkedLoader
    migrate.MigrationExecutor = TracedExecutor
    failures: list[StageError] = []
    # What ran before a failure is recorded, so the next round begins with the migration that failed. All that fails in
    # the apps of `anew` is then told at once.
    while failure := _run(TracedCommand(), alias, observer):
        failures.append(failure)
        if not observer.pass_over(failure.error):
            break
    return failures


def _run(command: Any, alias: str, observer: MigrateObserver) -> StageError | None:  # noqa: ANN401
    from django.core.management import call_command

    try:
        call_command(command, database=alias, interactive=False, verbosity=0, skip_checks=True)
        observer.look()
    except Arrived:
        pass
    except Exception as error:
        first = _first(error)
        return StageError("lock" if observer.waited(first) else "migrate", first, *observer.at(first))
    return None


def _first(error: BaseException) -> BaseException:
    """What broke the transaction, where all that came out is that it is broken: SQLite's editor asks once more."""
    from django.db.transaction import TransactionManagementError

    while isinstance(error, TransactionManagementError) and error.__context__:
        error = error.__context__
    return error
