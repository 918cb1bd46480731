"""Names in a new file for what comes into it from several modules: equal things share one, others get one each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import NamedTuple

from migsync.worker.compose.gathering import CannotCarryError, Definition, Gathering, Meaning
from migsync.worker.compose.modules import Imported, MigrationModule


class Package(NamedTuple):
    """What plain imports bind: a package, whatever is imported of it."""

    name: str


class Attribute(NamedTuple):
    """What any other import binds, under the name that it has there."""

    imported: Imported
    name: str


Thing = Definition | Package | Attribute
"""What has a name at the top of the new file."""


@dataclass
class Naming:
    """The name of each thing. `reserved` are names that must keep another meaning: builtins in use, for one.

    Names that are made up stand nowhere in `identifiers`: no function can have a variable of that name.
    """

    reserved: frozenset[str]
    identifiers: frozenset[str]
    names: dict[Thing, str] = field(default_factory=dict)
    taken: set[str] = field(default_factory=set)

    def give(self, thing: Thing, preferred: str, label: str, *, shunned: bool = False) -> None:
        """Name a thing, once: as preferred unless that is taken, reserved or `shunned`."""
        if thing in self.names:
            return
        name = preferred
        if shunned or name in self.taken or name in self.reserved:
            name = next(name for name in _others(preferred, label) if self._is_new(name))
        self.fix(thing, name)

    def fix(self, thing: Thing, name: str) -> None:
        """Name a thing that has its name already."""
        self.names[thing] = name
        self.taken.add(name)

    def _is_new(self, name: str) -> bool:
        return name not in self.taken and name not in self.identifiers and name not in self.reserved


def _others(preferred: str, label: str) -> Iterator[str]:
    yield f"{preferred}_{label}"
    yield from (f"{preferred}_{label}_{number}" for number in count(2))


@dataclass(frozen=True)
class Named:
    """Everything that goes into the new file, each with its name there.

    `canonical`: for each definition the one that stands for it, the first of those that are equal.
    """

    gathering: Gathering
    canonical: Mapping[Definition, Definition]
    names: Mapping[Thing, str]

    def name(self, meaning: Meaning, local: str) -> str:
        """The name for what `local` leads to in its own module."""
        if meaning is None:
            return local
        if isinstance(meaning, Definition):
            return self.names[self.canonical[meaning]]
        return self.names[_thing(meaning, local)]


def named(gathering: Gathering, header: Mapping[str, Thing], reserved: Iterable[str], inline: Uses) -> Named:
    """Name all that was gathered; `header` has its names already, and `inline` are uses outside of definitions."""
    modules = gathering.modules
    canonical = _canonical(gathering)
    used = [(definition.module, uses) for definition, uses in gathering.uses.items()] + [*inline]
    identifiers = frozenset().union(*(modules[name].identifiers for name in dict.fromkeys(name for name, _ in used)))
    naming = Naming(frozenset(reserved) | gathering.unbound, identifiers)
    for name, thing in header.items():
        naming.fix(thing, name)
    imports = [
        (module, local, meaning)
        for module, uses in used
        for local, meaning in uses.items()
        if isinstance(meaning, tuple)
    ]
    for module, local, meaning in imports:
        thing = _thing(meaning, local)
        if isinstance(thing, Package):
            _fix_package(naming, thing, modules[module], meaning)
    shunned = _shunned(modules, used, canonical)
    for definition in gathering.uses:
        if canonical[definition] is definition:
            label = modules[definition.module].label
            naming.give(definition, definition.preferred, label, shunned=definition in shunned)
    for module, local, meaning in imports:
        naming.give(_thing(meaning, local), local, modules[module].label)
    return Named(gathering, canonical, naming.names)


Uses = Iterable[tuple[str, Mapping[str, Meaning]]]
"""A module's name, and what names in it lead to."""


def _canonical(gathering: Gathering) -> dict[Definition, Definition]:
    first: dict[object, Definition] = {}
    return {
        definition: first.setdefault((definition.preferred, gathering.signature(definition)), definition)
        for definition in gathering.uses
    }


def _shunned(
    modules: Mapping[str, MigrationModule], used: Uses, canonical: Mapping[Definition, Definition]
) -> set[Definition]:
    """Definitions that a module uses under another name, where their own means something else in that module."""
    return {
        canonical[meaning]
        for module, uses in used
        for local, meaning in uses.items()
        if isinstance(meaning, Definition)
        and local not in (meaning.name, meaning.preferred)
        and canonical[meaning].preferred in modules[module].identifiers
    }


def _thing(imported: tuple[Imported, ...], local: str) -> Package | Attribute:
    return Package(local) if imported[0].plain else Attribute(imported[-1], local)


def _fix_package(naming: Naming, package: Package, module: MigrationModule, imported: tuple[Imported, ...]) -> None:
    """A plain import keeps its name: that is how what is in the package is written."""
    if package in naming.names:
        return
    if package.name in naming.taken:
        raise CannotCarryError(
            module.path,
            module.statements[module.bindings[package.name][0]].lineno,
            f"import {imported[0].module} has the name {package.name} in the new file, and so has something else",
            "In one file they cannot both be called so.",
            f"Import it under another name: import {imported[0].module} as …",
        )
    naming.fix(package, package.name)
