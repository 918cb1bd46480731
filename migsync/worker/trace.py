"""The task of a proof by databases: ``migrate`` on a scratch database, with a look at the schema on the way.

It is Django's own command that runs; only its order can be another one, as it is on a database that goes through given
stations. A station is a set of records: those that a database of the project can have.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from migsync.engines.catalog import Part
from migsync.key import Key
from migsync.worker.isolation import set_up_on_scratch
from migsync.worker.loader import Node, loader_without, whole_squashes
from migsync.worker.migrate import Arrived, MigrateObserver, arranged, migrate_in_order
from migsync.worker.progress import report
from migsync.worker.protocol import CatalogChange, TraceRequest, TraceResult
from migsync.worker.remake.operations import is_schema
from migsync.worker.setup import stage


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
        way = arranged(loader(None), reached, never)
    trace = _Trace(connection, [number for _, number in way], request)
    with stage("migrate"):
        failures = migrate_in_order(trace, connection.alias, loader, [key for key, _ in way])
        if failures:
            failures[0].more = failures[1:]
            raise failures[0]
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


class _Trace(MigrateObserver):
    """Counts the migrations as they are done, and looks at the schema where a station is complete."""

    def __init__(self, connection: Any, numbers: Sequence[int], request: TraceRequest) -> None:  # noqa: ANN401
        super().__init__(connection)
        self.request = request
        counted = Counter(numbers)
        # By station, how many migrations have run when it is complete.
        self.due = list(itertools.accumulate(counted[station] for station in range(len(request.stations))))
        self.count = 0
        self.total = len(numbers) if request.whole else (self.due or [0])[-1]
        self._operations: dict[type, Sequence[Any]] = {}
        self.catalogs: list[tuple[CatalogChange, ...]] = []
        self._known: dict[Part, str] = {}

    def start(self, migration: Any) -> None:  # noqa: ANN401
        """One migration begins."""
        super().start(migration)
        report("migrate", self.count, self.total, at_once=True)
        # The station of a fresh database is complete before anything has run.
        self.look()

    def end(self) -> None:
        """One migration is done."""
        super().end()
        self.count += 1
        self.look()

    def operations(self, migration: Any) -> Sequence[Any]:  # noqa: ANN401
        """The list as the file has it: pass_over() takes operations out, and the numbers of the others stay."""
        found: Sequence[Any] = self._operations.get(type(migration), migration.operations)
        return found

    def pass_over(self, error: BaseException) -> bool:
        """Take out the operation that failed, if that may be and nothing is left of it: the rest can go on."""
        if self.migration is None or self.migration.app_label not in self.request.anew:
            return False
        failing = self.failing(error)
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
