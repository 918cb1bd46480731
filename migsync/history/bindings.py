"""What the names in one file stand for: the statements of a module or class body that bind or change each name.

This looks at the *values* of names, so that a migration can be read without running it: which statement gives
``operations`` its list, and what adds to it afterwards. It knows two scopes, the module and a class in it, and gives up
(``BindingKind.OTHER``) where only running the code could tell. Which names a piece of code *refers to*, through nested
functions and comprehensions, is another question; it is answered where code is copied into another file
(``references`` in :mod:`migsync.worker.compose`).
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from enum import Enum
from typing import NamedTuple

MUTATORS = frozenset(["add", "append", "clear", "discard", "extend", "insert", "pop", "remove", "reverse", "sort"])
"""Methods of Python's own collections that change them."""


class BindingKind(Enum):
    """How a statement binds a name."""

    VALUE = "name = value"
    ADDED = "name += value"
    CLASS = "class name"
    IMPORT = "import"
    OTHER = "in a way that only running it can tell"


class Binding(NamedTuple):
    """One statement of a body that binds a name, or changes what it stands for.

    `value` is the expression of VALUE and ADDED; `source` the dotted origin of an IMPORT (leading dots when relative).
    """

    kind: BindingKind
    statement: ast.stmt
    value: ast.expr | None = None
    source: str = ""

    def precedes(self, node: ast.expr) -> bool:
        """Whether the statement is over before `node` begins."""
        end = (self.statement.end_lineno or 0, self.statement.end_col_offset or 0)
        return end <= (node.lineno, node.col_offset)


class Scope:
    """The bindings of one body, in the order of its statements; names not bound here are looked up in `outer`."""

    def __init__(self, body: Sequence[ast.stmt], outer: Scope | None = None) -> None:
        self.outer = outer
        self._bindings: dict[str, list[Binding]] = {}
        for statement in body:
            for name, binding in _bindings(statement):
                self._bindings.setdefault(name, []).append(binding)

    def __getitem__(self, name: str) -> Sequence[Binding]:
        """All bindings of `name` in this body; empty when there is none."""
        return self._bindings.get(name, ())

    def find(self, name: str, before: ast.expr) -> tuple[Sequence[Binding], Scope]:
        """What makes up the value of `name` where `before` uses it: the last full binding and what follows it.

        The scope is the one that they are in. Both scopes are executed from top to bottom, so a statement further
        down says nothing yet.
        """
        bindings = [binding for binding in self[name] if binding.precedes(before)]
        if not bindings:
            return ((), self) if self.outer is None else self.outer.find(name, before)
        return since_last_full(bindings), self


def since_last_full(bindings: Sequence[Binding]) -> Sequence[Binding]:
    """The last binding that gives a whole new value, and all that follow it."""
    full = [
        place
        # OTHER is none of these: after ``if …: operations = []`` the value may still be the one from before.
        for place, binding in enumerate(bindings)
        if binding.kind in (BindingKind.VALUE, BindingKind.CLASS, BindingKind.IMPORT)
    ]
    return bindings[full[-1] :] if full else bindings


def _bindings(statement: ast.stmt) -> Iterator[tuple[str, Binding]]:
    match statement:
        case ast.ClassDef(name=name):
            yield name, Binding(BindingKind.CLASS, statement)
        case ast.Import() | ast.ImportFrom():
            yield from _imported(statement)
        case ast.Assign(targets=targets, value=value):
            for target in targets:
                yield from _assigned(statement, target, value)
        case ast.AnnAssign(target=target, value=ast.expr() as value):
            yield from _assigned(statement, target, value)
        case ast.AugAssign(target=ast.Name(id=name), op=ast.Add(), value=value):
            yield name, Binding(BindingKind.ADDED, statement, value)
        case _:
            for name in _touched(statement):
                yield name, Binding(BindingKind.OTHER, statement)


def _imported(statement: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, Binding]]:
    for alias in statement.names:
        if isinstance(statement, ast.ImportFrom):
            module = "." * statement.level + (statement.module or "")
            name, source = alias.asname or alias.name, f"{module}.{alias.name}"
        elif alias.asname:
            name, source = alias.asname, alias.name
        else:
            name = source = alias.name.partition(".")[0]
        yield name, Binding(BindingKind.IMPORT, statement, source=source)


def _assigned(statement: ast.stmt, target: ast.expr, value: ast.expr) -> Iterator[tuple[str, Binding]]:
    match target, value:
        case ast.Name(id=name), _:
            yield name, Binding(BindingKind.VALUE, statement, value)
        case ((ast.Tuple(elts=targets) | ast.List(elts=targets)), (ast.Tuple(elts=values) | ast.List(elts=values))) if (
            len(targets) == len(values) and not any(isinstance(each, ast.Starred) for each in targets + values)
        ):
            for one, its_value in zip(targets, values, strict=True):
                yield from _assigned(statement, one, its_value)
        case _:
            for name in _touched(target):
                yield name, Binding(BindingKind.OTHER, statement)


def _touched(root: ast.AST) -> Iterator[str]:
    """Every name that running `root` binds or changes; an attribute of a name is spelled ``Name.attribute``."""
    todo = [root]
    while todo:
        node = todo.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name  # what its body binds is its own
            continue
        todo.extend(ast.iter_child_nodes(node))
        match node:
            # The variable of a comprehension as well, though it is local to it: this errs on the safe side.
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
                yield name
            case ast.Import() | ast.ImportFrom():
                yield from (name for name, _ in _imported(node))
            case ast.Attribute(ctx=ast.Store() | ast.Del()):
                yield from _dotted(node)
            case ast.Subscript(ctx=ast.Store() | ast.Del(), value=value):
                yield from _dotted(value)
            case ast.Call(func=ast.Attribute(attr=attribute, value=value)) if attribute in MUTATORS:
                yield from _dotted(value)


def _dotted(node: ast.expr) -> Iterator[str]:
    match node:
        case ast.Name(id=name):
            yield name
        case ast.Attribute(attr=attribute, value=ast.Name(id=name)):
            yield f"{name}.{attribute}"
