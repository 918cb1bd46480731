"""What the names of a module are bound to, at each place of it; read from its syntax tree."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from migsync.project.modules import Module

ATTRIBUTES: Final = ("name", "label", "default")
"""The attributes of an AppConfig that tell which app it is for, and whether Django takes it."""

END: Final = sys.maxsize
"""The place behind the last statement: what another module that imports this one finds."""


@dataclass(frozen=True)
class Import:
    """A name bound by an import: the module, and the name in it (empty: the module itself)."""

    module: str
    name: str = ""


@dataclass(frozen=True)
class Patch:
    """``ShopConfig.label = "x"``: the class is then not what its body says."""


Bound = ast.ClassDef | Import | Patch | ast.expr


class ModuleNames:
    """The bindings of one module. A place is the number of a statement, counted from 0."""

    def __init__(self, module: Module) -> None:
        self._all: dict[str, list[tuple[Bound, int, bool]]] = {}
        body = module.tree.body if module.tree is not None else []
        for place, (statement, certain) in enumerate(statements(body, certain=True)):
            for name, binding in _names(module, statement):
                self._all.setdefault(name, []).append((binding, place, certain and name != "*"))

    @property
    def names(self) -> tuple[str, ...]:
        """Every name that is bound anywhere in the module; ``*`` stands for the star imports."""
        return tuple(self._all)

    def at(self, name: str, place: int) -> list[tuple[Bound, int]]:
        """What the statement at `place` may find under `name`, each with the place where it was bound."""
        found: list[tuple[Bound, int]] = []
        for binding, where, certain in self._all.get(name, ()):
            # A patch changes the class itself, so it counts for those, too, that were derived from it before.
            if isinstance(binding, Patch):
                found.append((binding, where))
            # The base in `class ShopConfig(ShopConfig)` is what had the name before.
            elif where < place:
                # One that always runs hides what was bound before it; one in a branch may run or not.
                found = [(binding, where)] if certain else [*found, (binding, where)]
        return found


def statements(body: list[ast.stmt], *, certain: bool) -> Iterator[tuple[ast.stmt, bool]]:
    """The statements of a module or class that bind names, and whether each is sure to run."""
    for statement in body:
        match statement:
            # Its body never runs, and may import what is not installed.
            case ast.If(test=ast.Name(id="TYPE_CHECKING") | ast.Attribute(attr="TYPE_CHECKING"), orelse=otherwise):
                yield from statements(otherwise, certain=certain)
            case ast.If() | ast.For() | ast.While() | ast.Try() | ast.With():
                yield from statements(statement.body, certain=False)
                for handler in getattr(statement, "handlers", ()):
                    yield from statements(handler.body, certain=False)
                for more in ("orelse", "finalbody"):
                    yield from statements(getattr(statement, more, []), certain=False)
            case _:
                yield statement, certain


def _names(module: Module, statement: ast.stmt) -> Iterator[tuple[str, Bound]]:
    match statement:
        case ast.ClassDef(name=name):
            yield name, statement
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
            # Any expression that is no class will do: a function hides an earlier class of the same name.
            yield name, ast.Constant(None)
        case ast.Import(names=aliases):
            for alias in aliases:
                # `import a.b` binds `a`, and `import a.b as c` binds `c` to `a.b`.
                top = alias.name.partition(".")[0]
                yield alias.asname or top, Import(alias.name if alias.asname else top)
        case ast.ImportFrom(names=aliases):
            source = _absolute(module, statement)
            for alias in aliases:
                yield alias.asname or alias.name, Import(source, alias.name)
        case ast.Assign(targets=targets, value=value):
            for target in targets:
                match target:
                    case ast.Name(id=name):
                        yield name, value
                    case ast.Attribute(value=ast.Name(id=name), attr=attribute) if attribute in ATTRIBUTES:
                        yield name, Patch()
        case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
            yield name, value


def _absolute(module: Module, statement: ast.ImportFrom) -> str:
    if not statement.level:
        return statement.module or ""
    parts = module.package.split(".")
    parts = parts[: len(parts) - statement.level + 1]
    return ".".join([*parts, statement.module] if statement.module else parts)
