"""What Django puts off to the end of a migration, and what must not need it before.

``CreateModel`` makes ``unique_together`` and ``index_together`` last of all. Taken away by a later operation of the
same file, they are not there yet: "Found wrong number (0) of constraints". In files of their own that worked.
An index of a new field is made last of all too: taken away before, it is there in the end.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from migsync.companion.composing.known import place
from migsync.companion.composing.new_fields import New, with_new_fields


def without_passing(operations: Sequence[Any]) -> list[Any]:
    """The operations, where no new model or field has what a later one of them takes away from it."""
    kept = [*operations]
    for new in _passing_indexes(operations):
        kept[new.number] = new.made_with(_without_index, kept[new.number])
    for number, option, values in _changes(operations):
        model, options = kept[number], kept[number].options
        staying = {*_tuples(options.get(option))} & {*_tuples(values)}
        if len(staying) < len({*_tuples(options.get(option))}):
            rest = {name: value for name, value in options.items() if name != option}
            options = {**rest, option: staying} if staying else rest
            kept[number] = type(model)(model.name, model.fields, options, model.bases, model.managers)
    return kept


def _changes(operations: Sequence[Any]) -> Iterator[tuple[int, str, Any]]:
    """Each model that is made here, by number, with an option and its value in a later operation."""
    from django.db.migrations import AlterIndexTogether, AlterUniqueTogether, CreateModel, RenameModel

    made: dict[str, int] = {}
    for number, operation in enumerate(operations):
        if isinstance(operation, CreateModel):
            made[operation.name_lower] = number
        elif isinstance(operation, RenameModel) and operation.old_name_lower in made:
            made[operation.new_name_lower] = made.pop(operation.old_name_lower)
        elif isinstance(operation, AlterUniqueTogether | AlterIndexTogether) and operation.name_lower in made:
            yield made[operation.name_lower], operation.option_name, operation.option_value


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
