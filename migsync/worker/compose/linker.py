"""The module that Django's writer made, with stand-ins in it, turned into one that stands by itself.

As a linker does with object files: find the stand-ins (:class:`StandIn`), collect the definitions that they need
(:mod:`.definitions`), give all of them names (:mod:`.namespace`), copy their source (:mod:`.copies`), and put the names
where the stand-ins were.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from migsync.edits.source import Source, Splice
from migsync.history.references import references
from migsync.worker.compose.copies import copied_definitions, copied_expression
from migsync.worker.compose.definitions import CannotCarryError, Definitions, Meaning
from migsync.worker.compose.migration_module import MIGRATION, MigrationModule
from migsync.worker.compose.namespace import Imports, Namespace, header, named
from migsync.worker.compose.serializer import INLINE, STAND_IN, StandIns


@dataclass(frozen=True)
class StandIn:
    """A place where Django wrote a stand-in, and what it stands for in `module`.

    That is the `meaning` of the name `local`, or the expression `inline`.
    """

    node: ast.Attribute
    module: MigrationModule
    local: str
    meaning: Meaning = None
    inline: ast.expr | None = None

    def uses(self, definitions: Definitions) -> Mapping[str, Meaning]:
        """The names of the module that stand here in the end, and what they lead to."""
        if self.inline is None:
            return {self.local: self.meaning}
        return definitions.meanings(self.module, _names(self.module, self.inline))

    def splice(self, source: Source, namespace: Namespace, package: str) -> Splice:
        """What goes here in a file in `package`."""
        start, end = source.span(self.node)
        if self.inline is not None:
            return Splice(start, end, copied_expression(namespace, self.module, self.inline, package))
        return Splice(start, end, namespace.name(self.meaning, self.local))


@dataclass(frozen=True)
class LinkedModule:
    """The text of a module that stands by itself, and the names of all that was copied into it."""

    text: str
    namespace: Namespace


def link(written: str, stand_ins: StandIns, package: str, comments: Mapping[int, Sequence[str]]) -> LinkedModule:
    """The module in full, for a file in `package`; `comments` are lines for above the operations, by their number.

    Raises CannotCarryError.
    """
    source = Source(written.encode(), "the file that Django wrote")
    definitions = Definitions(stand_ins)
    found = [*_stand_ins(source.tree, stand_ins, definitions)]
    statements = [
        each for each in source.tree.body if isinstance(each, ast.Import | ast.ImportFrom) and not _is_stand_in(each)
    ]
    definition = next(each for each in source.tree.body if isinstance(each, ast.ClassDef))
    # A value can lie about its module, and Django believes it: the import would not survive the old file.
    for alias in (alias for statement in statements for alias in statement.names if alias.name in stand_ins):
        raise imported_migration(alias.name)
    known = header(statements)
    # What else the class names are builtins, and they must stay what they are.
    reserved = {MIGRATION} | {reference.name for reference in references(definition)} - known.keys()
    uses = [(it.module.name, it.uses(definitions)) for it in found]
    namespace = named(definitions, known, reserved, uses)
    imports = _imports(statements, namespace, uses, package)
    splices = [it.splice(source, namespace, package) for it in found]
    splices += _comments(source, definition, comments)
    start = source.line(definition.lineno)[0]
    body = source.rendered(start, source.length, sorted(splices, key=lambda splice: (splice.start, splice.end)))
    parts = [imports.text(), copied_definitions(namespace, package), body]
    text = "\n\n".join(part if part.endswith("\n") else f"{part}\n" for part in parts if part)
    return LinkedModule(text, namespace)


def imported_migration(module: str) -> CannotCarryError:
    """The error for a value that makes Django import a migration's module."""
    return CannotCarryError(
        "",
        0,
        f"Django would import a value of an operation from {module}",
        "This is a migration, whose file may no longer exist when the new file runs.",
        "Move the class of the value into a module that is not a migration, such as _helpers.py.",
    )


def _names(module: MigrationModule, node: ast.expr) -> list[str]:
    return [reference.name for reference in module.within(node) if not reference.owner]


def _is_stand_in(statement: ast.Import | ast.ImportFrom) -> bool:
    return any(alias.name.startswith(STAND_IN) for alias in statement.names)


def _stand_ins(tree: ast.Module, stand_ins: StandIns, definitions: Definitions) -> Iterator[StandIn]:
    """Every stand-in in order; `definitions` come to hold what it stands for."""
    modules = {prefix: name for name, prefix in stand_ins.prefixes.items()}
    outer = {id(node.value): node for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    found = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in modules
    ]
    # In source order: the order of the definitions in the new file comes from it.
    for node in sorted(found, key=lambda each: (each.lineno, each.col_offset)):
        module = stand_ins[modules[node.value.id]]  # type: ignore[attr-defined]
        if node.attr.startswith(INLINE) and node.attr.removeprefix(INLINE).isdigit():
            _, expression = stand_ins.inline[int(node.attr.removeprefix(INLINE))]
            for name in _names(module, expression):
                definitions.want(definitions.meaning(module, name))
            yield StandIn(node, module, "", inline=expression)
            continue
        whole_name, local = node, node.attr
        # The name of a function in the class has two parts: migsync_carried_3.Migration.forwards.
        if node.attr == MIGRATION and id(node) in outer:
            whole_name = outer[id(node)]
            local = f"{MIGRATION}.{whole_name.attr}"
        meaning = definitions.meaning(module, local)
        definitions.want(meaning)
        yield StandIn(whole_name, module, local, meaning)


def _imports(
    statements: Sequence[ast.Import | ast.ImportFrom],
    namespace: Namespace,
    inline: Sequence[tuple[str, Mapping[str, Meaning]]],
    package: str,
) -> Imports:
    """Django's own imports, and those that the copied source needs."""
    imports = Imports()
    for statement in statements:
        imports.add(statement)
    definitions = namespace.definitions
    copied = [(it.module, definitions.uses[it]) for it in namespace.copied]
    for name, uses in [*copied, *inline]:
        imports.add_uses(definitions.modules[name], uses, namespace, package)
    return imports


def _comments(source: Source, definition: ast.ClassDef, comments: Mapping[int, Sequence[str]]) -> Iterator[Splice]:
    """The comments, each as a line above its operation in the list that Django wrote."""
    elements = next(
        statement.value.elts
        for statement in definition.body
        if isinstance(statement, ast.Assign)
        and isinstance(statement.targets[0], ast.Name)
        and statement.targets[0].id == "operations"
        and isinstance(statement.value, ast.List)
    )
    for number, lines in comments.items():
        start, _ = source.span(elements[number])
        yield Splice(start, start, "".join(f"{line}\n        " for line in lines))
