"""What Django defers to the end of a migration, where a squash has an operation that needs it before.

Between two migration files Django's schema editor runs the SQL that it deferred. A squash has no such point: what one
old file created is not in the database yet when the operations of the next one come to it. Four things are deferred:

- ``unique_together``, ``index_together``, the ``indexes`` and some ``constraints`` of a ``CreateModel``. Removed by a
  later operation, they are not found ("Found wrong number (0) of constraints"), nor when they are renamed.
- The index of a new field (``db_index``). Removed by a later operation, it is in the database in the end all the same.
- The foreign keys of a new table. Where a later operation changes the type of a key, Django drops the foreign keys on
  it and makes them again: one that is still to come is not there to be dropped, and is made twice. Where a later
  operation has the foreign key refer to another model, the one still to come refers to the first.

The remedy is the same in all cases: the operation that creates something does so without the part that a later one
takes away, or another operation makes that part at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from migsync.worker.compose.state import FieldKey, NewField, PartialState, field_key, with_new_fields

NO_COLUMN = {"auto_created", "serialize"}
"""Arguments of a field that change nothing of its column, besides those that Django itself lists."""


def with_indexes_in_time(operations: Sequence[Any]) -> list[Any]:
    """The operations, where no new model or field has an index or constraint that a later one of them takes away.

    What has no name is left out where it is created. Indexes and constraints that have names are made by operations of
    their own, ``AddIndex`` and ``AddConstraint``, where a later one names them: those are not deferred.
    """
    from django.db.migrations.operations.models import IndexOperation

    kept = [*operations]
    for new in _passing_indexes(operations):
        kept[new.number] = new.created_with(_without_index, kept[new.number])
    behind: dict[int, list[Any]] = {}
    for number, operation in _on_new_models(operations):
        if isinstance(operation, IndexOperation):
            kept[number], apart = _with_apart(kept[number], operation)
            # What is cut off later stood further up in the model's list, and so goes before what was cut off first.
            behind[number] = [*apart, *behind.get(number, ())]
        else:
            kept[number] = _without_together(kept[number], operation)
    return _followed(kept, behind)


def with_foreign_keys_in_time(operations: Sequence[Any], app: str, before: Iterable[Any] = ()) -> list[Any]:
    """The operations, where none alters a key before the foreign keys on it are made, nor one before it is made.

    The alteration comes first, where Django's optimizer sees no reason against it. Else the field is created without a
    constraint, and has it from the alteration on. `before` are the app's operations before these, as far as known.
    """
    state = PartialState()
    for operation in before:
        state.apply(operation)
    kept = [*operations]
    # Every move can make another one possible, and takes one alteration out of the way for good.
    while moved := _moved(kept, app, state.fields):
        kept = moved
    made, behind = [*kept], {}
    for early in _early_alterations(kept, app, state.fields):
        behind[early.number] = early.again
        for new in early.fields:
            made[new.number] = new.created_with(_unconstrained, made[new.number])
    return _followed(made, behind)


def _followed(operations: Iterable[Any], behind: Mapping[int, Sequence[Any]]) -> list[Any]:
    """The operations, with those of `behind` right after the one that has their number."""
    return [it for number, operation in enumerate(operations) for it in (operation, *behind.get(number, ()))]


# Indexes and constraints


def _passing_indexes(operations: Sequence[Any]) -> Iterator[NewField]:
    """Each new field whose index a later operation changes."""
    from django.db.migrations import AlterField

    for operation, created in with_new_fields(operations):
        if isinstance(operation, AlterField) and (new := created.get(field_key(operation))):
            index = _index(new.field)
            if index and index != _index(operation.field):
                yield created.pop(field_key(operation))


def _index(field: Any) -> str:  # noqa: ANN401 -- Django has no types
    """The type of the index that ``db_index`` gives to a field; empty when there is none."""
    # A unique field has the index of its constraint, and db_index adds none. The type counts since PostgreSQL makes a
    # second one for texts (varchar_pattern_ops), which Django drops when the column is no text any more.
    return field.get_internal_type() if field.db_index and not field.unique else ""


def _without_index(field: Any) -> Any:  # noqa: ANN401
    field = field.clone()
    field.db_index = False
    return field


def _on_new_models(operations: Sequence[Any]) -> Iterator[tuple[int, Any]]:
    """Each operation on an index or ``…_together`` of a model created here, with that ``CreateModel``'s number."""
    from django.db.migrations import AlterIndexTogether, AlterUniqueTogether, CreateModel, RenameModel
    from django.db.migrations.operations.models import IndexOperation

    created: dict[str, int] = {}
    for number, operation in enumerate(operations):
        if isinstance(operation, CreateModel):
            created[operation.name_lower] = number
        elif isinstance(operation, RenameModel) and operation.old_name_lower in created:
            created[operation.new_name_lower] = created.pop(operation.old_name_lower)
        elif isinstance(operation, AlterUniqueTogether | AlterIndexTogether) and operation.name_lower in created:
            yield created[operation.name_lower], operation
        elif isinstance(operation, IndexOperation) and operation.model_name_lower in created:
            yield created[operation.model_name_lower], operation


