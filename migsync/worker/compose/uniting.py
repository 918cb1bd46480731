"""Django's operations on fields as its optimizer may have them: two become one where every row keeps its value."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from copy import copy
from typing import Any

from migsync.worker.compose.filling import added, altered
from migsync.worker.compose.known import Known, Place, djangos, place


class Uniting:
    """Stand-ins for operations, which ask whether a row keeps its value before they take another one in.

    What they come to is in :meth:`operation`, and where they did not in `apart`.
    """

    def __init__(self) -> None:
        self.apart: set[Place] = set()
        self._stood_for: dict[int, tuple[Any, Any]] = {}
        # By id: the optimizer asks again for every pair after every operation that it takes away.
        self._refused: set[tuple[int, int]] = set()

    def stand_ins(self, operations: Sequence[Any], before: Iterable[Any]) -> list[Any]:
        """Stand-ins for those operations that need one; `before` are the app's operations before them."""
        from django.db.migrations import AddField, AlterField, AlterOrderWithRespectTo

        known = Known()
        for operation in before:
            known.take(operation)
        known.new.clear()
        given = []
        for operation in operations:
            if isinstance(operation, AddField | AlterField):
                new = operation.model_name_lower in known.new
                given.append(self._stand_in(operation, known.fields.get(place(operation)), new))
            elif isinstance(operation, AlterOrderWithRespectTo):
                given.append(self._stand_in(operation, None, operation.name_lower in known.new))
            else:
                given.append(operation)
            known.take(operation)
        return given

    def operation(self, stand_in: Any) -> Any:  # noqa: ANN401 -- Django has no types
        """What a stand-in is for; any other operation is itself."""
        return self._stood_for[id(stand_in)][1] if id(stand_in) in self._stood_for else stand_in

    def once(self) -> set[int]:
        """By id, the fields whose default is for once."""
        made = (operation for _, operation in self._stood_for.values())
        return {id(it.field) for it in made if not getattr(it, "preserve_default", True)}

    def _stand_in(self, operation: Any, before: Any | None, new: bool) -> Any:  # noqa: ANN401
        """`before` is the field before the operation, where that is known; `new`, that its table has no rows."""
        made = copy(operation)
        made.reduce = lambda other, app: self._reduced(made, before, new, other, app)
        self._stood_for[id(made)] = made, operation
        return made

    def _reduced(self, first: Any, before: Any | None, new: bool, second: Any, app: str) -> Any:  # noqa: ANN401
        found = (id(first), id(second)) not in self._refused and type(first).reduce(first, second, app)
        if not isinstance(found, list):
            return found
        from django.db.migrations import AddField, AlterField, AlterOrderWithRespectTo, RenameField

        if isinstance(first, AlterOrderWithRespectTo):
            # The one takes the column away, and the other gives every row 0.
            again = isinstance(second, AlterOrderWithRespectTo) and second.order_with_respect_to
            return False if again and not first.order_with_respect_to and not new else found
        if isinstance(second, AlterField | RenameField) and not (new or _plain(first, second)):
            return False
        if isinstance(second, AlterField) and first.is_same_field_operation(second):
            return self._united(first, before, new, second)
        return [self._renamed(it, first, before, new) if type(it) in (AddField, AlterField) else it for it in found]

    def _united(self, first: Any, before: Any | None, new: bool, second: Any) -> Any:  # noqa: ANN401
        """Both as one, or False."""
        from django.db.migrations import AddField, AlterField

        adds = isinstance(first, AddField)
        united = added(first, second) if adds else altered(before, first, second)
        if united is None and new:
            united = second.field, second.preserve_default
        if united is None:
            self.apart.add(place(second))
            self._refused.add((id(first), id(second)))
            return False
        field, preserve = united
        if not adds and field is second.field:
            return [self._stand_in(self.operation(second), before, new)]
        made = (AddField if adds else AlterField)(second.model_name, second.name, field, preserve_default=preserve)
        return [self._stand_in(made, before, new)]

    def _renamed(self, operation: Any, first: Any, before: Any | None, new: bool) -> Any:  # noqa: ANN401
        """What Django makes of the first operation under another name; its default is for once as before."""
        if id(operation) in self._stood_for:
            return operation
        made = type(operation)(
            operation.model_name, operation.name, operation.field, preserve_default=first.preserve_default
        )
        return self._stand_in(made, before, new)


def _plain(*operations: Any) -> bool:  # noqa: ANN401
    """Whether Django's own code gives the rows their values; of any other, nothing is known."""
    return all(djangos(operation, "database") for operation in operations)
