"""Django's optimizer, without what it does to rows that are there, and without what it makes of one-off defaults.

``AddField(…, preserve_default=False)`` has a default for the rows that are there, and only for them. Merged into a
``CreateModel``, where there are no rows, Django leaves it in the state (its ticket 26223). Merged with a
``RenameField``, nothing says any more that it was for once. And merged with an ``AlterField``, rows get what that one
has for them, if anything (:mod:`uniting`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from migsync.worker.compose.known import Place, place
from migsync.worker.compose.uniting import Uniting


def optimized(operations: Sequence[Any], app: str, before: Iterable[Any] = ()) -> tuple[list[Any], list[Place]]:
    """What Django's optimizer makes of the operations of one app; no state and no row has another value by it.

    `before` are the app's operations before these, as far as they are known. Second, the fields with operations that
    stay apart, since one for all of them would give a row another value.
    """
    from django.db.migrations import AlterField
    from django.db.migrations.optimizer import MigrationOptimizer

    uniting = Uniting()
    given = uniting.stand_ins(operations, before)
    kept = [uniting.operation(operation) for operation in MigrationOptimizer().optimize(given, app)]
    own = {id(operation) for operation in operations}
    once = uniting.once()
    kept = [operation if id(operation) in own else _in_a_new_table(operation, once) for operation in kept]
    altered = dict.fromkeys(place(it) for it in kept if isinstance(it, AlterField))
    return kept, [it for it in altered if it in uniting.apart]


def _in_a_new_table(operation: Any, once: set[int]) -> Any:  # noqa: ANN401 -- Django has no types
    """A merged ``CreateModel``, where the fields of `once` have no default."""
    from django.db.migrations import CreateModel

    if isinstance(operation, CreateModel) and any(id(field) in once for _, field in operation.fields):
        fields = [(name, _plain(field) if id(field) in once else field) for name, field in operation.fields]
        return CreateModel(operation.name, fields, operation.options, operation.bases, operation.managers)
    return operation


def _plain(field: Any) -> Any:  # noqa: ANN401
    from django.db.models.fields import NOT_PROVIDED

    field = field.clone()
    field.default = NOT_PROVIDED
    return field
