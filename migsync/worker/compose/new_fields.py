"""The fields that the operations of one file make, wherever later ones take them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass, replace
from typing import Any

from migsync.worker.compose.known import Place, carry, place


@dataclass(frozen=True)
class New:
    """A field that is made by operation `number`, as `field` and under the name `first`; its name now is `name`."""

    number: int
    first: str
    name: str
    field: Any
    with_table: bool

    def made_with(self, change: Callable[[Any], Any], operation: Any) -> Any:  # noqa: ANN401 -- Django has no types
        """The operation, a ``CreateModel`` or an ``AddField``, where the field is what `change` makes of it."""
        from django.db.migrations import AddField

        changed = copy(operation)
        if isinstance(operation, AddField):
            changed.field = change(operation.field)
        else:
            changed.fields = [(it, change(field) if it == self.first else field) for it, field in operation.fields]
        return changed


def with_new_fields(operations: Sequence[Any]) -> Iterator[tuple[Any, dict[Place, New]]]:
    """Each operation, with the fields that are made before it, by where they are then.

    One that is taken out of them does not come again.
    """
    from django.db.migrations import AddField, CreateModel, RenameField

    made: dict[Place, New] = {}
    for number, operation in enumerate(operations):
        yield operation, made
        match operation:
            case CreateModel():
                for name, field in operation.fields:
                    made[operation.name_lower, name.lower()] = New(number, name, name, field, with_table=True)
            case AddField():
                name = operation.name
                made[place(operation)] = New(number, name, name, operation.field, with_table=False)
            case RenameField() if place(operation) in made:
                made[place(operation)] = replace(made[place(operation)], name=operation.new_name)
        carry(made, operation)
