"""What existing rows get from ``AddField`` and ``AlterField``, and when one of these can stand for two.

The rules are those of Django's schema editor (``django/db/backends/base/schema.py``):

- ``_iter_column_sql``, for ``AddField``, gives every row the ``db_default``, or else the ``_effective_default``: the
  default, ``""`` for a text that may be blank, or the time for ``auto_now``.
- ``_alter_field`` (its "four-way default alteration") and SQLite's ``_remake_table`` give the same to the rows that
  have NULL, where the column turns NOT NULL, and convert the values of the others when the column's type changes.

:func:`merged_add` and :func:`merged_alter` compare what a row has after both operations with what it would have after
one. They answer None wherever equality is not certain on every engine.
"""

from __future__ import annotations

from math import inf
from typing import Any

from migsync.engines import ENGINES

Merged = tuple[Any, bool]
"""The field of the one operation, and its ``preserve_default``."""

NUMBERS = {f"{kind}Field" for kind in ("Integer", "SmallInteger", "BigInteger")} | {
    f"Positive{kind}Field" for kind in ("Integer", "SmallInteger", "BigInteger")
}
TEXTS = {"CharField", "SlugField", "FileField", "FilePathField", "TextField"}
WITHOUT_DEFAULT = frozenset[str]().union(*(engine.fields_without_default for engine in ENGINES))
"""Where some engine does not give a default to a column that may be NULL: its ``skip_default_on_alter``."""

UNSTORED = {
    *("null", "default", "db_default", "auto_now", "auto_now_add", "max_length", "max_digits", "allow_unicode"),
    *("primary_key", "unique", "unique_for_date", "unique_for_month", "unique_for_year", "db_index", "db_constraint"),
    *("db_collation", "db_comment", "db_tablespace", "upload_to", "storage", "width_field", "height_field"),
}
"""Arguments of a field that change no value that is stored already, or make the alteration fail."""


def merged_add(first: Any, second: Any) -> Merged | None:  # noqa: ANN401 -- Django has no types
    """One ``AddField`` for an ``AddField`` and an ``AlterField``; None where a row would get another value from it."""
    old, new = first.field, second.field
    if old.many_to_many or old.generated:
        # A table of its own, or a column that the database computes: nothing is filled in.
        return new, second.preserve_default
    if old.null and _fill(old) == NOTHING:
        # All rows have NULL. The alteration fills them if it forbids NULL, as adding the new field would; if it allows
        # NULL they keep it, while adding the new field would fill them with its default.
        return (new, second.preserve_default) if not new.null or _fill(new) == NOTHING else None
    if new.null and (_fill(old) == NOTHING or _skips_default(old) != _skips_default(new)):
        # Without any default there is an error; on MySQL, 0 or an empty text.
        return None
    return _filled_alike(first, second)


def merged_alter(before: Any | None, first: Any, second: Any) -> Merged | None:  # noqa: ANN401
    """One ``AlterField`` for two; None where a row would get another value from it.

    `before` is the field as it was; None where that is not known.
    """
    old, new = first.field, second.field
    # DecimalField to IntegerField and back: 1.25 became 1 on the way, and with the second alteration alone it stays.
    # Values that are there: the step in between must leave them as they are, or lead to a column like the last.
    if not (before is not None and _keeps(before, old)) and not _same_column(old, new):
        return None
    # Rows with NULL: where the first operation fills none, the second alone does what both did.
    if old.null or _fill(old) == NOTHING or (before is not None and not before.null):
        return new, second.preserve_default
    return None if new.null else _filled_alike(first, second)


def _filled_alike(first: Any, second: Any) -> Merged | None:  # noqa: ANN401
    """The second of two operations, with the default of the first if need be; None unless both fill rows alike."""
    old, new = first.field, second.field
    if not _keeps(old, new) or _stored(old) != _stored(new):
        return None
    if _lends(old, new):
        # AddField(default=1), then AlterField without a default: the merged one has it, with preserve_default=False.
        lent = new.clone()
        lent.default = old.default
        return lent, False
    return (new, second.preserve_default) if _fill(old) == _fill(new) else None


