"""Definitions as source for a new file: byte for byte as they are, but for names that must be others there.

Comments, quotes and line breaks stay. Only three things change: a name for which the new file has another one
(:class:`.namespace.Namespace`), a relative import in a file that goes into another package, and the indentation of a
function that was in the ``Migration`` class.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from migsync.edits.source import Splice
from migsync.history.references import Reference
from migsync.worker.compose.definitions import CannotCarryError, Definition
from migsync.worker.compose.migration_module import MigrationModule
from migsync.worker.compose.namespace import Namespace

_FROM = re.compile(r"from[\s\\]*[.\s]*[\w.]*")


@dataclass(frozen=True)
class _Statement:
    """One statement of the new file; `block`: a function or class; `near`: it stood right below the one before."""

    text: str
    block: bool
    near: bool


def copied_definitions(namespace: Namespace, package: str) -> str:
    """All definitions of the namespace, for a file in `package`.

    The modules come in the order in which they are needed, and the statements of each in its own order.
    """
    statements: list[_Statement] = []
    for name in _order(namespace):
        statements += _statements(namespace, namespace.definitions.modules[name], package)
    text = ""
    for before, statement in zip([None, *statements], statements, strict=False):
        if before is not None:
            text += "\n\n\n" if before.block or statement.block else "\n" if statement.near else "\n\n"
        text += statement.text
    return text


def copied_expression(namespace: Namespace, module: MigrationModule, node: ast.expr, package: str) -> str:
    """An expression, such as a lambda, to be written where it is used in a file in `package`."""
    start, end = module.source.span(node)
    return module.source.rendered(start, end, _splices(namespace, module, module.within(node), [node], package))


def _order(namespace: Namespace) -> list[str]:
    """The modules as they are needed, but each after those that it uses: a constant must be there when it is read.

    `above` are the modules on the way here. Where definitions are shared, two modules can use each other's, and the way
    would never end.
    """
    uses = namespace.definitions.uses
    order: dict[str, None] = {}

    def add(name: str, above: tuple[str, ...]) -> None:
        if name in order or name in above:
            return
        for definition in uses:
            if definition.module == name:
                for meaning in uses[definition].values():
                    if isinstance(meaning, Definition):
                        add(namespace.canonical[meaning].module, (*above, name))
        order[name] = None

    for definition in uses:
        add(definition.module, ())
    return [*order]


def _statements(namespace: Namespace, module: MigrationModule, package: str) -> Iterator[_Statement]:
    wanted = [it for it in namespace.copied if it.module == module.name]
    # In the file's own order: it was right when the file was imported.
    places = sorted({place for definition in wanted for place in module.bindings[definition.name]})
    end = -1
    for place in places:
        statement = module.statements[place]
        start, stop = module.extent(place)
        splices = _splices(namespace, module, module.references(place), [statement], package)
        text = module.source.rendered(start, stop, splices)
        if module.indentation(place):
            text = _dedented(text, module, place, start)
        near = module.source.text(end, start) == "\n" if 0 <= end <= start else False
        yield _Statement(text, isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef), near)
        end = stop


def _splices(
    namespace: Namespace,
    module: MigrationModule,
    references: Iterable[Reference],
    roots: Iterable[ast.AST],
    package: str,
) -> list[Splice]:
    found = []
    for reference in references:
        # What a class inside binds is its own, and keeps its name.
        meaning = None if reference.owner else namespace.definitions.meaning(module, reference.name)
        old = reference.name.rpartition(".")[2]
        new = namespace.name(meaning, old)
        if new != old:
            found += [*_renamed(module, reference.node, old, new)]
    if module.package != package:
        found += [*_absolute(module, roots)]
    return sorted(found, key=lambda splice: splice.start)


def _renamed(module: MigrationModule, node: ast.AST, old: str, new: str) -> Iterator[Splice]:
    """The splices that give a node another name. Raises CannotCarryError for a form in which it cannot have one."""
    source = module.source
    pattern = rf"\b({re.escape(old)})\b"
    match node:
        case ast.Name():
            start, end = source.span(node)
            # Inside an f-string, Python 3.11 does not know the columns.
            if source.text(start, end) == old:
                yield Splice(start, end, new)
                return
        case ast.alias(name=name, asname=asname) if asname or "." not in name:
            start = source.line(node.lineno)[0] + node.col_offset
            end = source.line(node.end_lineno or node.lineno)[0] + (node.end_col_offset or 0)
            yield Splice(start, end, f"{name} as {new}")
            return
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef() | ast.Global() | ast.ExceptHandler():
            start, end = source.span(node)  # type: ignore[arg-type]
            text = source.text(start, end)
            # The syntax tree does not say where the name is: it is the first after "def" or "class" that fits.
            if isinstance(node, ast.ExceptHandler):
                pattern = rf"\bas\s+({re.escape(old)})\b"
            found = [*re.finditer(pattern, text)] if isinstance(node, ast.Global) else [re.search(pattern, text)]
            for match in filter(None, found):
                begin = start + len(text[: match.start(1)].encode())
                yield Splice(begin, begin + len(old.encode()), new)
            return
    raise CannotCarryError(
        module.path,
        getattr(node, "lineno", 0),
        f"two different things would have the name {old} in the new file, and migsync cannot rename this one to {new}",
        "Each needs a name of its own.",
        f"Rename {old} in this file by hand, then run the command again.",
    )


def _absolute(module: MigrationModule, roots: Iterable[ast.AST]) -> Iterator[Splice]:
    """Relative imports inside of what goes into another package."""
    for node in (node for root in roots for node in ast.walk(root)):
        if isinstance(node, ast.ImportFrom) and node.level:
            start, end = module.source.span(node)
            match = _FROM.match(module.source.text(start, end))
            if match:
                end = start + len(match[0].rstrip().encode())
                yield Splice(start, end, f"from {module.absolute(node)}")


def _dedented(text: str, module: MigrationModule, place: int, start: int) -> str:
    """A function of the class as one of the module; what stands in a string over several lines is left alone."""
    depth = module.indentation(place)
    first = module.source.text(0, start).count("\n") + 1
    inside: set[int] = set()
    for node in ast.walk(module.statements[place]):
        if isinstance(node, ast.Constant | ast.JoinedStr):
            inside.update(range(node.lineno + 1, (node.end_lineno or 0) + 1))
    lines = text.split("\n")
    return "\n".join(
        line[depth:] if number not in inside and not line[:depth].strip() else line
        for number, line in enumerate(lines, first)
    )
