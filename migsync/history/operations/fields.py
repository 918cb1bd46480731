"""A model field as a database sees it: a type of column and what constrains it.

The list says what a database sees, not what it does not: an argument of one of Django's fields that is not listed here
changes no table. A class of field that is not Django's is known by its own name and by all its arguments that are not
those of every field.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from migsync.history.operations.values import Call, Name, Value

MODELS = "django.db.models."
EVERY = ("db_column", "db_comment", "db_default", "db_index", "db_tablespace", "null", "primary_key", "unique")
"""What a database sees of any field."""
UNSEEN = frozenset(
    [
        *("auto_created", "auto_now", "auto_now_add", "blank", "choices", "default", "editable", "error_messages"),
        *("help_text", "limit_choices_to", "name", "on_delete", "related_name", "related_query_name", "serialize"),
        *("unique_for_date", "unique_for_month", "unique_for_year", "validators", "verbose_name"),
    ]
)
"""What a database does not see of any field, also of one that is not Django's."""
VIRTUAL = frozenset(
    ["django.contrib.contenttypes.fields.GenericForeignKey", "django.contrib.contenttypes.fields.GenericRelation"]
)
"""Fields without a column."""
MOVED = re.compile(r"django\.contrib\.\w+\.fields\.(JSONField)")
"""Classes of field that are in ``django.db.models`` today, and make the same column there."""


class _Class(NamedTuple):
    """What a database sees of one of Django's fields: as which class, and which arguments.

    `absent` are the values of arguments that are left out, `always` of those that the class sets itself. `positional`
    are the names of its arguments by place.
    """

    seen_as: str
    arguments: tuple[str, ...] = ()
    absent: Mapping[str, Value] = {}
    always: Mapping[str, Value] = {}
    positional: tuple[str, ...] = ("verbose_name", "name")


_LENGTH = ("max_length", "db_collation")
_TO = ("to", "on_delete")
CLASSES = {
    "BinaryField": _Class("BinaryField", ("max_length",)),
    "CharField": _Class("CharField", _LENGTH),
    "CommaSeparatedIntegerField": _Class("CharField", _LENGTH),
    "CompositePrimaryKey": _Class("CompositePrimaryKey", positional=("fields",)),
    "DateField": _Class("DateField"),
    "DecimalField": _Class(
        "DecimalField",
        ("max_digits", "decimal_places"),
        positional=("verbose_name", "name", "max_digits", "decimal_places"),
    ),
    "EmailField": _Class("CharField", _LENGTH, {"max_length": 254}),
    "FileField": _Class("CharField", _LENGTH, {"max_length": 100}),
    "FilePathField": _Class("CharField", _LENGTH, {"max_length": 100}),
    "ForeignKey": _Class("ForeignKey", ("to", "to_field", "db_constraint"), positional=_TO),
    "GeneratedField": _Class("GeneratedField", ("expression", "output_field", "db_persist")),
    "ImageField": _Class("CharField", _LENGTH, {"max_length": 100}),
    "ManyToManyField": _Class("ManyToManyField", ("to", "through", "db_table", "db_constraint"), positional=("to",)),
    "NullBooleanField": _Class("BooleanField", always={"null": True}),
    "OneToOneField": _Class("ForeignKey", ("to", "to_field", "db_constraint"), always={"unique": True}, positional=_TO),
    "SlugField": _Class("CharField", _LENGTH, {"max_length": 50, "db_index": True}),
    "TextField": _Class("TextField", ("db_collation",)),
    "URLField": _Class("CharField", _LENGTH, {"max_length": 200}),
}
"""By name in ``django.db.models``; a field that is not here is seen under its own name, with EVERY argument."""
for _plain in (
    *("AutoField", "BigAutoField", "BigIntegerField", "BooleanField", "DateTimeField", "DurationField", "FloatField"),
    *("GenericIPAddressField", "IPAddressField", "IntegerField", "JSONField", "PositiveBigIntegerField"),
    *("PositiveIntegerField", "PositiveSmallIntegerField", "SmallAutoField", "SmallIntegerField", "TimeField"),
    "UUIDField",
):
    CLASSES[_plain] = _Class(_plain)

_ABSENT: Mapping[str, Value] = {
    **dict.fromkeys(("db_column", "db_comment", "db_tablespace")),
    **dict.fromkeys(("db_index", "null", "primary_key", "unique"), False),
    "db_constraint": True,
}
"""What it means when an argument is left out, so that writing it out makes no difference."""


class SeenField(NamedTuple):
    """A field as a database sees it (None: no column), and the value that it gives to rows that exist."""

    effect: Value
    default: Value


def seen_field(field: Value, app: str, model: str) -> SeenField:
    """What a database sees of a field of `model` in `app`, both in lower case."""
    if not isinstance(field, Call):
        return SeenField(field, None)
    if field.function in VIRTUAL:
        return SeenField(None, None)
    field = Call(MOVED.sub(rf"{MODELS}\1", field.function), field.arguments, field.named)
    default = field.keywords.get("default")
    known = CLASSES.get(field.function.removeprefix(MODELS)) if field.function.startswith(MODELS) else None
    if known is None:
        kept = {name: _part(name, value, app, model) for name, value in field.keywords.items() if name not in UNSEEN}
        return SeenField(Call.of(field.function, field.arguments, _said(kept)), default)
    given = {**known.absent, **dict(zip(known.positional, field.arguments, strict=False)), **field.keywords}
    given |= known.always
    kept = {name: _part(name, given[name], app, model) for name in (*EVERY, *known.arguments) if name in given}
    if known.seen_as == "ForeignKey":
        kept = _key(kept)
    if kept.get("unique") is True or kept.get("primary_key") is True:
        # The index of the constraint serves; Django makes no second one.
        kept.pop("db_index", None)
    return SeenField(Call.of(MODELS + known.seen_as, field.arguments[len(known.positional) :], _said(kept)), default)


def _key(kept: dict[str, Value]) -> dict[str, Value]:
    """A foreign key has an index unless it says otherwise."""
    index = kept.pop("db_index", True)
    return kept if index is True else {**kept, "has_index": index}


def _said(arguments: Mapping[str, Value]) -> dict[str, Value]:
    """The arguments without those that say what is so anyway."""
    return {name: value for name, value in arguments.items() if name not in _ABSENT or value is not _ABSENT[name]}


def _part(name: str, value: Value, app: str, model: str) -> Value:
    if name in ("to", "through"):
        return model_reference(value, app, model)
    if name in ("base_field", "output_field"):
        return seen_field(value, app, model).effect
    return value


def model_reference(value: Value, app: str, model: str) -> Value:
    """A model that a field refers to: ``.item`` in its own app, so that the label of an app may change."""
    if isinstance(value, Name) and value.dotted.startswith("django.conf.settings."):
        return value
    if not isinstance(value, str):
        return value
    text = value.lower()
    if text == "self":
        return f".{model}"
    label, dot, name = text.partition(".")
    if not dot:
        return f".{text}"
    return f".{name}" if label == app.lower() else text
