"""What Django puts off to the end of a migration, and what must not need it before.

``CreateModel`` makes ``unique_together`` and ``index_together`` last of all. Taken away by a later operation of the
same file, they are not there yet: "Found wrong number (0) of constraints". In files of their own that worked.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any


def without_passing(operations: Sequence[Any]) -> list[Any]:
    """The operations, where no new model has what a later one of them takes away from it."""
    kept = [*operations]
    for place, model, option, values in _changes(operations):
        options = kept[place].options
        staying = {*_tuples(options.get(option))} & {*_tuples(values)}
        if len(staying) < len({*_tuples(options.get(option))}):
            rest = {name: value for name, value in options.items() if name != option}
            options = {**rest, option: staying} if staying else rest
            kept[place] = type(model)(model.name, model.fields, options, model.bases, model.managers)
    return kept


def _changes(operations: Sequence[Any]) -> Iterator[tuple[int, Any, str, Any]]:
    """Each model that is made here, by place, with an option and its value in a later operation."""
    from django.db.migrations import AlterIndexTogether, AlterUniqueTogether, CreateModel, RenameModel

    made: dict[str, int] = {}
    for place, operation in enumerate(operations):
        if isinstance(operation, CreateModel):
            made[operation.name_lower] = place
        elif isinstance(operation, RenameModel) and operation.old_name_lower in made:
            made[operation.new_name_lower] = made.pop(operation.old_name_lower)
        elif isinstance(operation, AlterUniqueTogether | AlterIndexTogether) and operation.name_lower in made:
            number = made[operation.name_lower]
            yield number, operations[number], operation.option_name, operation.option_value


def _tuples(value: Any) -> list[tuple[str, ...]]:  # noqa: ANN401
    """``unique_together`` in any of its forms, as Django itself reads it."""
    from django.db.models.options import normalize_together

    return [*normalize_together(value)]
