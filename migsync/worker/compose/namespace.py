"""The names at the top of a new file: of definitions from several modules, and of imports.

Equal things share one name, and different things get one each. A name that is taken gets the number of its migration
added (``forwards_0003``). Imports of packages keep their names, for that is how their contents are written
(``os.path.join``); then definitions are named, then what else is imported, since ``import … as`` can call it anything.
"""

from __future__ import annotations
import __future__

import ast
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import NamedTuple

from migsync.worker.compose.definitions import CannotCarryError, Definition, Definitions, Meaning
from migsync.worker.compose.migration_module import ImportTarget, MigrationModule

WIDTH = 88
"""Black's width of a line, which formats what Django writes where it is installed."""


class PlainImport(NamedTuple):
    """The package that ``import a.b`` binds, whatever is imported of it."""

    name: str


class NamedImport(NamedTuple):
    """What any other import binds, under the name that it has there."""

    target: ImportTarget
    name: str


Symbol = Definition | PlainImport | NamedImport
"""What has a name at the top of the new file."""

Uses = Iterable[tuple[str, Mapping[str, Meaning]]]
"""A module's name, and what names in it lead to."""


@dataclass(frozen=True)
class Namespace:
    """Everything that goes into the new file, each with its name there.

    `canonical`: for each definition the one that stands for it, the first of those that are equal.
    """

    definitions: Definitions
    canonical: Mapping[Definition, Definition]
    names: Mapping[Symbol, str]

    @property
    def copied(self) -> list[Definition]:
        """The definitions that are in the new file."""
        return [definition for definition in self.definitions.uses if self.canonical[definition] == definition]

    def name(self, meaning: Meaning, local: str) -> str:
        """The name for what `local` leads to in its own module."""
        if meaning is None:
            return local
        if isinstance(meaning, Definition):
            return self.names[self.canonical[meaning]]
        return self.names[_imported_symbol(meaning, local)]


def named(definitions: Definitions, header: Mapping[str, Symbol], reserved: Iterable[str], inline: Uses) -> Namespace:
    """Name all definitions; `header` has its names already, and `inline` are uses outside of definitions.

    `reserved` are names that must keep another meaning. Raises CannotCarryError where two packages have one name.
    """
    modules = definitions.modules
    canonical = _canonical(definitions)
    used = [(definition.module, uses) for definition, uses in definitions.uses.items()] + [*inline]
    identifiers = frozenset().union(*(modules[name].identifiers for name in dict.fromkeys(name for name, _ in used)))
    # A copied function that uses `len` must find the builtin, so nothing else in the file may be called that.
    allocation = _Allocation(frozenset(reserved) | definitions.unbound, identifiers)
    for name, symbol in header.items():
        allocation.fix(symbol, name)
    imports = [
        (module, local, meaning)
        for module, uses in used
        for local, meaning in uses.items()
        if isinstance(meaning, tuple)
    ]
    for module, local, meaning in imports:
        symbol = _imported_symbol(meaning, local)
        if isinstance(symbol, PlainImport):
            _fix_package(allocation, symbol, modules[module], meaning)
    shunned = _shunned(modules, used, canonical)
    for definition in definitions.uses:
        if canonical[definition] is definition:
            label = modules[definition.module].label
            allocation.give(definition, definition.preferred, label, shunned=definition in shunned)
    for module, local, meaning in imports:
        allocation.give(_imported_symbol(meaning, local), local, modules[module].label)
    return Namespace(definitions, canonical, allocation.names)


@dataclass
class _Allocation:
    """The name of each symbol. `reserved` are names that must keep another meaning: builtins in use, for one.

    Names that are made up stand nowhere in `identifiers`: no function can have a variable of that name.
    """

    reserved: frozenset[str]
    identifiers: frozenset[str]
    names: dict[Symbol, str] = field(default_factory=dict)
    taken: set[str] = field(default_factory=set)

    def give(self, symbol: Symbol, preferred: str, label: str, *, shunned: bool = False) -> None:
        """Name a symbol, unless it has a name: as preferred unless that is taken, reserved or `shunned`."""
        if symbol in self.names:
            return
        name = preferred
        if shunned or name in self.taken or name in self.reserved:
            name = next(name for name in _others(preferred, label) if self._is_new(name))
        self.fix(symbol, name)

    def fix(self, symbol: Symbol, name: str) -> None:
        """Give a symbol this very name."""
        self.names[symbol] = name
        self.taken.add(name)

    def _is_new(self, name: str) -> bool:
        return name not in self.taken and name not in self.identifiers and name not in self.reserved


def _others(preferred: str, label: str) -> Iterator[str]:
    yield f"{preferred}_{label}"
    yield from (f"{preferred}_{label}_{number}" for number in count(2))


def _canonical(definitions: Definitions) -> dict[Definition, Definition]:
    # The first stands for all that say the same: a helper that was copied from migration to migration is needed once.
    first: dict[object, Definition] = {}
    return {
        definition: first.setdefault((definition.preferred, definitions.signature(definition)), definition)
        for definition in definitions.uses
    }


