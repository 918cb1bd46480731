"""Where a piece of source refers to names of its module: Python's scoping rules, over a syntax tree.

A copied function must keep meaning what it meant. So every place in it has to be found where a name is looked up in the
module, and none where a parameter, a local variable or a comprehension hides that name. What the name then stands for
is not asked here; :mod:`migsync.history.bindings` asks that, of lists that are written out, and does not look into
functions at all.

A visitor walks down with the frames of the scopes that are open. On the way into a scope it collects what the scope
binds (:func:`_bind`), since in Python a name is local to the whole of a function, also above its first assignment.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from migsync.history.bindings import MUTATORS

Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp


class Reference(NamedTuple):
    """One place where a name stands that is looked up in the module, or bound there.

    `node` holds the name: a Name, or what binds one otherwise (a definition, an alias of an import, ``global``, …).
    `owner` is the class in whose body it is bound, when the node is in that body too.
    """

    name: str
    node: ast.AST
    owner: ast.ClassDef | None = None


@dataclass
class _Names:
    """What one scope makes of the names in it."""

    bound: set[str] = field(default_factory=set)
    declared_global: set[str] = field(default_factory=set)
    declared_nonlocal: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class _Frame:
    """A scope that is open; `begins` says for a class (`owner`) where each of its names is bound first."""

    names: _Names
    begins: dict[str, tuple[int, int]] | None = None
    owner: ast.ClassDef | None = None


def bound(statement: ast.stmt) -> set[str]:
    """The names that a statement at the top of a module binds there."""
    names = _Names()
    _bind([statement], names)
    return names.bound | names.declared_global


def changed(statement: ast.stmt) -> Iterator[str]:
    """The names whose values a statement changes when it is run: attributes and items set, methods that do."""
    todo: list[ast.AST] = [statement]
    while todo:
        node = todo.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            continue
        todo.extend(ast.iter_child_nodes(node))
        match node:
            case ast.Attribute(ctx=ast.Store() | ast.Del(), value=ast.Name(id=name)):
                yield name
            case ast.Subscript(ctx=ast.Store() | ast.Del(), value=ast.Name(id=name)):
                yield name
            case ast.Call(func=ast.Attribute(attr=attribute, value=ast.Name(id=name))) if attribute in MUTATORS:
                yield name


def references(root: ast.AST) -> list[Reference]:
    """All references in a statement (or expression) that stands at the top of a module, in source order."""
    return [*_visit(root, ())]


def _visit(node: ast.AST, frames: tuple[_Frame, ...]) -> Iterator[Reference]:
    for name in _named(node):
        found = _resolved(name, node, frames)
        if found:
            yield found
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Lambda():
            yield from _function(node, frames)
        case ast.ClassDef():
            yield from _class(node, frames)
        case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
            yield from _comprehension(node, frames)
        case _:
            yield from _all(ast.iter_child_nodes(node), frames)


def _all(nodes: Iterable[ast.AST | None], frames: tuple[_Frame, ...]) -> Iterator[Reference]:
    for node in nodes:
        if node is not None:
            yield from _visit(node, frames)


def _function(node: Function, frames: tuple[_Frame, ...]) -> Iterator[Reference]:
    arguments = node.args
    # Decorators and defaults are evaluated where the function is defined: its parameters hide nothing there.
    if not isinstance(node, ast.Lambda):
        yield from _all(node.decorator_list, frames)
    yield from _all([*arguments.defaults, *arguments.kw_defaults], frames)
    names = _Names({each.arg for each in _arguments(arguments)})
    inner = (*frames, _Frame(names))
    if isinstance(node, ast.Lambda):
        # Only := binds anything in an expression.
        _bind([node.body], names)
        yield from _visit(node.body, inner)
        return
    parameters = getattr(node, "type_params", [])
    names.bound.update(each.name for each in parameters)
    # Annotations see the parameters of types, and nothing else of what is inside.
    outside = (*frames, _Frame(_Names({each.name for each in parameters}))) if parameters else frames
    yield from _all([each.annotation for each in _arguments(arguments)], outside)
    yield from _all([node.returns, *parameters], outside)
    _bind(node.body, names)
    yield from _all(node.body, inner)


def _class(node: ast.ClassDef, frames: tuple[_Frame, ...]) -> Iterator[Reference]:
    yield from _all(node.decorator_list, frames)
    parameters = getattr(node, "type_params", [])
    outside = (*frames, _Frame(_Names({each.name for each in parameters}))) if parameters else frames
    yield from _all([*parameters, *node.bases, *node.keywords], outside)
    names = _Names()
    _bind(node.body, names)
    yield from _all(node.body, (*outside, _Frame(names, _beginnings(node.body, names), node)))


def _comprehension(node: Comprehension, frames: tuple[_Frame, ...]) -> Iterator[Reference]:
    names = _Names()
    _bind([generator.target for generator in node.generators], names)
    # The first iterable is evaluated outside.
    yield from _visit(node.generators[0].iter, frames)
    inner = (*frames, _Frame(names))
    yield from _all([node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt], inner)
    for place, generator in enumerate(node.generators):
        yield from _all([generator.target, generator.iter if place else None, *generator.ifs], inner)


def _resolved(name: str, node: ast.AST, frames: Sequence[_Frame]) -> Reference | None:
    """The reference, unless a function's own scope answers to the name."""
    for depth, frame in enumerate(reversed(frames)):
        if frame.begins is not None and depth:
            continue  # functions and classes in a class do not see the names of its body
        if name in frame.names.declared_global:
            return Reference(name, node)
        if name in frame.names.declared_nonlocal or name not in frame.names.bound:
            continue  # a scope further out has it
        if frame.begins is None:
            return None
        # In a class body a name is looked up at run time: before it is bound there, in the module.
        position = getattr(node, "lineno", 0), getattr(node, "col_offset", 0)
        if frame.begins.get(name, position) <= position or not _loads(node):
            return Reference(name, node, frame.owner)
    return Reference(name, node)