def _lends(old: Any, new: Any) -> bool:  # noqa: ANN401
    """Whether only the old field has a default, which the new one can have as a one-off."""
    has_one = old.has_default() and not old.has_db_default() and old.default is not None
    return bool(has_one and not new.has_default() and not new.has_db_default())


NOTHING = ("default", type(None), "None")
"""What :func:`_fill` answers for a field that leaves rows at NULL: the default None."""


def _fill(field: Any) -> tuple[Any, ...]:  # noqa: ANN401
    """What a row without a value gets, to be compared. As ``_effective_default``, but no default is called."""
    if field.has_db_default():
        return "database", *_value(field.db_default)
    if field.has_default():
        return "default", *_value(field.default)
    if not field.null and field.blank and field.empty_strings_allowed:
        return "default", *_value("")
    if getattr(field, "auto_now", False) or getattr(field, "auto_now_add", False):
        return ("now",)
    return NOTHING


def _value(value: Any) -> tuple[Any, ...]:  # noqa: ANN401
    """A value, to be compared by type and text: 1, 1.0 and True are equal in Python, but not in a column."""
    if callable(value) or hasattr(value, "resolve_expression"):
        return (value,)
    return type(value), repr(value)


def _skips_default(field: Any) -> bool:  # noqa: ANN401
    """Whether one engine adds the column without its default (``skip_default``), and so leaves NULL."""
    return bool(field.null and not field.has_db_default() and field.get_internal_type() in WITHOUT_DEFAULT)


def _keeps(old: Any, new: Any) -> bool:  # noqa: ANN401
    """Whether the column keeps every value as it is when it is altered from the one to the other, or else fails.

    PostgreSQL cuts a text when it converts it to another type, as Django has it do (``sql_alter_column_type``).
    """
    # Within one type, what is too long is an error.
    if old.get_internal_type() != new.get_internal_type() and _width(new) < _width(old):
        return False
    return bool(_column(old) == _column(new))


def _same_column(one: Any, other: Any) -> bool:  # noqa: ANN401
    """Whether any value becomes the same, when a column of any type is altered to either of these."""
    kinds = {one.get_internal_type(), other.get_internal_type()}
    return (len(kinds) == 1 or kinds <= NUMBERS) and _width(one) == _width(other) and _keeps(one, other)


def _column(field: Any) -> Any:  # noqa: ANN401
    """The type of a column, to be compared: what Django looks it up by in ``data_types``, unless the field says it."""
    from django.db.models import Field

    its = type(field)
    # A field with a db_type() of its own: only the same class with the same arguments is known to store the same.
    if its.db_type is not Field.db_type or its.db_parameters.__module__ != Field.__module__:
        return _stored(field)
    return _family(field), getattr(field, "decimal_places", None)


def _family(field: Any) -> str:  # noqa: ANN401
    """One word for the types that convert into each other without loss, or fail."""
    kind: str = field.get_internal_type()
    return "number" if kind in NUMBERS else "text" if kind in TEXTS else kind


def _width(field: Any) -> float:  # noqa: ANN401
    width: int | None = getattr(field, "max_length", None)
    return inf if width is None or field.get_internal_type() == "TextField" else width


def _stored(field: Any) -> Any:  # noqa: ANN401
    """How a field stores a value, to be compared: its class, and what it was made with."""
    from django.db.migrations.autodetector import MigrationAutodetector
    from django.db.migrations.state import ProjectState

    nothing = ProjectState()
    path, given, named = MigrationAutodetector(nothing, nothing).deep_deconstruct(field)
    if path.startswith("django.db.models.") and field.get_internal_type() in NUMBERS | TEXTS:
        path = _family(field)
    left_out = {*field.non_db_attrs, *UNSTORED}
    return path, given, {name: value for name, value in named.items() if name not in left_out}
