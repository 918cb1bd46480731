"""An operation's effect in steps: what it sets, removes or renames in the tables, part by part.

Different operations lead to the same tables: a CreateModel with three fields does what another one with two and an
AddField did. So parts of tables are compared, not operations.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from migsync.history.columns import UNKNOWN, Column, Link
from migsync.history.contents import Action, PartKind
from migsync.history.operations.effects import MIGRATIONS, TOGETHER
from migsync.history.operations.fields import MODELS
from migsync.history.operations.values import Call, Value


class EffectStep(NamedTuple):
    """As :class:`migsync.history.contents.OperationStep`, with the value itself where its digest will do.

    `text` is that of the value where it is compared part by part: with ``*`` in the place of the digest.
    """

    action: Action
    part: PartKind
    model: str = ""
    name: str = ""
    value: Value = None
    text: str = ""


def steps_of(effect: Value) -> Iterator[EffectStep]:
    """The steps of an effect; of one that is not Django's, or that only code knows, that it runs."""
    kind = effect.function.removeprefix(MIGRATIONS) if isinstance(effect, Call) else ""
    match kind, effect.arguments if isinstance(effect, Call) else ():
        case "CreateModel", (str(model), fields, parents):
            yield from _created(model, fields, parents, effect)
        case "AddField" | "AlterField", (str(model), str(name), field):
            yield _field(model, name, field)
        case "RemoveField", (str(model), str(name)):
            yield EffectStep(Action.REMOVE, PartKind.FIELD, model, name)
        case "RenameField", (str(model), str(old), str(new)):
            yield EffectStep(Action.RENAME, PartKind.FIELD, model, old, new)
        case "DeleteModel", (str(model),):
            yield EffectStep(Action.REMOVE, PartKind.MODEL, model)
        case "RenameModel", (str(old), str(new)):
            yield EffectStep(Action.RENAME, PartKind.MODEL, old, value=new)
        case "AlterUniqueTogether" | "AlterIndexTogether", (str(model), groups):
            yield EffectStep(Action.SET, PartKind.TOGETHER, model, TOGETHER[kind], groups)
        case "AddIndex" | "AddConstraint", (str(model), Call() as index):
            yield EffectStep(Action.SET, PartKind.INDEX, model, _name(index), index)
        case "RemoveIndex" | "RemoveConstraint", (str(model), str(name)):
            yield EffectStep(Action.REMOVE, PartKind.INDEX, model, name)
        case "RenameIndex", (str(model), str(new), str(old), None):
            yield EffectStep(Action.RENAME, PartKind.INDEX, model, old, new)
        case "AlterModelTable" | "AlterModelTableComment" | "AlterOrderWithRespectTo", (str(model), value):
            yield _option(model, OPTIONS[kind], value)
        case _:
            yield EffectStep(Action.RUN, PartKind.CODE, value=effect)


OPTIONS = {
    "AlterModelTable": "db_table",
    "AlterModelTableComment": "db_table_comment",
    "AlterOrderWithRespectTo": "order_with_respect_to",
}


def _created(model: str, fields: Value, parents: Value, effect: Value) -> Iterator[EffectStep]:
    options = effect.keywords if isinstance(effect, Call) else {}
    if not isinstance(fields, frozenset):
        # A list that only running the file shows.
        yield EffectStep(Action.SET, PartKind.MODEL, model, value=effect, text=f"{UNKNOWN}*")
        return
    yield EffectStep(Action.SET, PartKind.MODEL, model, value=parents)
    for pair in fields:
        match pair:
            case (str(name), field):
                yield _field(model, name, field)
    for name, value in options.items():
        if name in TOGETHER.values():
            yield EffectStep(Action.SET, PartKind.TOGETHER, model, name, value)
        elif name in ("indexes", "constraints") and isinstance(value, frozenset):
            for index in value:
                if isinstance(index, Call):
                    yield EffectStep(Action.SET, PartKind.INDEX, model, _name(index), index)
        else:
            yield _option(model, name, value)


def _field(model: str, name: str, field: Value) -> EffectStep:
    """A column, or the table of a many-to-many field; one with a model of its own for that has none."""
    given = field.keywords if isinstance(field, Call) else {}
    to = given.get("to")
    shown = to if isinstance(to, str) else UNKNOWN if to else ""
    # Also of a class that is not Django's, such as a manager of tags.
    if given.get("through"):
        return EffectStep(Action.REMOVE, PartKind.LINK, model, name)
    if isinstance(field, Call) and field.function == f"{MODELS}ManyToManyField":
        table = given.get("db_table")
        link = Link(table if isinstance(table, str) else UNKNOWN if table else "", shown)
        return EffectStep(Action.SET, PartKind.LINK, model, name, field, str(link))
    if not isinstance(field, Call):
        return EffectStep(Action.SET, PartKind.FIELD, model, name, field, str(Column(f"{UNKNOWN}*")))
    null, column = given.get("null", False), given.get("db_column")
    text = Column(
        "*",
        ("null" if null else "not null") if isinstance(null, bool) else UNKNOWN,
        shown,
        column if isinstance(column, str) else UNKNOWN if column else "",
    )
    rest = {key: value for key, value in given.items() if key not in ("null", "to", "db_column")}
    return EffectStep(
        Action.SET, PartKind.FIELD, model, name, Call.of(field.function, field.arguments, rest), str(text)
    )


def _option(model: str, name: str, value: Value) -> EffectStep:
    """The name of the table as it is, since tables are known by it."""
    text = (value if isinstance(value, str) else f"{UNKNOWN}*") if name == "db_table" and value else "*"
    return EffectStep(Action.SET, PartKind.OPTION, model, name, value, text)


def _name(index: Call) -> str:
    name = index.keywords.get("name")
    return name if isinstance(name, str) else ""
