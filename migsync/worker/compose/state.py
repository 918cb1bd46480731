"""What the operations of one app say about its fields and tables, followed operation by operation.

Django's ``ProjectState`` needs every app loaded, and every operation to be known. A squash looks only at the app's own
operations, and must stay safe where a project's operation does something unknown: so this state may have gaps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass, replace
from typing import Any

FieldKey = tuple[str, str]
"""(model, field), both in lower case."""


class PartialState:
    """The `fields` after the operations applied so far, and the models in `new`, whose tables have no rows yet.

    A field that is not in `fields` may be anything, and a model that is not in `new` may have rows.
    """

    def __init__(self) -> None:
        self.fields: dict[FieldKey, Any] = {}
        self.new: set[str] = set()

    def apply(self, operation: Any) -> None:  # noqa: ANN401 -- Django has no types
        """Follow one more operation."""
        from django.db.migrations import CreateModel, RunPython, RunSQL, SeparateDatabaseAndState

        # Code and SQL can insert rows into any table, and so can an operation of the project's own.
        if isinstance(operation, RunPython | RunSQL | SeparateDatabaseAndState) or not is_djangos(
            operation, "database"
        ):
            self.new.clear()
        # An operation with a state_forwards() of its own can have changed any field.
        if not is_djangos(operation, "state"):
            self.fields.clear()
        for inner in getattr(operation, "state_operations", None) or ():
            self.apply(inner)
            # A model that only the state creates has a table already, perhaps with rows.
            self.new.clear()
        if isinstance(operation, CreateModel):
            # A model of this name may have been there before; what is known of its fields is wrong now.
            self._forget(operation.name_lower)
            self.fields |= {(operation.name_lower, name.lower()): field for name, field in operation.fields}
            self.new.add(operation.name_lower)
        else:
            self._change(operation)

    def _change(self, operation: Any) -> None:  # noqa: ANN401
        from django.db.migrations import AddField, AlterField, DeleteModel, RenameModel

        match operation:
            case AddField() | AlterField():
                self.fields[field_key(operation)] = operation.field
            case RenameModel():
                old, new = operation.old_name_lower, operation.new_name_lower
                self.new = {new if model == old else model for model in self.new}
            case DeleteModel():
                self.new.discard(operation.name_lower)
        move_fields(self.fields, operation)

    def _forget(self, model: str) -> None:
        self.fields = {key: field for key, field in self.fields.items() if key[0] != model}
        self.new.discard(model)


@dataclass(frozen=True)
class NewField:
    """A field that operation `number` creates, as `field` and under the name `first`; by now it is called `name`.

    `with_table`: a ``CreateModel`` creates it, together with its table.
    """

    number: int
    first: str
    name: str
    field: Any
    with_table: bool

    def created_with(self, change: Callable[[Any], Any], operation: Any) -> Any:  # noqa: ANN401
        """A copy of the ``CreateModel`` or ``AddField`` that creates the field, with ``change(field)`` in its place."""
        from django.db.migrations import AddField

        changed = copy(operation)
        if isinstance(operation, AddField):
            changed.field = change(operation.field)
        else:
            changed.fields = [(it, change(field) if it == self.first else field) for it, field in operation.fields]
        return changed


def with_new_fields(operations: Sequence[Any]) -> Iterator[tuple[Any, dict[FieldKey, NewField]]]:
    """Each operation with the fields that the operations before it created, by their keys at that moment.

    It is one dict for all: a field that the caller takes out of it does not come again.
    """
    from django.db.migrations import AddField, CreateModel, RenameField

    created: dict[FieldKey, NewField] = {}
    for number, operation in enumerate(operations):
        yield operation, created
        match operation:
            case CreateModel():
                for name, field in operation.fields:
                    created[operation.name_lower, name.lower()] = NewField(number, name, name, field, with_table=True)
            case AddField():
                name = operation.name
                created[field_key(operation)] = NewField(number, name, name, operation.field, with_table=False)
            case RenameField() if field_key(operation) in created:
                created[field_key(operation)] = replace(created[field_key(operation)], name=operation.new_name)
        move_fields(created, operation)


def move_fields(fields: dict[FieldKey, Any], operation: Any) -> None:  # noqa: ANN401
    """Give the fields that an operation renames their new keys, and drop those that it removes."""
    from django.db.migrations import DeleteModel, RemoveField, RenameField, RenameModel

    match operation:
        case RemoveField():
            fields.pop(field_key(operation), None)
        case RenameField() if field_key(operation) in fields:
            fields[operation.model_name_lower, operation.new_name_lower] = fields.pop(field_key(operation))
        case RenameModel():
            old, new = operation.old_name_lower, operation.new_name_lower
            for model, name in [key for key in fields if key[0] == old]:
                fields[new, name] = fields.pop((model, name))
        case DeleteModel():
            for key in [key for key in fields if key[0] == operation.name_lower]:
                del fields[key]


def field_key(operation: Any) -> FieldKey:  # noqa: ANN401
    """The field that an operation is on; for a rename, under its old name."""
    return operation.model_name_lower, operation.name_lower


def is_djangos(operation: Any, what: str) -> bool:  # noqa: ANN401
    """Whether Django's own code does what an operation does to the ``"state"`` or to the ``"database"``."""
    module: str = getattr(type(operation), f"{what}_forwards").__module__
    return module.startswith("django.")
