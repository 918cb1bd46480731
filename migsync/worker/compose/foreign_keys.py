"""Foreign keys of new tables, which Django makes at the end of a migration, and what must not change before.

Where the type of a key changes, Django takes away the foreign keys on it and makes them again. One that is still to
come is not there to be taken away, and is made twice. Where a foreign key itself comes to refer to another model, the
one still to come refers to the first. In files of their own that worked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from migsync.worker.compose.known import Known, Place, place
from migsync.worker.compose.new_fields import New, with_new_fields

NO_MATTER = {"auto_created", "serialize"}
"""What makes no other column, besides what Django itself lists of a field."""


@dataclass(frozen=True)
class Late:
    """Operation `number` alters a key, or foreign keys, of which the constraints of these new fields are to come.

    `again` has those constraints made behind it, one for each; it is empty where the operation itself does.
    """

    number: int
    fields: tuple[New, ...]
    again: tuple[Any, ...] = ()


def with_foreign_keys_in_time(operations: Sequence[Any], app: str, before: Iterable[Any] = ()) -> list[Any]:
    """The operations, where none alters a key before the foreign keys on it are made, nor one before it is made.

    The alteration comes first, where Django's optimizer sees no reason against it. Else the field is made without a
    constraint, and has it from the alteration on. `before` are the app's operations before these, as far as known.
    """
    known = Known()
    for operation in before:
        known.take(operation)
    kept = [*operations]
    while moved := _moved(kept, app, known.fields):
        kept = moved
    made, behind = [*kept], {}
    for late in _late(kept, app, known.fields):
        behind[late.number] = late.again
        for new in late.fields:
            made[new.number] = new.made_with(_unconstrained, made[new.number])
    return [it for number, operation in enumerate(made) for it in (operation, *behind.get(number, ()))]


def _moved(operations: Sequence[Any], app: str, before: Mapping[Place, Any]) -> list[Any] | None:
    """The operations where one that alters a key comes before what refers to it, if there is one that can."""
    for late in _late(operations, app, before):
        alter, first = operations[late.number], min(new.number for new in late.fields)
        between = operations[first : late.number]
        if late.again and all(it.reduce(alter, app) is True for it in between):
            return [*operations[:first], alter, *between, *operations[late.number + 1 :]]
    return None


def _late(operations: Sequence[Any], app: str, before: Mapping[Place, Any]) -> Iterator[Late]:
    from django.db.migrations import AlterField, RenameModel

    known = Known()
    known.fields |= before
    for number, (operation, made) in enumerate(with_new_fields(operations)):
        if isinstance(operation, AlterField):
            at = place(operation)
            new = made.get(at)
            if new and _put_off(new) and _to(new.field, at, app) != _to(operation.field, at, app):
                yield Late(number, (made.pop(at),))
            elif _other_key(known.fields.get(at), operation.field) and (on := _on_keys(at[0], made, known, app)):
                again = tuple(AlterField(it[0], made[it].name, known.fields[it]) for it in on)
                yield Late(number, tuple(made.pop(it) for it in on), again)
        elif isinstance(operation, RenameModel):
            # What refers to it is not known by its new name.
            for it in [it for it, new in made.items() if _to(new.field, it, app) == (app, operation.old_name_lower)]:
                made.pop(it)
        known.take(operation)


def _on_keys(model: str, made: Mapping[Place, New], known: Known, app: str) -> list[Place]:
    """The new fields whose constraints, still to come, are on keys of this model, or of one whose key is its key."""
    keys = {(app, model)}
    primary = {at: field for at, field in known.fields.items() if field.primary_key}
    while more := {(app, at[0]) for at, field in primary.items() if _to(field, at, app) in keys} - keys:
        keys |= more
    return [
        at
        for at, new in made.items()
        if _put_off(new)
        and at in known.fields
        and (_to(known.fields[at], at, app) in keys or (new.field.many_to_many and (app, at[0]) in keys))
    ]


def _put_off(new: New) -> bool:
    """Whether there is a constraint for the field, in a table that is made with it: Django makes that one last."""
    if new.field.many_to_many and new.field.remote_field.through:
        return False
    return _constrained(new.field) and (new.with_table or new.field.many_to_many)


def _constrained(field: Any) -> bool:  # noqa: ANN401 -- Django has no types
    return bool(field.remote_field) and (field.remote_field if field.many_to_many else field).db_constraint


def _to(field: Any, at: Place, app: str) -> tuple[str, str] | None:  # noqa: ANN401
    """The model that the field at this place has a constraint to, if any: (app, name in lower case)."""
    from django.db.migrations.utils import resolve_relation

    return resolve_relation(field.remote_field.model, app, at[0]) if _constrained(field) else None


def _other_key(old: Any | None, new: Any) -> bool:  # noqa: ANN401
    """Whether what refers to the field has to change with it; so if `old` is not known."""
    if not (new.primary_key or new.unique):
        return False
    return old is None or ((old.primary_key or old.unique) and _column(old) != _column(new))


def _column(field: Any) -> tuple[Any, ...]:  # noqa: ANN401
    _, path, args, kwargs = field.deconstruct()
    return path, args, {name: it for name, it in kwargs.items() if name not in {*field.non_db_attrs, *NO_MATTER}}


def _unconstrained(field: Any) -> Any:  # noqa: ANN401
    field = field.clone()
    if field.many_to_many:
        field.remote_field.db_constraint = False
    else:
        field.db_constraint = False
    return field