def _shunned(
    modules: Mapping[str, MigrationModule], used: Uses, canonical: Mapping[Definition, Definition]
) -> set[Definition]:
    """Definitions that a module imports under another name, while their own name stands for something else in it.

    After ``from .m0001 import fill as fill_old``, a use in ``def forwards(apps, fill)`` that is written as ``fill``
    would be that function's parameter.
    """
    return {
        canonical[meaning]
        for module, uses in used
        for local, meaning in uses.items()
        if isinstance(meaning, Definition)
        and local not in (meaning.name, meaning.preferred)
        and canonical[meaning].preferred in modules[module].identifiers
    }


def _imported_symbol(imported: tuple[ImportTarget, ...], local: str) -> PlainImport | NamedImport:
    return PlainImport(local) if imported[0].plain else NamedImport(imported[-1], local)


def _fix_package(
    allocation: _Allocation, package: PlainImport, module: MigrationModule, imported: tuple[ImportTarget, ...]
) -> None:
    """A plain import keeps its name: that is how what is in the package is written."""
    if package in allocation.names:
        return
    if package.name in allocation.taken:
        raise CannotCarryError(
            module.path,
            module.statements[module.bindings[package.name][0]].lineno,
            f"import {imported[0].module} binds the name {package.name}, which something else in the new file has too",
            "Two things in one file cannot have the same name.",
            f"Import it under another name: import {imported[0].module} as NAME",
        )
    allocation.fix(package, package.name)


@dataclass
class Imports:
    """The import statements of the new file.

    `plain` are modules, `renamed` modules with other names; `taken` has by module the (attribute, name) pairs that are
    imported from it; `future` the features of ``__future__``.
    """

    plain: set[str] = field(default_factory=set)
    renamed: set[tuple[str, str]] = field(default_factory=set)
    taken: dict[str, set[tuple[str, str]]] = field(default_factory=dict)
    future: set[str] = field(default_factory=set)

    def add(self, statement: ast.Import | ast.ImportFrom) -> None:
        """Import what a statement does that Django wrote."""
        for alias in statement.names:
            if isinstance(statement, ast.ImportFrom):
                self._take(statement.module or "", alias.name, alias.asname or alias.name)
            else:
                self.plain.add(alias.name)

    def add_uses(
        self, module: MigrationModule, uses: Mapping[str, Meaning], namespace: Namespace, package: str
    ) -> None:
        """Import what names of a module lead to, for a file in `package`."""
        # What is copied may rely on it: with `annotations`, a name in an annotation need not exist.
        self.future.update(_futures(module))
        for local, meaning in uses.items():
            if isinstance(meaning, tuple):
                self._carry(meaning, namespace.name(meaning, local), relative=module.package == package)

    def text(self) -> str:
        """The statements in Django's order: ``import`` before ``from``, each by the module."""
        first = [_from("__future__", {(name, name) for name in self.future}) + "\n"] if self.future else []
        modules = [(module, f"import {module}") for module in self.plain]
        modules += [(module, f"import {module} as {name}") for module, name in self.renamed]
        taken = [(module, _from(module, names)) for module, names in self.taken.items()]
        return "\n".join([*first, *_second(sorted(modules)), *_second(sorted(taken, key=_relative_last))]) + "\n"

    def _take(self, module: str, attribute: str, name: str) -> None:
        self.taken.setdefault(module, set()).add((attribute, name))

    def _carry(self, imported: Sequence[ImportTarget], name: str, *, relative: bool) -> None:
        """What a copied name stands for. A relative import stays one where the new file is in the same package."""
        for each in imported:
            if each.plain:
                self.plain.add(each.module)
            elif each.attribute:
                self._take(each.spelled if relative else each.module, each.attribute, name)
            else:
                self.renamed.add((each.module, name))


def header(statements: Iterable[ast.stmt]) -> dict[str, Symbol]:
    """What the imports that Django wrote bind."""
    found: dict[str, Symbol] = {}
    for statement in statements:
        for alias in getattr(statement, "names", ()):
            if isinstance(statement, ast.ImportFrom):
                target = ImportTarget(statement.module or "", alias.name)
                found[alias.asname or alias.name] = NamedImport(target, alias.asname or alias.name)
            else:
                package = alias.name.partition(".")[0]
                found[package] = PlainImport(package)
    return found


def _futures(module: MigrationModule) -> list[str]:
    """The features that a module imports from ``__future__``, without those that this Python has anyway."""
    return [
        alias.name
        for statement in module.source.tree.body
        if isinstance(statement, ast.ImportFrom) and statement.module == "__future__"
        for alias in statement.names
        # None where no release was settled after all: `annotations` has to be imported for good.
        if (getattr(__future__, alias.name).getMandatoryRelease() or sys.version_info) >= sys.version_info
    ]


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
