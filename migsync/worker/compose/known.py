"""What is known of the fields and tables of an app, while its operations are gone through in their order."""

from __future__ import annotations

from typing import Any

Place = tuple[str, str]
"""(model, field), in lower case."""


class Known:
    """The `fields` as the operations taken until now leave them, and the models whose tables are `new`: without rows.

    A field that is not among the `fields` may be anything.
    """

    def __init__(self) -> None:
        self.fields: dict[Place, Any] = {}
        self.new: set[str] = set()

    def take(self, operation: Any) -> None:  # noqa: ANN401 -- Django has no types
        """Go on by one operation."""
        from django.db.migrations import CreateModel, RunPython, RunSQL, SeparateDatabaseAndState

        if isinstance(operation, RunPython | RunSQL | SeparateDatabaseAndState) or not djangos(operation, "database"):
            self.new.clear()
        if not djangos(operation, "state"):
            self.fields.clear()
        for inner in getattr(operation, "state_operations", None) or ():
            self.take(inner)
            self.new.clear()
        if isinstance(operation, CreateModel):
            self._forget(operation.name_lower)
            self.fields |= {(operation.name_lower, name.lower()): field for name, field in operation.fields}
            self.new.add(operation.name_lower)
        else:
            self._change(operation)

    def _change(self, operation: Any) -> None:  # noqa: ANN401
        from django.db.migrations import AddField, AlterField, DeleteModel, RenameModel

        match operation:
            case AddField() | AlterField():
                self.fields[place(operation)] = operation.field
            case RenameModel():
                old, new = operation.old_name_lower, operation.new_name_lower
                self.new = {new if model == old else model for model in self.new}
            case DeleteModel():
                self.new.discard(operation.name_lower)
        carry(self.fields, operation)

    def _forget(self, model: str) -> None:
        self.fields = {place: field for place, field in self.fields.items() if place[0] != model}
        self.new.discard(model)


def carry(fields: dict[Place, Any], operation: Any) -> None:  # noqa: ANN401
    """Put what is known of fields where an operation takes them to, and leave out what it takes away."""
    from django.db.migrations import DeleteModel, RemoveField, RenameField, RenameModel

    match operation:
        case RemoveField():
            fields.pop(place(operation), None)
        case RenameField() if place(operation) in fields:
            fields[operation.model_name_lower, operation.new_name_lower] = fields.pop(place(operation))
        case RenameModel():
            old, new = operation.old_name_lower, operation.new_name_lower
            for model, name in [at for at in fields if at[0] == old]:
                fields[new, name] = fields.pop((model, name))
        case DeleteModel():
            for at in [at for at in fields if at[0] == operation.name_lower]:
                del fields[at]


def place(operation: Any) -> Place:  # noqa: ANN401
    """Where an operation on a field is; of a rename, where it was."""
    return operation.model_name_lower, operation.name_lower


def djangos(operation: Any, what: str) -> bool:  # noqa: ANN401
    """Whether what an operation does, to the state or the database, is Django's own."""
    module: str = getattr(type(operation), f"{what}_forwards").__module__
    return module.startswith("django.")
