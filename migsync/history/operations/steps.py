"""An operation's effect in steps: what it sets, removes or renames in the tables, part by part.

Different operations lead to the same tables: a CreateModel with three fields does what another one with two and an
AddField did. So parts of tables are compared, not operations.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from migsync.history.contents import Action, PartKind
from migsync.history.operations.effects import MIGRATIONS, TOGETHER
from migsync.history.operations.values import Call, Value


class EffectStep(NamedTuple):
    """As :class:`migsync.history.contents.OperationStep`, with the value itself in place of its digest."""

    action: Action
    part: PartKind
    model: str = ""
    name: str = ""
    value: Value = None


def steps_of(effect: Value) -> Iterator[EffectStep]:
    """The steps of an effect; of one that is not Django's, or that only code knows, that it runs."""
    kind = effect.function.removeprefix(MIGRATIONS) if isinstance(effect, Call) else ""
    match kind, effect.arguments if isinstance(effect, Call) else ():
        case "CreateModel", (str(model), fields, parents):
            yield from _created(model, fields, parents, effect)
        case "AddField" | "AlterField", (str(model), str(name), field):
            yield EffectStep(Action.SET, PartKind.FIELD, model, name, field)
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
            yield EffectStep(Action.SET, PartKind.OPTION, model, OPTIONS[kind], value)
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
        yield EffectStep(Action.SET, PartKind.MODEL, model, value=effect)
        return
    yield EffectStep(Action.SET, PartKind.MODEL, model, value=parents)
    for pair in fields:
        match pair:
            case (str(name), field):
                yield EffectStep(Action.SET, PartKind.FIELD, model, name, field)
    for name, value in options.items():
        if name in TOGETHER.values():
            yield EffectStep(Action.SET, PartKind.TOGETHER, model, name, value)
        elif name in ("indexes", "constraints") and isinstance(value, frozenset):
            for index in value:
                if isinstance(index, Call):
                    yield EffectStep(Action.SET, PartKind.INDEX, model, _name(index), index)
        else:
            yield EffectStep(Action.SET, PartKind.OPTION, model, name, value)


def _name(index: Call) -> str:
    name = index.keywords.get("name")
    return name if isinstance(name, str) else ""
