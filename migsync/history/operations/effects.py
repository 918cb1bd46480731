"""What a database sees of each of Django's operations."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from migsync.history.operations.fields import MODELS, model_reference, seen_field
from migsync.history.operations.values import Call, Mapped, Name, Value

MIGRATIONS = "django.db.migrations."
CONTRIB = "django.contrib."
SEPARATE = f"{MIGRATIONS}SeparateDatabaseAndState"
RUN_SQL = f"{MIGRATIONS}RunSQL"

SIGNATURES: Mapping[str, tuple[str, ...]] = {
    "CreateModel": ("name", "fields", "options", "bases", "managers"),
    "DeleteModel": ("name",),
    "RenameModel": ("old_name", "new_name"),
    "AlterModelTable": ("name", "table"),
    "AlterModelTableComment": ("name", "table_comment"),
    "AlterUniqueTogether": ("name", "unique_together"),
    "AlterIndexTogether": ("name", "index_together"),
    "AlterOrderWithRespectTo": ("name", "order_with_respect_to"),
    "AlterModelOptions": ("name", "options"),
    "AlterModelManagers": ("name", "managers"),
    "AddField": ("model_name", "name", "field", "preserve_default"),
    "RemoveField": ("model_name", "name"),
    "AlterField": ("model_name", "name", "field", "preserve_default"),
    "RenameField": ("model_name", "old_name", "new_name"),
    "AddIndex": ("model_name", "index"),
    "RemoveIndex": ("model_name", "name"),
    "RenameIndex": ("model_name", "new_name", "old_name", "old_fields"),
    "AddConstraint": ("model_name", "constraint"),
    "AlterConstraint": ("model_name", "name", "constraint"),
    "RemoveConstraint": ("model_name", "name"),
    "RunPython": ("code", "reverse_code", "atomic", "hints", "elidable"),
    "RunSQL": ("sql", "reverse_sql", "state_operations", "hints", "elidable"),
    "SeparateDatabaseAndState": ("database_operations", "state_operations"),
}
"""The names of the arguments of Django's operations by place."""
CONCURRENT = {"AddIndexConcurrently": "AddIndex", "RemoveIndexConcurrently": "RemoveIndex"}
"""Operations of ``django.contrib`` that leave the same as another one."""
OPTIONS = ("db_table", "db_table_comment", "db_tablespace", "order_with_respect_to")
"""What a database sees of a model's options as they are."""
TOGETHER = {"AlterUniqueTogether": "unique_together", "AlterIndexTogether": "index_together"}
"""The options that these operations set."""
UNSEEN_CONSTRAINT = frozenset(["violation_error_code", "violation_error_message"])


class Effect(NamedTuple):
    """What a database sees of an operation (None: nothing), what it is about, and the default for existing rows."""

    effect: Value
    subject: str = ""
    default: Value = None


def kind_of(function: str) -> str:
    """The class of an operation as it is called in this package: ``AddIndex`` also for one that works concurrently."""
    name = function.rpartition(".")[2]
    return CONCURRENT.get(name, name) if function.startswith(CONTRIB) else name


def is_djangos(function: str) -> bool:
    """True for an operation that is listed here."""
    name = function.rpartition(".")[2]
    return (function == MIGRATIONS + name and name in SIGNATURES) or kind_of(function) != name


def arguments_of(call: Call) -> dict[str, Value]:
    """The arguments of one of Django's operations by name."""
    names = SIGNATURES[kind_of(call.function)]
    return {**dict(zip(names, call.arguments, strict=False)), **call.keywords}


def effect_of(call: Call, app: str) -> Effect:
    """What a database sees of an operation of `app`; one that is not Django's is seen as it is written."""
    if not is_djangos(call.function):
        return Effect(call, call.function.rpartition(".")[2])
    kind, given = kind_of(call.function), arguments_of(call)
    model = _lower(given.get("model_name", given.get("name", "")))
    if kind == "CreateModel":
        return Effect(_created(given, app, model), model)
    if kind in ("AddField", "AlterField"):
        field = seen_field(given.get("field"), app, model)
        name = _text(given.get("name"))
        effect = None if field.effect is None else Call.of(MIGRATIONS + kind, (model, name, field.effect))
        return Effect(effect, f"{model}.{name}", field.default)
    return _OTHERS[kind](kind, model, given)


def _created(given: Mapping[str, Value], app: str, model: str) -> Value:
    options = _options(given.get("options"))
    if options.get("proxy") is True or options.get("managed") is False:
        return None
    seen: dict[str, Value] = {name: options[name] for name in OPTIONS if options.get(name)}
    for name in TOGETHER.values():
        if groups := together(options.get(name)):
            seen[name] = groups
    for name in ("indexes", "constraints"):
        parts = options.get(name)
        if isinstance(parts, tuple) and parts:
            seen[name] = frozenset(_constraint(part) for part in parts)
    bases = given.get("bases")
    # A class among the bases adds no column: Django writes the fields of abstract models out.
    named = (base for base in bases if isinstance(base, str)) if isinstance(bases, tuple) else ()
    parents = tuple(model_reference(base, app, model) for base in named)
    return Call.of(f"{MIGRATIONS}CreateModel", (model, _columns(given.get("fields"), app, model), parents), seen)


