"""The removal of `replaces` from the file of a squash: the whole statement, and nothing else.

With it go the comment at the end of its line and, where it stood between two empty lines, one of these. Comments above
it stay: what they say may be about more than the statement.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from migsync.edits.source import CannotEdit, Source, Splice
from migsync.history.bindings import BindingKind, Scope

REPLACES = "replaces"
_MEANING = "migsync cannot remove the statement from the file without changing anything else."
_HINT = f"Remove `{REPLACES}` by hand, then run the command again."
_REST_OF_LINE = re.compile(r"[ \t\f]*(?:#[^\r\n]*)?(\r\n|\r|\n|\Z)")
_EMPTY_LINE = re.compile(r"[ \t\f]*(?:\r\n|\r|\n)")
_LAST_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)\Z")


def without_replaces(source: Source, definition: ast.ClassDef) -> list[Splice]:
    """The splices that take every statement of `replaces` out of the class; raises CannotEdit, naming the line."""
    statements = list(_statements(source, definition))
    inside = {id(node) for statement in statements for node in ast.walk(statement)}
    for node in ast.walk(source.tree):
        match node:
            case ast.Name(id="replaces", lineno=line) | ast.Attribute(attr="replaces", lineno=line):
                if id(node) not in inside:
                    raise _refused(source, line, f"`{REPLACES}` is used elsewhere in the file too")
    return [_without(source, statement) for statement in statements]


def _statements(source: Source, definition: ast.ClassDef) -> Iterator[ast.stmt]:
    """The statements of the class's own body that make up the attribute, and nothing besides."""
    bindings = Scope(definition.body)[REPLACES]
    if not bindings:
        raise _refused(source, definition.lineno, f"the class inherits `{REPLACES}`")
    for binding in bindings:
        statement = binding.statement
        alone = not isinstance(statement, ast.Assign) or all(isinstance(it, ast.Name) for it in statement.targets)
        if binding.kind is BindingKind.OTHER or not alone or len(getattr(statement, "targets", ())) > 1:
            raise _refused(source, statement.lineno, f"this statement does more than set `{REPLACES}`")
        yield statement
    # A class without a statement is a syntax error.
    if len(definition.body) == len(bindings):
        raise _refused(source, definition.lineno, f"the class contains nothing but `{REPLACES}`")


def _without(source: Source, statement: ast.stmt) -> Splice:
    start, end = source.line_start(statement), source.span(statement)[1]
    rest = source.text(end, source.length)
    line = _REST_OF_LINE.match(rest)
    if source.text(start, source.span(statement)[0]).strip() or line is None:
        raise _refused(source, statement.lineno, "another statement is on the same line")
    stop = end + len(line[0].encode())
    empty = _EMPTY_LINE.match(rest, line.end())
    above = _LAST_LINE.search(source.text(0, start))
    # An empty line above and one below: with the statement gone, they would be two in a row.
    if empty and above and not above[0].strip():
        stop += len(empty[0].encode())
    return Splice(start, stop, "")


def _refused(source: Source, line: int, what: str) -> CannotEdit:
    return CannotEdit(source.path, line, what, _MEANING, _HINT)