def _with_apart(model: Any, operation: Any) -> tuple[Any, list[Any]]:  # noqa: ANN401
    """A ``CreateModel`` without the index or constraint that `operation` names, and operations that make it.

    Those that come after it in the model's list go with it, so that the order of creation stays.
    """
    from django.db.migrations import AddConstraint, AddIndex, AlterIndexTogether

    option = operation.option_name
    there = [*model.options.get(option, ())]
    name = getattr(operation, "old_name", None) or getattr(operation, "name", None)
    # RenameIndex may say which index it is by its fields.
    fields = tuple(getattr(operation, "old_fields", None) or ())
    named = (number for number, it in enumerate(there) if it.name == name or (fields and tuple(it.fields) == fields))
    first = next(named, None)
    together = {*_tuples(model.options.get("index_together"))}
    if first is None and fields in together:
        kept = _with_option(model, "index_together", together - {fields})
        return kept, [AlterIndexTogether(model.name, together)]
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


def _tuples(value: Any) -> list[tuple[str, ...]]:  # noqa: ANN401
    """``unique_together`` in any of its forms, as Django itself reads it."""
    from django.db.models.options import normalize_together

    return [*normalize_together(value)]


# Foreign keys


@dataclass(frozen=True)
class EarlyAlteration:
    """Operation `number` alters a key, or a foreign key, while the constraints of the new `fields` are still deferred.

    `again` are ``AlterField`` operations that make those constraints behind it, one for each field. It is empty where
    the operation alters the foreign key itself: then it makes the constraint.
    """

    number: int
    fields: tuple[NewField, ...]
    again: tuple[Any, ...] = ()


def _moved(operations: Sequence[Any], app: str, before: Mapping[FieldKey, Any]) -> list[Any] | None:
    """The operations with one alteration of a key before all that refers to the key; None if there is none to move."""
    for early in _early_alterations(operations, app, before):
        alter, first = operations[early.number], min(new.number for new in early.fields)
        between = operations[first : early.number]
        # True: the optimizer itself could take the one past the other.
        if early.again and all(it.reduce(alter, app) is True for it in between):
            return [*operations[:first], alter, *between, *operations[early.number + 1 :]]
    return None


def _early_alterations(
    operations: Sequence[Any], app: str, before: Mapping[FieldKey, Any]
) -> Iterator[EarlyAlteration]:
    from django.db.migrations import AlterField, RenameModel

    state = PartialState()
    state.fields |= before
    for number, (operation, created) in enumerate(with_new_fields(operations)):
        if isinstance(operation, AlterField):
            key = field_key(operation)
            new = created.get(key)
            if new and _is_deferred(new) and _target(new.field, key, app) != _target(operation.field, key, app):
                # Popped: from here on the field has its constraint, and no later operation comes too early for it.
                yield EarlyAlteration(number, (created.pop(key),))
            elif _is_other_key(state.fields.get(key), operation.field) and (
                on := _deferred_on(key[0], created, state, app)
            ):
                again = tuple(AlterField(it[0], created[it].name, state.fields[it]) for it in on)
                yield EarlyAlteration(number, tuple(created.pop(it) for it in on), again)
        elif isinstance(operation, RenameModel):
            # The fields that refer to the model still have its old name: what they refer to is no longer known here.
            old = app, operation.old_name_lower
            for it in [it for it, new in created.items() if _target(new.field, it, app) == old]:
                created.pop(it)
        state.apply(operation)


def _deferred_on(model: str, created: Mapping[FieldKey, NewField], state: PartialState, app: str) -> list[FieldKey]:
    """The new fields whose deferred constraints are on keys of this model, or of one whose key is its key."""
    models = {(app, model)}
    primary = {key: field for key, field in state.fields.items() if field.primary_key}
    # A primary key that is itself a foreign key (a child in multi-table inheritance) changes its type with the model's.
    while more := {(app, key[0]) for key, field in primary.items() if _target(field, key, app) in models} - models:
        models |= more
    return [
        key
        for key, new in created.items()
        if _is_deferred(new)
        and key in state.fields
        # The table of a many-to-many field refers to the models on both of its sides.
        and (_target(state.fields[key], key, app) in models or (new.field.many_to_many and (app, key[0]) in models))
    ]


def _is_deferred(new: NewField) -> bool:
    """Whether Django defers a constraint for the field: it does for those of a table that is created with it."""
    # The model in between has a CreateModel of its own, with its foreign keys as fields.
    if new.field.many_to_many and new.field.remote_field.through:
        return False
    # AddField makes a foreign key together with the column. Of a many-to-many field it creates a table.
    return _is_constrained(new.field) and (new.with_table or new.field.many_to_many)


def _is_constrained(field: Any) -> bool:  # noqa: ANN401
    return bool(field.remote_field) and (field.remote_field if field.many_to_many else field).db_constraint


def _target(field: Any, key: FieldKey, app: str) -> tuple[str, str] | None:  # noqa: ANN401
    """The model that a field has a constraint to, as (app, name in lower case); None for no constraint."""
    from django.db.migrations.utils import resolve_relation

    return resolve_relation(field.remote_field.model, app, key[0]) if _is_constrained(field) else None


def _is_other_key(old: Any | None, new: Any) -> bool:  # noqa: ANN401
    """Whether what refers to the field has to change with it; True where `old` is not known."""
    if not (new.primary_key or new.unique):
        return False
    return old is None or ((old.primary_key or old.unique) and _column(old) != _column(new))


def _column(field: Any) -> tuple[Any, ...]:  # noqa: ANN401
    _, path, args, kwargs = field.deconstruct()
    return path, args, {name: it for name, it in kwargs.items() if name not in {*field.non_db_attrs, *NO_COLUMN}}


def _unconstrained(field: Any) -> Any:  # noqa: ANN401
    field = field.clone()
    if field.many_to_many:
        field.remote_field.db_constraint = False
    else:
        field.db_constraint = False
    return field
