"""Django's MigrationLoader in a worker: loaded once, in Django's order, and with some squashes not there yet."""

from __future__ import annotations

import functools
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from migsync.engines import SERVERLESS
from migsync.worker.setup import StageError, set_up, stage

ALIAS = "migsync_proof"

Node = tuple[str, str]
"""A key as Django has it."""


def load() -> None:
    """Get ready for files that are on disk already. A failure is told when it is asked for."""
    _loaded()


def loaded() -> Any:  # noqa: ANN401 -- Django has no types
    """Django's loader of all migrations; a second time, the same one or the same failure."""
    found = _loaded()
    if isinstance(found, StageError):
        raise found
    return found


@functools.cache
def _loaded() -> Any:  # noqa: ANN401
    try:
        set_up()
        from django.db.migrations.loader import MigrationLoader

        with stage("load"):
            return MigrationLoader(None)
    except StageError as broken:
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


@contextmanager
def in_memory() -> Iterator[Any]:
    """A connection to an empty database in memory, which Django has under an alias of its own."""
    from django.db import connections
    from django.db.utils import ConnectionHandler

    connection = ConnectionHandler({"default": {}, ALIAS: SERVERLESS.file_settings(":memory:")})[ALIAS]
    # MigrationRecorder's querysets, and transaction.atomic(), look the alias up there.
    connections[ALIAS] = connection
    try:
        yield connection
    finally:
        connection.close()
        del connections[ALIAS]


def loader_without(hidden: Collection[Node]) -> Any:  # noqa: ANN401 -- Django has no types
    """Django's ``MigrationLoader``, for which the squashes `hidden` are not on disk."""
    from django.db.migrations.loader import MigrationLoader

    class Loader(MigrationLoader):
        """Whoever depends on a hidden squash depends on all that it replaces."""

        def load_disk(self) -> None:
            super().load_disk()
            _hide(self.disk_migrations, hidden)

    return Loader


def whole_squashes(migrations: Mapping[Node, Any]) -> dict[Node, list[Node]]:
    """The squashes of which every replaced migration is on disk too, with those."""
    found = {key: [(app, name) for app, name in migration.replaces] for key, migration in migrations.items()}
    return {key: replaced for key, replaced in found.items() if replaced and migrations.keys() >= set(replaced)}


def _hide(migrations: dict[Node, Any], hidden: Collection[Node]) -> None:
    gone = {key: migrations.pop(key).replaces for key in hidden if key in migrations}

    # What stands for a hidden squash may itself name one, so this goes on until no key is hidden.
    def standing(keys: Iterable[Any]) -> Iterator[Any]:
        for key in keys:
            if tuple(key) in gone:
                yield from standing(gone[tuple(key)])
            else:
                yield key

    for migration in migrations.values():
        migration.replaces = [key for key in migration.replaces if tuple(key) not in gone]
        for attribute in ("dependencies", "run_before"):
            keys = getattr(migration, attribute)
            if any(tuple(key) in gone for key in keys):
                setattr(migration, attribute, list(dict.fromkeys(standing(keys))))
