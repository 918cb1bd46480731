"""Operations that cannot run where they stand: they add what is there, or change or remove what is not.

Django's state takes most of them without a word: a second ``AddField`` replaces the first one in it, and ``migrate``
then fails on every database. So the state is asked before each operation, while it goes through them anyway.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final, TypeAlias

from migsync.key import Key
from migsync.worker.clash import Clash, StateAction
from migsync.worker.compose.state import is_djangos
from migsync.worker.loader import Node

Part: TypeAlias = tuple[str, ...]
"""("model", app, model), ("table", table), or a field, an index or a constraint: ("field", app, model, name)."""

MODEL: Final = "model"
TABLE: Final = "table"
FIELD: Final = "field"
INDEX: Final = "index"
CONSTRAINT: Final = "constraint"
OPTIONS: Final = {INDEX: "indexes", CONSTRAINT: "constraints"}
"""Where a model's options have its parts of a kind."""


class StateWatch:
    """A project state on its way through the migrations of a graph, and the `clashes` that it met."""

    def __init__(self, state: Any, graph: Any) -> None:  # noqa: ANN401 -- Django has no types
        self.state = state
        self.clashes: list[Clash] = []
        self._graph = graph
        # The migration that added a part last, and the one that removed it last.
        self._added: dict[Part, Node] = {}
        self._removed: dict[Part, Node] = {}

    def run(self, key: Node) -> None:
        """Take the state through one migration, as its ``mutate_state`` does."""
        from django.db.migrations import Migration

        migration = self._graph.nodes[key]
        if type(migration).mutate_state is not Migration.mutate_state:
            # It may act on another app, say: what its operations are about is not known.
            migration.mutate_state(self.state, preserve=False)
            return
        for number, operation in enumerate(migration.operations, 1):
            self._run(key, number, operation, migration.app_label)

    def _run(self, key: Node, number: int, operation: Any, app: str) -> None:  # noqa: ANN401
        own = list(_actions(operation, app, self.state))
        for_state = getattr(operation, "state_operations", None) or ()
        actions = [*own, *(each for inner in for_state for each in _actions(inner, app, self.state))]
        clash = self._clash(key, number, operation, own)
        try:
            operation.state_forwards(app, self.state)
        except Exception:
            # Where there is a clash it says more: what is missing, and what took it away.
            if clash is None:
                raise
        self.clashes += [clash] if clash else []
        for action, part in actions:
            if action is StateAction.ADDS:
                self._added[part] = key
            elif action is StateAction.REMOVES:
                self._added.pop(part, None)
                self._removed[part] = key

    def _clash(
        self,
        key: Node,
        number: int,
        operation: Any,  # noqa: ANN401
        actions: Iterable[tuple[StateAction, Part]],
    ) -> Clash | None:
        # What a project's own operation needs is its own matter.
        if not (is_djangos(operation, "state") and is_djangos(operation, "database")):
            return None
        for action, part in actions:
            if part[0] == TABLE and action is StateAction.REMOVES:
                continue  # code or SQL may have made it
            there = self._has(part)
            if there == (action is StateAction.ADDS):
                keys = self._added if there else self._removed
                # A field comes and goes with its model, too.
                other = keys.get(part) or keys.get((MODEL, *part[1:3]))
                return Clash(Key(*key), number, action, part, Key(*other) if other else None, self._ordered(key, other))
        return None

    def _has(self, part: Part) -> bool:
        kind, *names = part
        if kind == TABLE:
            return part in self._added
        model = self.state.models.get(tuple(names[:2]))
        if model is None or kind == MODEL:
            return model is not None
        if kind == FIELD:
            return names[2] in model.fields
        return any(each.name == names[2] for each in model.options.get(OPTIONS[kind], ()))

    def _ordered(self, key: Node, other: Node | None) -> bool:
        """Whether `key` comes after `other` in the graph itself, and not only in the order that is made of it."""
        todo, seen = [key], {key}
        while todo and other not in seen:
            parents = [parent.key for parent in self._graph.node_map[todo.pop()].parents if parent.key not in seen]
            seen.update(parents)
            todo += parents
        return other is None or other in seen


def _actions(operation: Any, app: str, state: Any) -> Iterator[tuple[StateAction, Part]]:  # noqa: ANN401
    """What an operation does to which parts of the state; nothing where its model has no table of its own."""
    from django.db.migrations import CreateModel

    # The model that it is on; for a rename, under its old name.
    names = (getattr(operation, each, "") for each in ("model_name_lower", "old_name_lower", "name_lower"))
    model = next(filter(None, names), "")
    if not model:
        return
    options = state.models[app, model].options if (app, model) in state.models else {}
    if _has_table(options):
        yield from _of_model(operation, app, options)
        yield from ((action, (kind, app, model, name)) for action, kind, name in _of_part(operation))
        if not isinstance(operation, CreateModel):
            yield StateAction.CHANGES, (MODEL, app, model)


def _of_model(operation: Any, app: str, options: Any) -> Iterator[tuple[StateAction, Part]]:  # noqa: ANN401
    from django.db import migrations as djangos

    table = options.get("db_table")
    match operation:
        case djangos.CreateModel(name_lower=model):
            if _has_table(operation.options):
                yield StateAction.ADDS, (MODEL, app, model)
                yield StateAction.ADDS, (TABLE, operation.options.get("db_table") or f"{app}_{model}")
        case djangos.DeleteModel(name_lower=model):
            yield StateAction.REMOVES, (MODEL, app, model)
            yield StateAction.REMOVES, (TABLE, table or f"{app}_{model}")
        case djangos.RenameModel(old_name_lower=old, new_name_lower=new) if old != new:
            yield StateAction.REMOVES, (MODEL, app, old)
            yield StateAction.ADDS, (MODEL, app, new)
            if not table:
                yield StateAction.REMOVES, (TABLE, f"{app}_{old}")
                yield StateAction.ADDS, (TABLE, f"{app}_{new}")
        case djangos.AlterModelTable(name_lower=model, table=new):
            before, after = (it or f"{app}_{model}" for it in (table, new))
            if before != after:
                yield StateAction.REMOVES, (TABLE, before)
                yield StateAction.ADDS, (TABLE, after)


def _of_part(operation: Any) -> Iterator[tuple[StateAction, str, str]]:  # noqa: ANN401
    """The same for parts of a model: what is done, the kind of part, and its name."""
    from django.db import migrations as djangos

    match operation:
        case djangos.AddField():
            yield StateAction.ADDS, FIELD, operation.name
        case djangos.AlterField():
            yield StateAction.CHANGES, FIELD, operation.name
        case djangos.RemoveField():
            yield StateAction.REMOVES, FIELD, operation.name
        case djangos.RenameField(old_name=old, new_name=new) if old != new:
            yield StateAction.REMOVES, FIELD, old
            yield StateAction.ADDS, FIELD, new
        case djangos.AddIndex():
            yield StateAction.ADDS, INDEX, operation.index.name
        case djangos.RemoveIndex():
            yield StateAction.REMOVES, INDEX, operation.name
        case djangos.AddConstraint():
            yield StateAction.ADDS, CONSTRAINT, operation.constraint.name
        case djangos.RemoveConstraint():
            yield StateAction.REMOVES, CONSTRAINT, operation.name


def _has_table(options: Any) -> bool:  # noqa: ANN401
    return not (options.get("managed") is False or options.get("proxy"))
