"""What Django records, migration by migration, in databases that are behind: the worker's half; nothing is run."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from migsync.worker.examination import forwards, in_memory
from migsync.worker.hiding import loader_without, whole_squashes
from migsync.worker.worker import set_up, stage

Node = tuple[str, str]


def answer(request: Mapping[str, Any]) -> dict[str, Any]:
    """What is recorded on the way of a fresh database, and on that of one from before the squashes of ``apps``.

    The second is there only where a squash stands beside all that it replaces, and goes no further than these: what
    comes later is as on the first. Of each way: ``hidden``, the squashes that were not there; ``steps``, (migration,
    the keys recorded with it) from first to last.
    """
    set_up()
    with stage("load"):
        from django.db.migrations.loader import MigrationLoader

        squashes = whole_squashes(MigrationLoader(None).disk_migrations)
        hidden = {key: replaced for key, replaced in squashes.items() if key[0] in request["apps"]}
        return {"ways": [_way({}), *([_way(hidden)] if hidden else ())]}


def _way(hidden: Mapping[Node, Collection[Node]]) -> dict[str, Any]:
    from django.db.migrations.executor import MigrationExecutor

    with in_memory() as connection:
        executor: Any = MigrationExecutor(connection)
        executor.loader = loader_without(hidden)(connection)
        executor.recorder.ensure_schema()
        steps: list[tuple[Node, list[Node]]] = []
        last = 0
        replaced = {key for keys in hidden.values() for key in keys}
        graph = executor.loader.graph
        for key in forwards(graph, sorted(replaced & graph.nodes.keys()) if hidden else graph.leaf_nodes()):
            executor.apply_migration(None, graph.nodes[key], fake=True)
            rows = list(executor.recorder.migration_qs.filter(id__gt=last).order_by("id"))
            steps.append((key, [(row.app, row.name) for row in rows]))
            last = rows[-1].id if rows else last
    return {"hidden": list(hidden), "steps": steps}
