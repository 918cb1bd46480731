"""The value of an expression, as far as it is written in the file itself; nothing is executed."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TypeAlias

from migsync.history.bindings import BindingKind, Scope, since_last_full
from migsync.history.migration import FIRST, SETTING, Key, Problem

Value: TypeAlias = "str | int | bool | tuple[Value, ...] | None"

DJANGO_MIGRATION = frozenset(["django.db.migrations.Migration", "django.db.migrations.migration.Migration"])
_DJANGO_SETTINGS = frozenset(["django.conf.settings"])
_SWAPPABLE = frozenset(
    ["django.db.migrations.swappable_dependency", "django.db.migrations.migration.swappable_dependency"]
)


class UnreadableError(Exception):
    """An expression whose value only running the file can tell."""

    def __init__(self, node: ast.expr | ast.stmt, what: str) -> None:
        super().__init__(what)
        self.problem = Problem(node.lineno, what)


def evaluate(node: ast.expr, scope: Scope) -> Value:
    """A constant, a sequence (as a tuple), or a key for ``swappable_dependency(…)``; or raises UnreadableError."""
    match node:
        case ast.Constant(value=str() | int() | None as value):
            return value
        case ast.JoinedStr(values=parts):
            return "".join(_formatted(part, scope) for part in parts)
        case ast.List() | ast.Tuple() | ast.Set():
            return tuple(_all(items(node, scope)))
        case ast.BinOp(op=ast.Add(), left=left, right=right):
            return _sum(node, evaluate(left, scope), evaluate(right, scope))
        case ast.Name(id=name):
            return _named(node, name, scope)
        case ast.Attribute(attr=attribute, value=ast.Name(id=name)):
            return _attribute(node, name, attribute, scope)
        case ast.Call(func=func, args=[argument], keywords=[]) if origin(func, scope) in _SWAPPABLE:
            return _swappable(argument, scope)
        case ast.Call(func=ast.Name(id="list" | "tuple" | "set" | "frozenset" as name), args=[argument], keywords=[]):
            if not scope.find(name, node)[0]:  # else the file has a function of its own under that name
                return tuple(_all(items(argument, scope)))
    raise UnreadableError(node, f"`{_shown(node)}` is known only when the file runs")


def items(node: ast.expr, scope: Scope) -> Iterator[Value | Problem]:
    """The items of a list or another sequence, one by one; what cannot be read is a Problem among the others."""
    match node:
        case ast.List(elts=elements) | ast.Tuple(elts=elements) | ast.Set(elts=elements):
            for element in elements:
                if isinstance(element, ast.Starred):
                    yield from items(element.value, scope)
                else:
                    yield _or_problem(element, scope)
        case ast.BinOp(op=ast.Add(), left=left, right=right):
            yield from items(left, scope)
            yield from items(right, scope)
        case _:
            found = _or_problem(node, scope)
            # A Key is a tuple too, but one item and not a list of two.
            if isinstance(found, Problem) or not isinstance(found, tuple) or isinstance(found, Key):
                yield found if isinstance(found, Problem) else Problem(node.lineno, f"`{_shown(node)}` is not a list")
            else:
                yield from found


def origin(node: ast.expr, scope: Scope) -> str:
    """The dotted name that an expression such as ``migrations.Migration`` was imported under; "" when not imported."""
    match node:
        case ast.Name(id=name):
            bindings, _ = scope.find(name, node)
            return bindings[0].source if len(bindings) == 1 else ""
        case ast.Attribute(attr=attribute, value=value):
            before = origin(value, scope)
            return f"{before}.{attribute}" if before else ""
    return ""


def attribute_of(definition: ast.ClassDef, name: str, module: Scope) -> tuple[list[ast.expr], Scope] | None:
    """The expressions whose sum is a class's attribute, with the scope to read them in; None when no class has it.

    Base classes are followed inside the file. Raises UnreadableError when something else than assignments binds it.
    """
    body = Scope(definition.body, module)
    bindings = since_last_full(body[name])
    # A scope has what changes an attribute, such as Migration.dependencies.append(…), under its dotted name.
    changed = module[f"{definition.name}.{name}"]
    if changed:
        raise UnreadableError(changed[0].statement, f"{definition.name}.{name} is changed after the class definition")
    for binding in bindings:
        if binding.kind not in (BindingKind.VALUE, BindingKind.ADDED):
            raise UnreadableError(binding.statement, f"{name} is not set by plain assignments alone")
    if bindings:
        return [binding.value for binding in bindings if binding.value is not None], body
    for base in bases_of(definition, module):
        if isinstance(base, ast.ClassDef) and (found := attribute_of(base, name, module)) is not None:
            return found
    return None


def bases_of(definition: ast.ClassDef, module: Scope) -> Iterator[ast.ClassDef | str]:
    """The base classes: a definition in the same file, or the dotted name that it was imported under."""
    for base in definition.bases:
        if isinstance(base, ast.Name):
            bindings, _ = module.find(base.id, base)
            if len(bindings) == 1 and isinstance(bindings[0].statement, ast.ClassDef):
                yield bindings[0].statement
                continue
        yield origin(base, module)


def _or_problem(node: ast.expr, scope: Scope) -> Value | Problem:
    try:
        return evaluate(node, scope)
    except UnreadableError as unreadable:
        return unreadable.problem


def _all(found: Iterator[Value | Problem]) -> Iterator[Value]:
    for item in found:
        if isinstance(item, Problem):
            # Only the line of the node is used.
            raise UnreadableError(ast.Pass(lineno=item.line), item.what)
        yield item


def _formatted(part: ast.expr, scope: Scope) -> str:
    match part:
        case ast.Constant(value=str() as text):
            return text
        case ast.FormattedValue(value=value, conversion=-1, format_spec=None):
            found = evaluate(value, scope)
            if isinstance(found, str | int):
                return str(found)
    raise UnreadableError(part, f"`{_shown(part)}` is known only when the file runs")


def _sum(node: ast.expr, left: Value, right: Value) -> Value:
    if isinstance(left, str) and isinstance(right, str):
        return left + right
    if isinstance(left, tuple) and isinstance(right, tuple):
        return (*left, *right)
    raise UnreadableError(node, f"`{_shown(node)}` is known only when the file runs")


def _named(node: ast.Name, name: str, scope: Scope) -> Value:
    bindings, where = scope.find(name, node)
    if not bindings:
        raise UnreadableError(node, f"{name} is not defined in this file")
    value: Value = None
    for binding in bindings:
        if binding.kind is BindingKind.IMPORT:
            raise UnreadableError(
                node, f"{name} is imported from {binding.source.rpartition('.')[0] or binding.source}"
            )
        if binding.value is None:
            raise UnreadableError(node, f"{name} is not set by plain assignments alone")
        found = evaluate(binding.value, where)
        value = found if binding.kind is BindingKind.VALUE else _sum(node, value, found)
    return value


def _attribute(node: ast.Attribute, name: str, attribute: str, scope: Scope) -> Value:
    """``Base.dependencies``, where Base is a class in the same file."""
    bindings, where = scope.find(name, node)
    # Only a class of the module: its bases, and what changes its attributes, are looked for there.
    if len(bindings) == 1 and isinstance(bindings[0].statement, ast.ClassDef) and where.outer is None:
        found = attribute_of(bindings[0].statement, attribute, where)
        if found is not None:
            expressions, body = found
            total = evaluate(expressions[0], body)
            for expression in expressions[1:]:
                total = _sum(node, total, evaluate(expression, body))
            return total
    raise UnreadableError(node, f"`{_shown(node)}` is known only when the file runs")


def _swappable(argument: ast.expr, scope: Scope) -> Key:
    if isinstance(argument, ast.Attribute) and origin(argument.value, scope) in _DJANGO_SETTINGS:
        return Key(SETTING, argument.attr)
    model = evaluate(argument, scope)
    if isinstance(model, str) and model:
        return Key(model.split(".", 1)[0], FIRST)
    raise UnreadableError(argument, f"`{_shown(argument)}` is neither a setting nor a model")


def _shown(node: ast.AST) -> str:
    text = " ".join(ast.unparse(node).split())
    return text if len(text) <= 60 else text[:57] + "..."
