"""A task: what Django records, migration by migration, in databases that are behind; no migration is run."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from migsync.key import Key
from migsync.worker.loader import Node, forwards, in_memory, loader_without, whole_squashes
from migsync.worker.progress import counted
from migsync.worker.protocol import RehearsalRequest, RehearsalResult, RehearsedWay
from migsync.worker.setup import relabel, set_up, stage


def answer(request: RehearsalRequest) -> RehearsalResult:
    """What is recorded on the way of a fresh database, and on that of one from before the squashes of the apps."""
    relabel(request.labels)
    set_up()
    with stage("load"):
        from django.db.migrations.loader import MigrationLoader

        squashes = whole_squashes(MigrationLoader(None).disk_migrations)
        # Databases from before a squash have run what it replaces; a fresh one runs the squash in its place.
        hidden = {key: replaced for key, replaced in squashes.items() if key[0] in request.apps}
        return RehearsalResult((_way({}), *([_way(hidden)] if hidden else ())))


def _way(hidden: Mapping[Node, Collection[Node]]) -> RehearsedWay:
    from django.db.migrations.executor import MigrationExecutor

    with in_memory() as connection:
        executor: Any = MigrationExecutor(connection)
        executor.loader = loader_without(hidden)(connection)
        executor.recorder.ensure_schema()
        steps: list[tuple[Key, tuple[Key, ...]]] = []
        last = 0
        replaced = {key for keys in hidden.values() for key in keys}
        graph = executor.loader.graph
        order = forwards(graph, sorted(replaced & graph.nodes.keys()) if hidden else graph.leaf_nodes())
        for key in counted("records", order):
            # With fake=True Django records and does nothing else: it needs no state.
            executor.apply_migration(None, graph.nodes[key], fake=True)
            # One migration can leave several records: its own, and those of what it replaces.
            rows = list(executor.recorder.migration_qs.filter(id__gt=last).order_by("id"))
            steps.append((Key(*key), tuple(Key(row.app, row.name) for row in rows)))
            last = rows[-1].id if rows else last
    return RehearsedWay(tuple(Key(*key) for key in hidden), tuple(steps))
