"""Django's optimizer, guarded: no row that exists and no field's state has another value after it.

``MigrationOptimizer`` asks each operation to ``reduce`` the next one, and looks only at the state they lead to. Two
things that matter get lost:

- Rows. ``AddField`` and ``AlterField`` fill existing rows with a default. Of two of them merged into one, rows get what
  the last one has for them, if anything. A merge is allowed only where :mod:`.backfill` finds one operation that gives
  every row the same as both did, or where the table has no rows (:class:`.state.PartialState` knows that).
- One-off defaults. ``AddField(…, preserve_default=False)`` has a default for the rows that exist, and only for them.
  Merged into a ``CreateModel``, where there are no rows, Django leaves it in the state (its ticket 26223). Merged with
  a ``RenameField``, nothing says any more that it was a one-off.

So every operation on a field goes into the optimizer as a *guarded* copy with a ``reduce`` of its own
(:class:`Guards`), and comes out as the operation itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from copy import copy
from time import process_time
from typing import Any, NamedTuple

from migsync.worker.compose.backfill import merged_add, merged_alter
from migsync.worker.compose.state import FieldKey, PartialState, field_key, is_djangos

SECONDS = 10.0
"""Of CPU, for all operations together. The work grows with the third power of their number: 800 take a few seconds."""
PART = 100
PART_SECONDS = 2.0


class Optimized(NamedTuple):
    """What the optimizer makes of `operations`, and the fields whose operations stay apart.

    A field stays apart when it keeps more than one operation, since one for all of them would give a row another value.
    With `in_parts`, the operations were too many to be merged all at once, and more could be merged with more time.
    """

    operations: list[Any]
    apart: list[FieldKey]
    in_parts: bool = False


def optimized(operations: Sequence[Any], app: str, before: Iterable[Any] = ()) -> Optimized:
    """What Django's optimizer makes of the operations of one app.

    `before` are the app's operations before these, as far as they are known. Where time runs out, parts of the
    operations are merged by themselves, and then what they have become is merged again, if that is possible in time.
    """
    before = list(before)
    with suppress(_OutOfTimeError):
        return _merged(operations, app, before, SECONDS)
    kept: list[Any] = []
    apart: list[FieldKey] = []
    for start in range(0, len(operations), PART):
        part = operations[start : start + PART]
        with suppress(_OutOfTimeError):
            merged = _merged(part, app, [*before, *operations[:start]], PART_SECONDS)
            part, apart = merged.operations, [*apart, *merged.apart]
        kept += part
    with suppress(_OutOfTimeError):
        again = _merged(kept, app, before, SECONDS)
        kept, apart = again.operations, [*apart, *again.apart]
    return Optimized(kept, list(dict.fromkeys(apart)), in_parts=True)


class _OutOfTimeError(Exception):
    """The optimizer took longer than it may."""


def _merged(operations: Sequence[Any], app: str, before: Iterable[Any], seconds: float) -> Optimized:
    """As :func:`optimized`; raises _OutOfTimeError after so many seconds of CPU."""
    from django.db.migrations import AlterField
    from django.db.migrations.optimizer import MigrationOptimizer

    guards = Guards(process_time() + seconds)
    guarded = guards.guarded(operations, before)
    # As MigrationOptimizer.optimize(), which has no limit: each pass merges two operations, or none is left to merge.
    passes, done = MigrationOptimizer(), False
    while not done:
        guards.check_time()
        merged = passes.optimize_inner(guarded, app)
        done, guarded = merged == guarded, merged
    kept = [guards.unguarded(operation) for operation in guarded]
    own = {id(operation) for operation in operations}
    one_off = guards.one_off_defaults()
    # What is not one of the operations given was merged, and may be a CreateModel that took a field in.
    kept = [it if id(it) in own else _without_one_off_defaults(it, one_off) for it in kept]
    altered = dict.fromkeys(field_key(it) for it in kept if isinstance(it, AlterField))
    return Optimized(kept, [it for it in altered if it in guards.apart])


class Guards:
    """Copies of operations that let Django's optimizer merge them only where every row keeps its value.

    `apart` collects the fields on which a merge was refused. After the `deadline`, no merge is looked for any more.
    """

    def __init__(self, deadline: float) -> None:
        self._deadline = deadline
        self.apart: set[FieldKey] = set()
        # By the id of the copy. It holds the copies too, so that no other object can get one of these ids.
        self._originals: dict[int, tuple[Any, Any]] = {}
        # By id: the optimizer asks again for every pair after every operation that it takes away.
        self._refused: set[tuple[int, int]] = set()

    def check_time(self) -> None:
        """Raise _OutOfTimeError after the deadline, which is one of this process's CPU time."""
        if process_time() > self._deadline:
            raise _OutOfTimeError

    def guarded(self, operations: Sequence[Any], before: Iterable[Any]) -> list[Any]:
        """The operations, with guarded copies in place of those that fill rows."""
        from django.db.migrations import AddField, AlterField, AlterOrderWithRespectTo

        state = PartialState()
        for operation in before:
            state.apply(operation)
        # Whatever is empty while the migrations before run can have rows when these do.
        state.new.clear()
        found = []
        for operation in operations:
            # The optimizer sees only pairs of operations, so each copy keeps what is known of its field and its table.
            if isinstance(operation, AddField | AlterField):
                new = operation.model_name_lower in state.new
                found.append(self._guard(operation, state.fields.get(field_key(operation)), new))
            elif isinstance(operation, AlterOrderWithRespectTo):
                found.append(self._guard(operation, None, operation.name_lower in state.new))
            else:
                found.append(operation)
            state.apply(operation)
        return found

    def unguarded(self, operation: Any) -> Any:  # noqa: ANN401 -- Django has no types
        """The operation of which this is a guarded copy; any other operation is returned as it is."""
        return self._originals[id(operation)][1] if id(operation) in self._originals else operation

    def one_off_defaults(self) -> set[int]:
        """The ids of the fields whose default is only for the rows that exist."""
        operations = (operation for _, operation in self._originals.values())
        return {id(it.field) for it in operations if not getattr(it, "preserve_default", True)}

    def _guard(self, operation: Any, before: Any | None, new: bool) -> Any:  # noqa: ANN401
        """A guarded copy. `before` is the field before the operation, None if unknown; `new`: its table has no rows."""
        guarded = copy(operation)
        guarded.reduce = lambda other, app: self._reduce(guarded, before, new, other, app)
        self._originals[id(guarded)] = guarded, operation
        return guarded

    def _reduce(self, first: Any, before: Any | None, new: bool, second: Any, app: str) -> Any:  # noqa: ANN401
        """As ``Operation.reduce``: a list is what both become, True lets the optimizer look beyond, False does not."""
        self.check_time()
        found = (id(first), id(second)) not in self._refused and type(first).reduce(first, second, app)
        if not isinstance(found, list):
            return found
        from django.db.migrations import AddField, AlterField, AlterOrderWithRespectTo, RenameField

        if isinstance(first, AlterOrderWithRespectTo):
            # The first removes the column, and the second would give every row 0: one for both would keep the order.
            again = isinstance(second, AlterOrderWithRespectTo) and second.order_with_respect_to
            return False if again and not first.order_with_respect_to and not new else found
        # An AddField of a project's own may fill rows in its database_forwards(). Merged, it would be Django's
        # AddField.
        if isinstance(second, AlterField | RenameField) and not (new or _are_djangos(first, second)):
            return False
        if isinstance(second, AlterField) and first.is_same_field_operation(second):
            return self._merge(first, before, new, second)
        # A rename: Django makes the first operation anew, under the new name and without its guard.
        return [self._renamed(it, first, before, new) if type(it) in (AddField, AlterField) else it for it in found]

    def _merge(self, first: Any, before: Any | None, new: bool, second: Any) -> Any:  # noqa: ANN401
        """An ``AddField`` or ``AlterField`` and the ``AlterField`` after it as one guarded operation, or False."""
        from django.db.migrations import AddField, AlterField

        adds = isinstance(first, AddField)
        merged = merged_add(first, second) if adds else merged_alter(before, first, second)
        if merged is None and new:
            # No row is there to get another value.
            merged = second.field, second.preserve_default
        if merged is None:
            self.apart.add(field_key(second))
            self._refused.add((id(first), id(second)))
            return False
        field, preserve = merged
        if not adds and field is second.field:
            # The second alone does it: the very operation, so that its comments in the source stay with it.
            return [self._guard(self.unguarded(second), before, new)]
        made = (AddField if adds else AlterField)(second.model_name, second.name, field, preserve_default=preserve)
        return [self._guard(made, before, new)]

    def _renamed(self, operation: Any, first: Any, before: Any | None, new: bool) -> Any:  # noqa: ANN401
        """What Django made of `first` under another name, guarded, and with its default one-off if it was."""
        if id(operation) in self._originals:
            return operation
        made = type(operation)(
            operation.model_name, operation.name, operation.field, preserve_default=first.preserve_default
        )
        return self._guard(made, before, new)


def _are_djangos(*operations: Any) -> bool:  # noqa: ANN401
    """Whether Django's own code fills the rows; what a subclass of a project's own does is unknown."""
    return all(is_djangos(operation, "database") for operation in operations)


def _without_one_off_defaults(operation: Any, one_off: set[int]) -> Any:  # noqa: ANN401
    """A merged ``CreateModel`` in which the fields with these ids have no default: a new table has no rows."""
    from django.db.migrations import CreateModel

    if isinstance(operation, CreateModel) and any(id(field) in one_off for _, field in operation.fields):
        fields = [
            (name, _without_default(field) if id(field) in one_off else field) for name, field in operation.fields
        ]
        return CreateModel(operation.name, fields, operation.options, operation.bases, operation.managers)
    return operation


def _without_default(field: Any) -> Any:  # noqa: ANN401
    from django.db.models.fields import NOT_PROVIDED

    field = field.clone()
    field.default = NOT_PROVIDED
    return field
