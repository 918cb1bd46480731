"""Comments in a migration's class: those of an operation that stays as it is go with it, the others are told.

So are the docstrings of the class and the module.
"""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from migsync.companion.composing.modules import MigrationModule
from migsync.companion.composing.written import operations


@dataclass(frozen=True)
class Comment:
    """One comment of a file, ``#`` and all; `alone`: nothing else is on its line."""

    line: int
    text: str
    alone: bool


@dataclass(frozen=True)
class Comments:
    """`above`: the lines for above each operation, by its number in the new file. `lost`: (module, comment)."""

    above: dict[int, list[str]]
    lost: list[tuple[MigrationModule, Comment]]


def attributed(modules: Iterable[MigrationModule], kept: Sequence[Any]) -> Comments:
    """What becomes of the comments in the classes of these modules, when `kept` are the operations of the new file."""
    places = {id(operation): number for number, operation in enumerate(kept)}
    above: dict[int, list[str]] = {}
    lost = []
    for module in modules:
        if module.definition is None:
            continue
        lost += [(module, line) for line in _docstrings(module.source.tree, module.definition)]
        body = module.source.span(module.definition)
        inside = comments(module.source.text(*body), module.definition.lineno)
        attributable: dict[int, int] = {}
        for operation, node in operations(module):
            if id(operation) in places:
                lines = [*_above(inside, node.lineno), *range(node.lineno, (node.end_lineno or node.lineno) + 1)]
                attributable |= dict.fromkeys(lines, places[id(operation)])
        functions = {line for place in range(module.top, len(module.statements)) for line in module.lines(place)}
        for comment in inside:
            if comment.line in attributable:
                above.setdefault(attributable[comment.line], []).append(comment.text)
            elif comment.line not in functions:
                lost.append((module, comment))
    return Comments(above, lost)


def _docstrings(*nodes: ast.Module | ast.ClassDef) -> Iterator[Comment]:
    """The lines of docstrings, as comments."""
    for node in nodes:
        for number, line in enumerate((ast.get_docstring(node) or "").splitlines(), node.body[0].lineno):
            if line.strip():
                yield Comment(number, line, alone=True)


def comments(text: str, first_line: int) -> list[Comment]:
    """The comments of a piece of source that begins on `first_line`."""
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    return [
        Comment(token.start[0] + first_line - 1, token.string, token.line[: token.start[1]].strip() == "")
        for token in tokens
        if token.type == tokenize.COMMENT
    ]


def _above(inside: Iterable[Comment], line: int) -> range:
    """The lines with nothing but comments right above a line."""
    alone = {comment.line for comment in inside if comment.alone}
    first = line
    while first - 1 in alone:
        first -= 1
    return range(first, line)
