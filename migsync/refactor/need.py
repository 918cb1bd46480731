"""Whether one migration needs another: what an operation of one names, and an operation of the other makes or changes.

Two migrations that do not need each other may change places. A need is found by names alone, so that one may be found
where there is none. What code needs is not known.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from migsync.history import Key, Migration
from migsync.history.contents import Action, Operation, OperationStep, PartKind

HEADER = frozenset({"dependencies", "run_before", "replaces"})
WORD = re.compile(r"\w+")
NAMED = (PartKind.FIELD, PartKind.LINK, PartKind.INDEX)


class Need(NamedTuple):
    """An operation of `user` (by its number, 0 for code beside them) names a part that an operation of `maker` touches.

    `part` is ``item`` or ``item.price``. It is empty where nobody can tell: operation `number` of `user` runs code, or
    only running the file shows what it does. `unnamed` is then what `maker` makes or changes, if that is known: the
    file of `user` names nothing of it, but code can get there in other ways (a relation, an import).
    """

    user: Key
    number: int
    maker: Key
    part: str = ""
    unnamed: tuple[str, ...] = ()


def read_source(migration: Migration) -> bytes:
    """The file of a migration; raises OSError."""
    return Path(migration.path).read_bytes()


def find_need(one: Migration, other: Migration, source: Callable[[Migration], bytes] = read_source) -> Need | None:
    """Why two migrations may not change places; None where they do not need each other."""
    touched = {each.key: [part for it in each.contents.operations for part in _touched(it)] for each in (one, other)}
    for this, that in ((one, other), (other, one)):
        for number, words in _words(source(this)):
            for part in touched[that.key]:
                if _named(part, that.key.app, words):
                    return Need(this.key, number, that.key, ".".join(part))
    for this, that in ((one, other), (other, one)):
        for number, operation in enumerate(this.contents.operations, 1):
            if _is_code(operation):
                known = not any(map(_is_code, that.contents.operations))
                unnamed = [".".join(part) for part in touched[that.key]] if known else []
                return Need(this.key, number, that.key, unnamed=tuple(dict.fromkeys(unnamed)))
    return None


def _named(part: tuple[str, ...], app: str, words: frozenset[str]) -> bool:
    """Whether the words name the part; SQL names a model by its table."""
    model, *rest = part
    return (model in words or f"{app}_{model}" in words) and words.issuperset(rest)


def _is_code(operation: Operation) -> bool:
    return not operation.comparable or any(step.action is Action.RUN for step in operation.steps)


def _touched(operation: Operation) -> Iterator[tuple[str, ...]]:
    """The models, fields and indexes that an operation makes, changes or removes, by names."""
    whole = {step.model for step in operation.steps if step.part is PartKind.MODEL}
    for step in operation.steps:
        if step.part is PartKind.MODEL:
            yield from ((name,) for name in _names(step, step.model))
        elif step.part in NAMED and step.model not in whole:
            yield from ((step.model, name.lower()) for name in _names(step, step.name))


def _names(step: OperationStep, name: str) -> tuple[str, ...]:
    return (name, step.value.lower()) if step.action is Action.RENAME else (name,)


def _words(source: bytes) -> Iterator[tuple[int, frozenset[str]]]:
    """The words in each operation, by its number, and then, as 0, those of the rest of the file without its header."""
    rest: set[str] = set()
    for statement in ast.parse(source).body:
        for inner in statement.body if isinstance(statement, ast.ClassDef) else [statement]:
            targets = {target.id for target in _targets(inner) if isinstance(target, ast.Name)}
            value = getattr(inner, "value", None)
            if targets & HEADER:
                continue
            if "operations" in targets and isinstance(value, ast.List):
                yield from ((number, _in(each)) for number, each in enumerate(value.elts, 1))
            else:
                rest |= _in(inner)
    yield 0, frozenset(rest)


def _targets(statement: ast.stmt) -> list[ast.expr]:
    match statement:
        case ast.Assign(targets=targets):
            return targets
        case ast.AnnAssign(target=target):
            return [target]
    return []


def _in(tree: ast.AST) -> frozenset[str]:
    """The words of all texts and names; of ``shop.item`` only the model, for apps are often called like models."""
    found: set[str] = set()
    for node in ast.walk(tree):
        match node:
            case ast.Constant(value=str(text)):
                found.update(WORD.findall(re.sub(r"\b\w+\.(?=\w)", "", text)))
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.arg(arg=name) | ast.keyword(arg=str(name)):
                found.add(name)
    return frozenset(word.lower() for word in found)
