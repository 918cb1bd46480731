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
        from django.db.migrations import AddField, AlterField, DeleteModel, RemoveField, RenameField, RenameModel

        match operation:
            case AddField() | AlterField():
                self.fields[place(operation)] = operation.field
            case RemoveField():
                self.fields.pop(place(operation), None)
            case RenameField():
                field = self.fields.pop(place(operation), None)
                if field is not None:
                    self.fields[operation.model_name_lower, operation.new_name_lower] = field
            case RenameModel():
                old, new = operation.old_name_lower, operation.new_name_lower
                self.fields = {(new if it == old else it, name): field for (it, name), field in self.fields.items()}
                self.new = {new if model == old else model for model in self.new}
            case DeleteModel():
                self._forget(operation.name_lower)

    def _forget(self, model: str) -> None:
        self.fields = {place: field for place, field in self.fields.items() if place[0] != model}
        self.new.discard(model)


def place(operation: Any) -> Place:  # noqa: ANN401
    """Where an operation on a field is; of a rename, where it was."""
    return operation.model_name_lower, operation.name_lower


def djangos(operation: Any, what: str) -> bool:  # noqa: ANN401
    """Whether what an operation does, to the state or the database, is Django's own."""
    module: str = getattr(type(operation), f"{what}_forwards").__module__
    return module.startswith("django.")
