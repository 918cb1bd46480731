"""Definitions as source for a new file: the bytes that they have, with other names where two would have one."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from migsync.edits.source import Splice
from migsync.worker.compose.gathering import CannotCarryError, Definition
from migsync.worker.compose.modules import MigrationModule
from migsync.worker.compose.naming import Named
from migsync.worker.compose.references import Reference

_FROM = re.compile(r"from[\s\\]*[.\s]*[\w.]*")


@dataclass(frozen=True)
class Piece:
    """One statement of the new file; `near`: it stood on the line right after the one before."""

    text: str
    block: bool
    near: bool


def carried(named: Named, package: str) -> str:
    """Everything that was gathered, in the order in which the modules are needed, each module's in its own order."""
    pieces: list[Piece] = []
    for name in _order(named):
        pieces += _pieces(named, named.gathering.modules[name], package)
    text = ""
    for before, piece in zip([None, *pieces], pieces, strict=False):
        if before is not None:
            text += "\n\n\n" if before.block or piece.block else "\n" if piece.near else "\n\n"
        text += piece.text
    return text


def inline(named: Named, module: MigrationModule, node: ast.expr, package: str) -> str:
    """An expression, to be written in place."""
    start, end = module.source.span(node)
    return module.source.rendered(start, end, _splices(named, module, module.within(node), [node], package))


def _order(named: Named) -> list[str]:
    """The modules as they are needed, but each after those that it uses."""
    uses = named.gathering.uses
    order: dict[str, None] = {}

    def add(name: str, above: tuple[str, ...]) -> None:
        if name in order or name in above:
            return
        for definition in uses:
            if definition.module == name:
                for meaning in uses[definition].values():
                    if isinstance(meaning, Definition):
                        add(named.canonical[meaning].module, (*above, name))
        order[name] = None

    for definition in uses:
        add(definition.module, ())
    return [*order]


def _pieces(named: Named, module: MigrationModule, package: str) -> Iterator[Piece]:
    wanted = [it for it in named.gathering.uses if it.module == module.name and named.canonical[it] == it]
    places = sorted({place for definition in wanted for place in module.bindings[definition.name]})
    end = -1
    for place in places:
        statement = module.statements[place]
        start, stop = module.extent(place)
        splices = _splices(named, module, module.references(place), [statement], package)
        text = module.source.rendered(start, stop, splices)
        if module.indentation(place):
            text = _dedented(text, module, place, start)
        near = module.source.text(end, start) == "\n" if 0 <= end <= start else False
        yield Piece(text, isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef), near)
        end = stop


def _splices(
    named: Named, module: MigrationModule, references: Iterable[Reference], roots: Iterable[ast.AST], package: str
) -> list[Splice]:
    found = []
    for reference in references:
        meaning = None if reference.owner else named.gathering.meaning(module, reference.name)
        old = reference.name.rpartition(".")[2]
        new = named.name(meaning, old)
        if new != old:
            found += [*_renamed(module, reference.node, old, new)]
    if module.package != package:
        found += [*_absolute(module, roots)]
    return sorted(found, key=lambda splice: splice.start)


def _renamed(module: MigrationModule, node: ast.AST, old: str, new: str) -> Iterator[Splice]:
    """The splices by which a node has another name."""
    source = module.source
    pattern = rf"\b({re.escape(old)})\b"
    replace = _always(new)
    match node:
        case ast.Name():
            start, end = source.span(node)
            if source.text(start, end) == old:
                yield Splice(start, end, replace)
                return
        case ast.alias(name=name, asname=asname) if asname or "." not in name:
            start = source.line(node.lineno)[0] + node.col_offset
            end = source.line(node.end_lineno or node.lineno)[0] + (node.end_col_offset or 0)
            yield Splice(start, end, _always(f"{name} as {new}"))
            return
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef() | ast.Global() | ast.ExceptHandler():
            start, end = source.span(node)  # type: ignore[arg-type]
            text = source.text(start, end)
            if isinstance(node, ast.ExceptHandler):
                pattern = rf"\bas\s+({re.escape(old)})\b"
            found = [*re.finditer(pattern, text)] if isinstance(node, ast.Global) else [re.search(pattern, text)]
            for match in filter(None, found):
                begin = start + len(text[: match.start(1)].encode())
                yield Splice(begin, begin + len(old.encode()), replace)
            return
    raise CannotCarryError(
        module.path,
        getattr(node, "lineno", 0),
        f"two things would be called {old} in the new file, and in this form migsync cannot rename this one to {new}",
        "Each needs a name of its own.",
        f"Rename {old} in this file by hand.",
    )


def _always(text: str) -> Callable[[str], str]:
    return lambda _: text


def _absolute(module: MigrationModule, roots: Iterable[ast.AST]) -> Iterator[Splice]:
    """Relative imports inside of what goes into another package."""
    for node in (node for root in roots for node in ast.walk(root)):
        if isinstance(node, ast.ImportFrom) and node.level:
            start, end = module.source.span(node)
            match = _FROM.match(module.source.text(start, end))
            if match:
                end = start + len(match[0].rstrip().encode())
                yield Splice(start, end, _always(f"from {module.absolute(node)}"))


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
