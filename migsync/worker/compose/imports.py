"""The imports at the top of a composed file: Django's own and those that come with what is carried."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from migsync.worker.compose.modules import Imported
from migsync.worker.compose.naming import Attribute, Package, Thing

WIDTH = 88
"""Black's width of a line, which formats what Django writes where it is installed."""


@dataclass
class Imports:
    """Import statements in the making: `plain` modules, modules under another name, and what is taken from modules."""

    plain: set[str] = field(default_factory=set)
    renamed: set[tuple[str, str]] = field(default_factory=set)
    taken: dict[str, set[tuple[str, str]]] = field(default_factory=dict)
    future: set[str] = field(default_factory=set)

    def add(self, statement: ast.Import | ast.ImportFrom) -> None:
        """What a statement imports."""
        for alias in statement.names:
            if isinstance(statement, ast.ImportFrom):
                self.take(statement.module or "", alias.name, alias.asname or alias.name)
            else:
                self.plain.add(alias.name)

    def take(self, module: str, attribute: str, name: str) -> None:
        """One name from a module."""
        self.taken.setdefault(module, set()).add((attribute, name))

    def carry(self, imported: Sequence[Imported], name: str, *, relative: bool) -> None:
        """What a carried name stands for; as it was spelled where that is right in the new file."""
        for each in imported:
            if each.plain:
                self.plain.add(each.module)
            elif each.attribute:
                self.take(each.spelled if relative else each.module, each.attribute, name)
            else:
                self.renamed.add((each.module, name))

    def text(self) -> str:
        """The statements in Django's order: ``import`` before ``from``, each by the module."""
        first = [_from("__future__", {(name, name) for name in self.future}) + "\n"] if self.future else []
        modules = [(module, f"import {module}") for module in self.plain]
        modules += [(module, f"import {module} as {name}") for module, name in self.renamed]
        taken = [(module, _from(module, names)) for module, names in self.taken.items()]
        return "\n".join([*first, *_second(sorted(modules)), *_second(sorted(taken, key=_relative_last))]) + "\n"


def header(statements: Iterable[ast.stmt]) -> dict[str, Thing]:
    """What the imports that Django wrote bind."""
    found: dict[str, Thing] = {}
    for statement in statements:
        for alias in getattr(statement, "names", ()):
            if isinstance(statement, ast.ImportFrom):
                imported = Imported(statement.module or "", alias.name)
                found[alias.asname or alias.name] = Attribute(imported, alias.asname or alias.name)
            else:
                package = alias.name.partition(".")[0]
                found[package] = Package(package)
    return found


def _relative_last(pair: tuple[str, str]) -> tuple[bool, str]:
    return pair[0].startswith("."), pair[0]


def _second(pairs: Iterable[tuple[str, str]]) -> list[str]:
    return [second for _, second in pairs]


def _from(module: str, names: Iterable[tuple[str, str]]) -> str:
    parts = [attribute if attribute == name else f"{attribute} as {name}" for attribute, name in sorted(names)]
    line = f"from {module} import {', '.join(parts)}"
    if len(line) <= WIDTH:
        return line
    return "\n".join([f"from {module} import (", *(f"    {part}," for part in parts), ")"])
