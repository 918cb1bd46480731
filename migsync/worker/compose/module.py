"""The module that Django's writer made, with stand-ins in it, turned into one that stands by itself."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from migsync.edits.source import Source, Splice
from migsync.worker.compose.carried import carried, inline
from migsync.worker.compose.gathering import CannotCarryError, Definition, Gathering, Meaning
from migsync.worker.compose.imports import Imports, header
from migsync.worker.compose.modules import MIGRATION, MigrationModule, futures
from migsync.worker.compose.naming import Named, named
from migsync.worker.compose.references import references
from migsync.worker.compose.serializing import INLINE, STAND_IN, Carrier


@dataclass(frozen=True)
class StandIn:
    """A place where Django wrote a stand-in: what it stands for, by its meaning or by an expression in `module`."""

    node: ast.Attribute
    module: MigrationModule
    local: str
    meaning: Meaning = None
    inline: ast.expr | None = None


@dataclass(frozen=True)
class Whole:
    """A module that stands by itself, and the names of all that was carried into it."""

    text: str
    named: Named


def whole(written: str, carrier: Carrier, package: str, comments: Mapping[int, Sequence[str]]) -> Whole:
    """The module in full, for a file in `package`; `comments` are lines for above the operations, by their number.

    Raises CannotCarryError.
    """
    source = Source(written.encode(), "the file that Django wrote")
    gathering = Gathering(carrier)
    found = [*_stand_ins(source.tree, carrier, gathering)]
    statements = [
        each for each in source.tree.body if isinstance(each, ast.Import | ast.ImportFrom) and not _stands_in(each)
    ]
    definition = next(each for each in source.tree.body if isinstance(each, ast.ClassDef))
    for alias in (alias for statement in statements for alias in statement.names if alias.name in carrier):
        raise by_path(alias.name)
    known = header(statements)
    reserved = {MIGRATION} | {reference.name for reference in references(definition)} - known.keys()
    uses = [(it.module.name, _uses(it, gathering)) for it in found]
    names = named(gathering, known, reserved, uses)
    imports = _imports(statements, names, uses, package)
    splices = [_filled(source, it, names, package) for it in found]
    splices += _comments(source, definition, comments)
    start = source.line(definition.lineno)[0]
    body = source.rendered(start, source.length, sorted(splices, key=lambda splice: (splice.start, splice.end)))
    parts = [imports.text(), carried(names, package), body]
    return Whole("\n\n".join(part if part.endswith("\n") else f"{part}\n" for part in parts if part), names)


def by_path(module: str) -> CannotCarryError:
    """A value that tells Django another place than where it is defined: an import of a migration would be written."""
    return CannotCarryError(
        "",
        0,
        f"A value of an operation says that it is to be imported from {module}",
        "That is a migration, whose file may go away.",
        "Move its class into a module that is no migration, such as _helpers.py.",
    )


def _uses(found: StandIn, gathering: Gathering) -> dict[str, Meaning]:
    if found.inline is None:
        return {found.local: found.meaning}
    return gathering.meanings(found.module, _names(found.module, found.inline))


def _names(module: MigrationModule, node: ast.expr) -> list[str]:
    return [reference.name for reference in module.within(node) if not reference.owner]


def _stands_in(statement: ast.Import | ast.ImportFrom) -> bool:
    return any(alias.name.startswith(STAND_IN) for alias in statement.names)


def _stand_ins(tree: ast.Module, carrier: Carrier, gathering: Gathering) -> Iterator[StandIn]:
    """Every stand-in in order; what it stands for is gathered."""
    modules = {stand_in: name for name, stand_in in carrier.stand_ins.items()}
    # The name of a function in the class has two parts.
    longer = {id(node.value): node for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    found = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in modules
    ]
    for node in sorted(found, key=lambda each: (each.lineno, each.col_offset)):
        module = carrier[modules[node.value.id]]  # type: ignore[attr-defined]
        if node.attr.startswith(INLINE) and node.attr.removeprefix(INLINE).isdigit():
            _, expression = carrier.inline[int(node.attr.removeprefix(INLINE))]
            for name in _names(module, expression):
                _gather(gathering, gathering.meaning(module, name))
            yield StandIn(node, module, "", inline=expression)
            continue
        whole_name, local = node, node.attr
        if node.attr == MIGRATION and id(node) in longer:
            whole_name = longer[id(node)]
            local = f"{MIGRATION}.{whole_name.attr}"
        meaning = gathering.meaning(module, local)
        _gather(gathering, meaning)
        yield StandIn(whole_name, module, local, meaning)


def _gather(gathering: Gathering, meaning: Meaning) -> None:
    if isinstance(meaning, Definition):
        gathering.want(meaning)


def _filled(source: Source, found: StandIn, names: Named, package: str) -> Splice:
    start, end = source.span(found.node)
    if found.inline is not None:
        text = inline(names, found.module, found.inline, package)
    else:
        text = names.name(found.meaning, found.local)
    return Splice(start, end, _always(text))


def _imports(
    statements: Sequence[ast.Import | ast.ImportFrom],
    names: Named,
    inner: Sequence[tuple[str, Mapping[str, Meaning]]],
    package: str,
) -> Imports:
    imports = Imports()
    for statement in statements:
        imports.add(statement)
    modules = names.gathering.modules
    kept = [(it.module, uses) for it, uses in names.gathering.uses.items() if names.canonical[it] == it]
    for name, uses in [*kept, *inner]:
        imports.future.update(futures(modules[name]))
        for local, meaning in uses.items():
            if isinstance(meaning, tuple):
                imports.carry(meaning, names.name(meaning, local), relative=modules[name].package == package)
    return imports


def _comments(source: Source, definition: ast.ClassDef, comments: Mapping[int, Sequence[str]]) -> Iterator[Splice]:
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
        yield Splice(start, start, _always("".join(f"{line}\n        " for line in lines)))


def _always(text: str) -> Callable[[str], str]:
    return lambda _: text
