"""Which piece of source made a value of a migration: its operations, what they were given, its lambdas."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from types import CodeType
from typing import Any

from migsync.worker.compose.modules import MigrationModule

Pair = tuple[Any, ast.expr]
Position = tuple[int, int]


def operations(module: MigrationModule) -> list[Pair]:
    """The operations of a module's migration with their sources, when its list of them is written out, else none."""
    element = _list(module)
    made = module.module.Migration.operations
    if element is None or len(element.elts) != len(made) or any(isinstance(it, ast.Starred) for it in element.elts):
        return []
    return [*zip(made, element.elts, strict=True)]


def depends(node: ast.expr) -> bool:
    """Whether an operation is written so that it may be another one elsewhere: by a condition, or by the engine."""
    return any(
        isinstance(each, ast.IfExp) or (isinstance(each, ast.Attribute) and each.attr == "vendor")
        for each in ast.walk(node)
    )


def pairs(module: MigrationModule) -> Iterator[Pair]:
    """Everything that a module's operations were given, with its source."""
    todo = operations(module)
    while todo:
        value, node = todo.pop()
        yield value, node
        match node:
            case ast.List(elts=nodes) | ast.Tuple(elts=nodes) if isinstance(value, list | tuple):
                todo += _zipped(value, nodes)
            case ast.Call(args=nodes, keywords=keywords) if hasattr(value, "_constructor_args"):
                given, named = value._constructor_args
                todo += _zipped(given, nodes)
                todo += [(named[it.arg], it.value) for it in keywords if it.arg in named]


def find_lambda(module: MigrationModule, code: CodeType) -> ast.Lambda | None:
    """The source of a lambda; None when two are at one place, or when Python does not say where they are."""
    body = _extent(code)
    found = [
        node
        for node in ast.walk(module.source.tree)
        if isinstance(node, ast.Lambda) and _position(node.body) == body and node.lineno <= code.co_firstlineno
    ]
    return found[0] if len(found) == 1 else None


def _list(module: MigrationModule) -> ast.List | ast.Tuple | None:
    found = None
    for statement in module.definition.body if module.definition else ():
        match statement:
            case ast.Assign(targets=[ast.Name(id="operations")], value=value):
                found = value
            case ast.AnnAssign(target=ast.Name(id="operations"), value=ast.expr() as value):
                found = value
    return found if isinstance(found, ast.List | ast.Tuple) else None


def _zipped(values: Sequence[Any], nodes: Sequence[ast.expr]) -> list[Pair]:
    if len(values) != len(nodes) or any(isinstance(node, ast.Starred) for node in nodes):
        return []
    return [*zip(values, nodes, strict=True)]


def _extent(code: CodeType) -> tuple[Position, Position]:
    """From where to where the instructions come; those without columns are Python's own."""
    starts, ends = [], []
    for line, end_line, column, end_column in code.co_positions():
        if line is None or end_line is None or column is None or end_column is None:
            continue
        if (line, column) != (end_line, end_column):
            starts.append((line, column))
            ends.append((end_line, end_column))
    return min(starts, default=(0, 0)), max(ends, default=(0, 0))


def _position(node: ast.expr) -> tuple[Position, Position]:
    return (node.lineno, node.col_offset), (node.end_lineno or 0, node.end_col_offset or 0)
