"""What Django puts off to the end of a migration, and what must not need it before.

``CreateModel`` makes ``unique_together`` and ``index_together`` last of all. Taken away by a later operation of the
same file, they are not there yet: "Found wrong number (0) of constraints". In files of their own that worked.
An index of a new field is made last of all too: taken away before, it is there in the end. The same is true of a
model's ``indexes`` and of some of its ``constraints``: taken away or given another name before, they are not found.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from migsync.worker.compose.known import place
from migsync.worker.compose.new_fields import New, with_new_fields


def without_passing(operations: Sequence[Any]) -> list[Any]:
    """The operations, where no new model or field has what a later one of them takes away from it.

    Indexes and constraints that have names are made by operations of their own, where a later one names them.
    """
    from django.db.migrations.operations.models import IndexOperation

    kept = [*operations]
    for new in _passing_indexes(operations):
        kept[new.number] = new.made_with(_without_index, kept[new.number])
    behind: dict[int, list[Any]] = {}
    for number, operation in _on_new_models(operations):
        if isinstance(operation, IndexOperation):
            kept[number], apart = _with_apart(kept[number], operation)
            behind[number] = [*apart, *behind.get(number, ())]
        else:
            kept[number] = _without_together(kept[number], operation)
    return [it for number, operation in enumerate(kept) for it in (operation, *behind.get(number, ()))]


def _on_new_models(operations: Sequence[Any]) -> Iterator[tuple[int, Any]]:
    """Each operation on an option of a model that is made here, with the number of what makes it."""
    from django.db.migrations import AlterIndexTogether, AlterUniqueTogether, CreateModel, RenameModel
    from django.db.migrations.operations.models import IndexOperation

    made: dict[str, int] = {}
    for number, operation in enumerate(operations):
        if isinstance(operation, CreateModel):
            made[operation.name_lower] = number
        elif isinstance(operation, RenameModel) and operation.old_name_lower in made:
            made[operation.new_name_lower] = made.pop(operation.old_name_lower)
        elif isinstance(operation, AlterUniqueTogether | AlterIndexTogether) and operation.name_lower in made:
            yield made[operation.name_lower], operation
        elif isinstance(operation, IndexOperation) and operation.model_name_lower in made:
            yield made[operation.model_name_lower], operation


def _with_apart(model: Any, operation: Any) -> tuple[Any, list[Any]]:  # noqa: ANN401 -- Django has no types
    """A ``CreateModel`` without the index or constraint that is named, and operations that make it, in that order.

    Those that come after it in the model's list go with it, so that the order stays.
    """
    from django.db.migrations import AddConstraint, AddIndex

    option = operation.option_name
    there = [*model.options.get(option, ())]
    name = getattr(operation, "old_name", None) or getattr(operation, "name", None)
    first = next((number for number, it in enumerate(there) if it.name == name), None)
    if first is None:
        return model, []
    add = AddIndex if option == "indexes" else AddConstraint
    return _with_option(model, option, there[:first]), [add(model.name, it) for it in there[first:]]


def _without_together(model: Any, operation: Any) -> Any:  # noqa: ANN401
    """A ``CreateModel`` without what the operation takes out of ``unique_together`` or ``index_together``."""
    there = {*_tuples(model.options.get(operation.option_name))}
    staying = there & {*_tuples(operation.option_value)}
    return model if staying == there else _with_option(model, operation.option_name, staying)


def _with_option(model: Any, option: str, value: Any) -> Any:  # noqa: ANN401
    options = {name: it for name, it in model.options.items() if name != option}
    if value:
        options[option] = value
    return type(model)(model.name, model.fields, options, model.bases, model.managers)


def _passing_indexes(operations: Sequence[Any]) -> Iterator[New]:
    """Each new field whose index a later operation changes."""
    from django.db.migrations import AlterField

    for operation, made in with_new_fields(operations):
        if isinstance(operation, AlterField) and (new := made.get(place(operation))):
            index = _index(new.field)
            if index and index != _index(operation.field):
                yield made.pop(place(operation))


def _index(field: Any) -> str:  # noqa: ANN401
    """The type of the index that ``db_index`` gives to a field; empty when there is none."""
    return field.get_internal_type() if field.db_index and not field.unique else ""


def _without_index(field: Any) -> Any:  # noqa: ANN401
    field = field.clone()
    field.db_index = False
    return field


def _tuples(value: Any) -> list[tuple[str, ...]]:  # noqa: ANN401
    """``unique_together`` in any of its forms, as Django itself reads it."""
    from django.db.models.options import normalize_together

    return [*normalize_together(value)]
