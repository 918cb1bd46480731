"""Django's optimizer, without what it makes of one-off defaults.

``AddField(…, preserve_default=False)`` has a default for the rows that are there, and only for them. Merged into a
``CreateModel``, where there are no rows, Django leaves it in the state (its ticket 26223). Merged with an
``AlterField`` that has no default, there is none any more for the rows of a database that is behind; merged with a
``RenameField``, nothing says any more that it was for once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

Place = tuple[str, str]
"""(model, field), in lower case."""


def optimized(operations: Sequence[Any], app: str) -> list[Any]:
    """What Django's optimizer makes of the operations of one app; no state and no row has another default by it."""
    from django.db.migrations import AddField, AlterField
    from django.db.migrations.optimizer import MigrationOptimizer

    lent = _lent(operations)
    given = [lent[place][0] if place in lent else operation for place, operation in enumerate(operations)]
    kept = MigrationOptimizer().optimize(given, app)
    there = {id(operation) for operation in kept}
    # An operation that did not take in the one with the default stays as it was.
    own = {id(stand_in): operations[place] for place, (stand_in, lender) in lent.items() if id(lender) in there}
    kept = [own.get(id(operation), operation) for operation in kept]
    made = {id(operation) for operation in given}
    once = {id(it.field) for it in given if isinstance(it, AddField | AlterField) and not it.preserve_default}
    return [operation if id(operation) in made else _restored(operation, once) for operation in kept]


def _restored(operation: Any, once: set[int]) -> Any:  # noqa: ANN401 -- Django has no types
    """A merged operation, where fields of `once` have their defaults for once, or not at all."""
    from django.db.migrations import AddField, AlterField, CreateModel

    if isinstance(operation, CreateModel) and any(id(field) in once for _, field in operation.fields):
        fields = [(name, _plain(field) if id(field) in once else field) for name, field in operation.fields]
        return CreateModel(operation.name, fields, operation.options, operation.bases, operation.managers)
    if isinstance(operation, AddField | AlterField) and operation.preserve_default == (id(operation.field) in once):
        # Django 6.1 keeps the word of the first operation, whose field that no longer is.
        kept = not operation.preserve_default
        return type(operation)(operation.model_name, operation.name, operation.field, preserve_default=kept)
    return operation


def _lent(operations: Sequence[Any]) -> dict[int, tuple[Any, Any]]:
    """By place, an ``AlterField`` without a default as one that has that of a field before it, and whose that is."""
    from django.db.migrations import AlterField

    return {
        place: (
            AlterField(it.model_name, it.name, _with_default(it.field, lender.field), preserve_default=False),
            lender,
        )
        for place, it, lender in _followers(operations)
    }


def _followers(operations: Sequence[Any]) -> Iterator[tuple[int, Any, Any]]:
    """Each ``AlterField`` without a default, by place, and the last operation that gave the field one."""
    from django.db.migrations import AddField, AlterField, RenameField, RenameModel

    lenders: dict[Place, Any] = {}
    for number, operation in enumerate(operations):
        if isinstance(operation, AddField | AlterField):
            place = operation.model_name.lower(), operation.name.lower()
            if operation.field.has_default():
                lenders[place] = operation
            elif isinstance(operation, AddField):
                lenders.pop(place, None)
            elif place in lenders and _alike(lenders[place].field, operation.field):
                yield number, operation, lenders[place]
        elif isinstance(operation, RenameField):
            model = operation.model_name.lower()
            lender = lenders.pop((model, operation.old_name.lower()), None)
            if lender is not None:
                lenders[model, operation.new_name.lower()] = lender
        elif isinstance(operation, RenameModel):
            old, new = operation.old_name.lower(), operation.new_name.lower()
            lenders = {(new if model == old else model, field): it for (model, field), it in lenders.items()}


def _alike(one: Any, other: Any) -> bool:  # noqa: ANN401
    """Whether a default of one field is a value of the other as well."""
    return bool(one.get_internal_type() == other.get_internal_type())


def _with_default(field: Any, lender: Any) -> Any:  # noqa: ANN401
    field = field.clone()
    field.default = lender.default
    return field


def _plain(field: Any) -> Any:  # noqa: ANN401
    from django.db.models.fields import NOT_PROVIDED

    field = field.clone()
    field.default = NOT_PROVIDED
    return field