def _columns(fields: Value, app: str, model: str) -> Value:
    """The columns as a set of pairs of name and field: their order is of no matter."""
    if not isinstance(fields, tuple) or not all(isinstance(pair, tuple) and len(pair) == 2 for pair in fields):
        return fields
    found = [(pair[0], seen_field(pair[1], app, model).effect) for pair in fields if isinstance(pair, tuple)]
    return frozenset(pair for pair in found if pair[1] is not None)


def _options(options: Value) -> dict[str, Value]:
    if not isinstance(options, Mapped):
        return {}
    return {name: value for name, value in options.pairs if isinstance(name, str)}


def together(groups: Value) -> Value:
    """The sets of columns of a unique_together or index_together, whichever way they are written."""
    if not isinstance(groups, tuple | frozenset) or not groups:
        return None
    if all(isinstance(column, str) for column in groups):
        return frozenset([tuple(groups)])
    return frozenset(groups)


def _constraint(value: Value) -> Value:
    """An index or a constraint, without what only validation reads."""
    if not isinstance(value, Call):
        return value
    kept = {name: each for name, each in value.keywords.items() if name not in UNSEEN_CONSTRAINT}
    if value.function == f"{MODELS}CheckConstraint" and "check" in kept:
        kept["condition"] = kept.pop("check")  # its name until Django 5.1
    return Call.of(value.function, value.arguments, dict(sorted(kept.items())))


def _nothing(_kind: str, model: str, _given: Mapping[str, Value]) -> Effect:
    return Effect(None, model)


def _simple(*names: str) -> Callable[[str, str, Mapping[str, Value]], Effect]:
    """An operation that is its model and these arguments."""

    def effect(kind: str, model: str, given: Mapping[str, Value]) -> Effect:
        parts = tuple(given.get(name) for name in names)
        about = ".".join(part for part in (model, *parts[:1]) if isinstance(part, str) and part)
        return Effect(Call.of(MIGRATIONS + kind, (model, *parts)), about)

    return effect


def _model(kind: str, model: str, _given: Mapping[str, Value]) -> Effect:
    return Effect(Call.of(MIGRATIONS + kind, (model,)), model)


def _renamed_model(kind: str, _model: str, given: Mapping[str, Value]) -> Effect:
    old, new = _lower(given.get("old_name", "")), _lower(given.get("new_name", ""))
    return Effect(Call.of(MIGRATIONS + kind, (old, new)), old)


def _together(kind: str, model: str, given: Mapping[str, Value]) -> Effect:
    groups = given.get("unique_together", given.get("index_together"))
    return Effect(Call.of(MIGRATIONS + kind, (model, together(groups))), model)


def _added(kind: str, model: str, given: Mapping[str, Value]) -> Effect:
    part = _constraint(given.get("index", given.get("constraint")))
    name = part.keywords.get("name") if isinstance(part, Call) else None
    return Effect(Call.of(MIGRATIONS + kind, (model, part)), f"{model}.{name}" if isinstance(name, str) else model)


def _python(kind: str, _model: str, given: Mapping[str, Value]) -> Effect:
    code = given.get("code")
    if code == Name(f"{MIGRATIONS}RunPython.noop"):
        return Effect(None)
    return Effect(Call.of(MIGRATIONS + kind, (code,), _hints(given)))


def _sql(kind: str, _model: str, given: Mapping[str, Value]) -> Effect:
    sql = given.get("sql")
    if sql in ("", (), Name(f"{RUN_SQL}.noop")):
        return Effect(None)
    only = sql[0] if isinstance(sql, tuple) and len(sql) == 1 and isinstance(sql[0], str) else sql
    return Effect(Call.of(MIGRATIONS + kind, (only,), _hints(given)))


def is_reversible(call: Call) -> bool:
    """Whether Django can unapply a RunPython or a RunSQL, as far as the file says; true for any other operation."""
    way_back = {f"{MIGRATIONS}RunPython": "reverse_code", RUN_SQL: "reverse_sql"}.get(call.function)
    return way_back is None or arguments_of(call).get(way_back) is not None


def _hints(given: Mapping[str, Value]) -> dict[str, Value]:
    """A router may read them, and keep the operation from a database."""
    hints = given.get("hints")
    return {} if hints in (None, Mapped(())) else {"hints": hints}


def _lower(value: Value) -> str:
    return value.lower() if isinstance(value, str) else ""


def _text(value: Value) -> str:
    return value if isinstance(value, str) else ""


_OTHERS: Mapping[str, Callable[[str, str, Mapping[str, Value]], Effect]] = {
    "DeleteModel": _model,
    "RenameModel": _renamed_model,
    "AlterModelTable": _simple("table"),
    "AlterModelTableComment": _simple("table_comment"),
    "AlterUniqueTogether": _together,
    "AlterIndexTogether": _together,
    "AlterOrderWithRespectTo": _simple("order_with_respect_to"),
    "AlterModelOptions": _nothing,
    "AlterModelManagers": _nothing,
    "RemoveField": _simple("name"),
    "RenameField": _simple("old_name", "new_name"),
    "AddIndex": _added,
    "RemoveIndex": _simple("name"),
    "RenameIndex": _simple("new_name", "old_name", "old_fields"),
    "AddConstraint": _added,
    "AlterConstraint": _nothing,
    "RemoveConstraint": _simple("name"),
    "RunPython": _python,
    "RunSQL": _sql,
    "SeparateDatabaseAndState": _nothing,
}
