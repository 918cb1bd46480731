"""The value of a step as text that is made to be compared: mostly a digest.

:func:`migsync.history.tables.is_different` says what follows from two of them.
"""

from __future__ import annotations

import hashlib

from migsync.history.contents import CLASS_MARK, Action, Grade, PartKind
from migsync.history.digest import constant
from migsync.history.operations.effects import TOGETHER
from migsync.history.operations.fields import CLASSES, EVERY, MODELS
from migsync.history.operations.steps import EffectStep
from migsync.history.operations.values import Call, Code, Mapped, Name, Value, grade_of, parts_of

FORMAT = "migsync operation 2"
KNOWN = frozenset(EVERY).union(*(each.arguments for each in CLASSES.values()))
"""Arguments that mean the same for every class of field that has them."""
SETTINGS = "django.conf.settings"
UNIQUE, INDEX = "unique", "index"
OF_COLUMNS = {f"{MODELS}Index": INDEX, f"{MODELS}UniqueConstraint": UNIQUE}
OF_GROUPS = dict(zip(TOGETHER.values(), (UNIQUE, INDEX), strict=True))


def digest_of(value: Value) -> str:
    """32 hexadecimal digits; the same on every version of Python."""
    return hashlib.sha256(f"{FORMAT}\n{text_of(value)}".encode()).hexdigest()[:32]


def text_of(value: Value) -> str:
    """A value as text: lists and tuples alike, sets in an order of their own, bytes as the text that they spell."""
    match value:
        case bytes():
            return constant(value.decode("latin-1"))
        case tuple():
            return f"[{', '.join(text_of(each) for each in value)}]"
        case frozenset():
            return f"{{{', '.join(sorted(text_of(each) for each in value))}}}"
        case Name(dotted=dotted):
            return f"<{dotted}>"
        case Code(text=text):
            return f"<<{text}>>"
        case Mapped(pairs=pairs):
            return f"{{{', '.join(sorted(f'{text_of(key)}: {text_of(each)}' for key, each in pairs))}}}"
        case Call(function=function, arguments=arguments, named=named):
            parts = [text_of(each) for each in arguments] + [f"{name}={text_of(each)}" for name, each in named]
            return f"{function}({', '.join(parts)})"
    return constant(value)


def step_value(step: EffectStep) -> str:
    """The value of a step, and the new name where it renames something.

    A column, a many-to-many table and the name of a table are the text of their step.
    Of what is of a class that is not Django's, the digest of the class follows, with the arguments that only it knows;
    so it does of what is worked out from the settings.
    An index, or a constraint, that only names columns is the digest of these, whatever its own name is, and the groups
    of unique_together and index_together are such digests, with commas between them.
    """
    value = step.value
    if step.action is Action.RENAME and isinstance(value, str):
        return value
    if value is None:
        return ""
    if step.part is PartKind.TOGETHER:
        return _groups(step.name, value) or digest_of(value)
    if step.part is PartKind.INDEX and (columns := _columns(value)):
        return columns
    return step.text.replace("*", _digest(step, value)) if step.text else _digest(step, value)


def _digest(step: EffectStep, value: Value) -> str:
    if step.part not in (PartKind.FIELD, PartKind.INDEX):
        return digest_of(value)
    if any(isinstance(part, Code) and SETTINGS in part.text for part in parts_of(value)):
        # Nothing but itself is certainly the same, and nothing is certainly different.
        return f"{digest_of(value)}{CLASS_MARK}{digest_of(value)}"
    return digest_of(value) + (CLASS_MARK + digest_of(_class_of(value)) if grade_of(value) is not Grade.WRITTEN else "")


def _groups(name: str, groups: Value) -> str:
    if not isinstance(groups, frozenset) or name not in OF_GROUPS:
        return ""
    return ",".join(sorted(digest_of((OF_GROUPS[name], group)) for group in groups))


def _columns(index: Value) -> str:
    """The digest of an index that is nothing but its columns; empty for another one."""
    if not isinstance(index, Call) or index.function not in OF_COLUMNS or index.keywords.keys() != {"fields", "name"}:
        return ""
    columns = index.keywords["fields"]
    return digest_of((OF_COLUMNS[index.function], columns)) if isinstance(columns, tuple) and columns else ""


def _class_of(value: Value) -> Value:
    """A value without the arguments that say the same of every class, as far as these are written here."""
    if not isinstance(value, Call):
        return value
    kept = {name: each for name, each in value.named if name not in KNOWN or grade_of(each) is not Grade.WRITTEN}
    return Call.of(value.function, value.arguments, kept)
