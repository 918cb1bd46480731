"""Which definitions must be copied into a new file: those that operations use, and all that these use in turn.

An operation of an old file may run ``forwards``, which calls ``chunked`` in the same file, which reads ``SIZE`` in an
older migration. All three have to be in the new file, since the old ones may be gone. What is imported from a module
that is no migration is not copied: the new file imports it too.
"""

from __future__ import annotations

import builtins
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from migsync.errors import HistoryError
from migsync.worker.compose.migration_module import MIGRATION, ImportTarget, MigrationModule


@dataclass(frozen=True)
class Definition:
    """A name that statements at the top of a migration's module define; ``Migration.name`` for one in that class."""

    module: str
    name: str

    @property
    def preferred(self) -> str:
        """The name in a new file, when nothing else has it."""
        return self.name.rpartition(".")[2]


Meaning = Definition | tuple[ImportTarget, ...] | None
"""What a name of a module leads to: a definition in a migration's module, imports, or (None) nothing that is bound."""


class CannotCarryError(HistoryError):
    """An operation uses something that cannot be copied into another file.

    `path` is empty and `line` 0 where no place is known.
    """

    def __init__(self, path: str, line: int, what: str, meaning: str, hint: str) -> None:
        place = f"{path}:{line}: " if line else f"{path}: " if path else ""
        super().__init__(f"{place}{what}.", meaning, hint)
        self.path = path
        self.line = line


@dataclass
class Definitions:
    """The definitions that are wanted, in the order in which they are met, and what every name in them leads to.

    `uses` has the names in a definition's statements; `unbound` are names that no module binds: builtins mostly.
    """

    modules: Mapping[str, MigrationModule]
    uses: dict[Definition, dict[str, Meaning]] = field(default_factory=dict)
    unbound: set[str] = field(default_factory=set)

    def want(self, wanted: Meaning) -> None:
        """Add a definition with all that it uses; nothing where the meaning is no definition."""
        todo = [wanted]
        while todo:
            definition = todo.pop()
            if isinstance(definition, Definition) and definition not in self.uses:
                self.uses[definition] = uses = self._uses(definition)
                # Reversed, since the last is taken first: this goes through them depth first, in source order.
                todo += reversed(uses.values())

    def _uses(self, definition: Definition) -> dict[str, Meaning]:
        module = self.modules[definition.module]
        # All statements that bind or change the name: SIZES = [], and further down SIZES.append(3).
        names = [
            reference.name
            for place in module.bindings[definition.name]
            for reference in module.references(place)
            if not reference.owner
        ]
        return self.meanings(module, names)

    def meanings(self, module: MigrationModule, names: Iterable[str]) -> dict[str, Meaning]:
        """What each of these names leads to."""
        found = {name: self.meaning(module, name) for name in dict.fromkeys(names)}
        self.unbound.update(name for name, meaning in found.items() if meaning is None)
        return found

    def meaning(self, module: MigrationModule, name: str) -> Meaning:
        """What a name leads to, through imports from one migration's module into another.

        Raises CannotCarryError for the ``Migration`` class itself, and for an import of a whole migration.
        """
        places = module.bindings.get(name)
        if not places and name.startswith(f"{MIGRATION}."):
            raise _uses_the_class(module, module.definition.lineno if module.definition else 0, name)
        if not places:
            # The name of a builtin is taken for the builtin, although a * import could hide it.
            starred = None if hasattr(builtins, name) else module.starred(name)
            return self._through((starred,), module, 0) if starred else None
        line = module.statements[places[-1]].lineno
        if imported := module.imports(name):
            return self._through(tuple(imported), module, line)
        if name == MIGRATION:
            raise _uses_the_class(module, line, name)
        return Definition(module.name, name)

    def _through(self, imported: tuple[ImportTarget, ...], module: MigrationModule, line: int) -> Meaning:
        """What an import leads to: where it takes something from a migration, what the name means over there."""
        for each in imported:
            if each.attribute and each.module in self.modules:
                origin = self.modules[each.module]
                if each.attribute in origin.bindings or origin.starred(each.attribute):
                    return self.meaning(origin, each.attribute)
            for name in (each.module, f"{each.module}.{each.attribute}"):
                if name in self.modules:
                    raise CannotCarryError(
                        module.path,
                        line,
                        f"code that has to be copied into the new file imports the migration {name}",
                        "The file of that migration may no longer exist when the code runs.",
                        "Move what both use into a module that is not a migration, such as _helpers.py.",
                    )
        return imported

    def signature(self, definition: Definition) -> frozenset[tuple[str, object]]:
        """What a definition and all that it uses say: where it is equal, one can stand for the other.

        It is a graph, written as a set: the text of each definition, and what each name in it leads to. Two migrations
        with the same ``forwards`` have one, unless a helper of the same name does something else in one of them.
        """
        found: set[tuple[str, object]] = set()
        seen = {definition}
        todo = [definition]
        while todo:
            at = todo.pop()
            # The name alone while in the module that the search began in: two copies have other modules.
            owner = "" if at.module == definition.module else at.module
            found.add((f"{owner}:{at.name}", self._text(at) if self._is_shareable(at) else at))
            for name, meaning in self.uses[at].items():
                if isinstance(meaning, Definition):
                    inner = "" if meaning.module == definition.module else meaning.module
                    found.add((f"{owner}:{at.name}:{name}", f"{inner}:{meaning.name}"))
                    if meaning not in seen:
                        seen.add(meaning)
                        todo.append(meaning)
                else:
                    found.add((f"{owner}:{at.name}:{name}", meaning))
        return frozenset(found)

    def _is_shareable(self, definition: Definition) -> bool:
        """Whether two modules that define the same may have one of it: not where one could see the other's changes."""
        module = self.modules[definition.module]
        value = vars(module.module).get(definition.name)
        if isinstance(value, list | dict | set | bytearray):
            # Written in capitals, it is meant as a constant.
            return definition.name.isupper() and definition.name not in module.changed_later
        return definition.name not in module.changed_later

    def _text(self, definition: Definition) -> tuple[str, ...]:
        module = self.modules[definition.module]
        return tuple(module.source.text(*module.core(place)) for place in module.bindings[definition.name])


def _uses_the_class(module: MigrationModule, line: int, name: str) -> CannotCarryError:
    return CannotCarryError(
        module.path,
        line,
        f"code that has to be copied into the new file uses {name}",
        "In the new file, Migration is the class of another migration.",
        "Move what the code uses out of the class, to the top level of the module.",
    )
