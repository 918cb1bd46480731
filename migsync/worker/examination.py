"""What Django makes of the migration files that this process imports: the worker's half of a proof."""

from __future__ import annotations

import functools
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from migsync.worker.changes import model_changes
from migsync.worker.rendering import Renderer
from migsync.worker.worker import Broken, describe, set_up, stage

MEMORY = {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}
ALIAS = "migsync_proof"

Node = tuple[str, str]


def answer(request: Mapping[str, Any]) -> dict[str, Any]:
    """Load everything, and report: the ends of each app, the state, changes to the models, and plans per target.

    `request` has ``names``, how migrations are called in the report (``app.name`` to ``app.name``), and ``targets``,
    the records of each: ``[app, name]``. With ``labels``, the code is one step ahead of the files, and what it would
    change need not be known.
    """
    loader = loaded()
    leaves, changes = loader.graph.leaf_nodes(), list[tuple[str, str, str]]()
    renderer = Renderer(_modules(loader.disk_migrations, request["names"]))
    with stage("state"):
        order = forwards(loader.graph, leaves)
        state = _state(loader, order)
        models = renderer.state(state)
    with stage("changes"), suppress(*(Exception,) if request.get("labels") else ()):
        changes = _changes(loader, state, renderer)
    return {
        "migrations": len(loader.disk_migrations),
        "leaves": _by_app(leaves),
        "models": models,
        "changes": changes,
        "targets": [_target(keys) for keys in request["targets"]],
    }


def load() -> None:
    """Get ready for files that are on disk already. A failure is told when it is asked for."""
    _loaded()


def loaded() -> Any:  # noqa: ANN401 -- Django has no types
    """Django's loader of all migrations; a second time, the same one or the same failure."""
    found = _loaded()
    if isinstance(found, Broken):
        raise found
    return found


@functools.cache
def _loaded() -> Any:  # noqa: ANN401
    try:
        set_up()
        from django.db.migrations.loader import MigrationLoader

        with stage("load"):
            return MigrationLoader(None)
    except Broken as broken:
        return broken


def forwards(graph: Any, leaves: Iterable[Node]) -> list[Node]:  # noqa: ANN401 -- Django has no types
    """All migrations up to the leaves, in Django's order.

    It is ``MigrationGraph.forwards_plan`` leaf by leaf, without a second visit of what was visited: the same list in
    linear time.
    """
    order: dict[Node, None] = {}
    for leaf in leaves:
        todo = [(graph.node_map[leaf], False)]
        while todo:
            node, parents_done = todo.pop()
            if node.key in order:
                continue
            if parents_done:
                order[node.key] = None
            else:
                todo.append((node, True))
                todo.extend((parent, False) for parent in sorted(node.parents))
    return list(order)


def _state(loader: Any, order: Iterable[Node]) -> Any:  # noqa: ANN401
    """``loader.project_state()``, whose own search for duplicates is quadratic."""
    from django.db.migrations.state import ProjectState

    state = ProjectState(real_apps=loader.unmigrated_apps)
    for key in order:
        loader.graph.nodes[key].mutate_state(state, preserve=False)
    return state


def _modules(migrations: Mapping[Node, Any], names: Mapping[str, str]) -> dict[str, str]:
    """The module of every migration, and what stands for it in a rendered state."""
    found = {}
    for (app, name), migration in migrations.items():
        key = f"{app}.{name}"
        found[type(migration).__module__] = f"<{names.get(key, key)}>"
    return found


def _changes(loader: Any, state: Any, renderer: Renderer) -> list[tuple[str, str, str]]:  # noqa: ANN401
    """What ``makemigrations --check --dry-run`` finds: (app, in words, in full)."""
    return [
        (app, operation.describe(), renderer.operation(operation))
        for app, migrations in sorted(model_changes(loader, state).items())
        for migration in migrations
        for operation in migration.operations
    ]


def _by_app(leaves: Iterable[Node]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for app, name in leaves:
        found.setdefault(app, []).append(name)
    return found


def _target(keys: Sequence[Sequence[str]]) -> dict[str, Any]:
    """What ``migrate --plan`` would say to a database with these records."""
    try:
        return _plan(keys)
    except Exception as error:
        said = describe("plan", error)
        return {"error": said["error"], "about": said["about"]}


@contextmanager
def in_memory() -> Iterator[Any]:
    """A connection to an empty database in memory, which Django has under an alias of its own."""
    from django.db import connections
    from django.db.utils import ConnectionHandler

    connection = ConnectionHandler({"default": {}, ALIAS: MEMORY})[ALIAS]
    connections[ALIAS] = connection
    try:
        yield connection
    finally:
        connection.close()
        del connections[ALIAS]


def _plan(keys: Sequence[Sequence[str]]) -> dict[str, Any]:
    from django.db.migrations.loader import MigrationLoader
    from django.db.migrations.recorder import MigrationRecorder

    # Django's own recorder over a database in memory: rows go in, and what Django reads is what it would read.
    with in_memory() as connection:
        recorder = MigrationRecorder(connection)
        recorder.ensure_schema()
        recorder.migration_qs.bulk_create([recorder.Migration(app=app, name=name) for app, name in keys])
        loader = MigrationLoader(connection)
        loader.check_consistent_history(connection)
        conflicts = {app: sorted(names) for app, names in sorted(loader.detect_conflicts().items())}
        pending = [
            key for key in forwards(loader.graph, loader.graph.leaf_nodes()) if key not in loader.applied_migrations
        ]
        return {"conflicts": conflicts, "pending": pending, "edges": _edges(loader.graph, pending)}


def _edges(graph: Any, pending: Collection[Node]) -> list[tuple[Node, Node]]:  # noqa: ANN401
    """(migration, its dependency), both pending."""
    within = set(pending)
    return [
        (key, parent.key) for key in pending for parent in sorted(graph.node_map[key].parents) if parent.key in within
    ]