def _loads(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)


def _named(node: ast.AST) -> Iterable[str]:
    """The names that stand in a node itself."""
    match node:
        case ast.Name(id=name) | ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return (name,)
        case ast.alias(name=name, asname=asname):
            return () if name == "*" else (asname or name.partition(".")[0],)
        case ast.Global(names=names) | ast.Nonlocal(names=names):
            return names
        case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
            return (name,)
        case ast.MatchMapping(rest=str(name)):
            return (name,)
    return ()


def _bind(body: Iterable[ast.AST], names: _Names) -> None:
    """Collect what the statements of one scope bind in it; what nested scopes bind is theirs."""
    todo = [*body]
    while todo:
        node = todo.pop()
        match node:
            case ast.Global(names=declared):
                names.declared_global.update(declared)
                continue
            case ast.Nonlocal(names=declared):
                names.declared_nonlocal.update(declared)
                continue
            case ast.Name(ctx=ast.Load()):
                continue
            case ast.Lambda():
                continue
            case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
                # Only := goes through to the function around it.
                inner = (each for each in ast.walk(node) if isinstance(each, ast.NamedExpr))
                names.bound.update(each.target.id for each in inner)
                continue
        names.bound.update(_named(node))
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            todo.extend(ast.iter_child_nodes(node))
    names.bound -= names.declared_global | names.declared_nonlocal


def _beginnings(body: Sequence[ast.stmt], names: _Names) -> dict[str, tuple[int, int]]:
    """Where a class body has bound each of its names for the first time: the end of that statement.

    Until then a name of its own means the module's, as in ``forwards = staticmethod(forwards)``.
    """
    found: dict[str, tuple[int, int]] = {}
    for statement in body:
        its = _Names()
        _bind([statement], its)
        for name in its.bound & names.bound:
            found.setdefault(name, (statement.end_lineno or 0, statement.end_col_offset or 0))
    return found


def _arguments(arguments: ast.arguments) -> Iterator[ast.arg]:
    yield from [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    yield from (each for each in (arguments.vararg, arguments.kwarg) if each)
