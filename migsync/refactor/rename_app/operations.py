"""The operations of one migration file for an app's new label: references to its models follow, its tables stay.

A table's name is made from the label unless it is stated. So every model whose table nobody states gets the
``db_table`` that it has; everything that Django derives from it (names of other tables, indexes, sequences) stays too.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from migsync.edits.literals import LITERAL, literal
from migsync.edits.source import CannotEdit, Source, Splice
from migsync.engines import ENGINES
from migsync.refactor.rename_app.calls import argument, called, calls, in_header, model_references, text

# Longer names are cut by Django, and only where nobody states them.
LONGEST_TABLE = min(engine.longest_name for engine in ENGINES if engine.longest_name)
STATE_IT = "Set db_table in this file by hand, to the present name of the table; then run the command again."


@dataclass
class Tables:
    """The models of the app so far, in lower case, with the tables that their default names stand for.

    A model whose table is stated has none here. The files must be looked at in the order in which they are applied.
    `renamed` are the places (file, line) where such a model gets another name, with its new table.
    """

    old: str
    renamed: list[tuple[str, int, str]] = field(default_factory=list)
    pinned: dict[str, str] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)

    def default(self, model: str) -> str:
        """The table that a model has by the old label."""
        return f"{self.old}_{model.lower()}"


@dataclass(frozen=True)
class RelabelledFile:
    """A file for the new label. `mentions` are lines that may mean the app, and were left alone."""

    content: bytes
    mentions: tuple[tuple[int, str], ...] = ()


def relabel_operations(content: bytes, path: str, old: str, new: str, tables: Tables | None) -> RelabelledFile:
    """`content` with everything but its header for the new label; the very same bytes where nothing changes.

    `tables` is for files of the app itself, and is kept up to date. Raises CannotEdit, with file and line, for what
    cannot be changed safely.
    """
    if tables is None and old.encode() not in content:
        return RelabelledFile(content)
    try:
        source = Source(content, path)
    except (SyntaxError, ValueError):
        return RelabelledFile(content)  # not Python, and told so where the history is read
    references = list(_references(source, old))
    splices = [Splice(*source.span(node), _renamed(source, node, value, new)) for node, value in references]
    if tables is not None:
        for call in calls(source.tree):
            splices += _tables_of(source, call, tables)
    mentions = tuple(_mentions(source, old, {node for node, _ in references}))
    if not splices:
        return RelabelledFile(content, mentions)
    edited = source.spliced(splices)
    try:
        ast.parse(edited)
    except SyntaxError as error:
        raise CannotEdit(path, error.lineno or 0, "migsync cannot keep the layout of these operations") from None
    return RelabelledFile(edited, mentions)


def _references(source: Source, old: str) -> Iterator[tuple[ast.expr, str]]:
    """Plain strings that name the app, ``shop``, or a model of it, ``shop.Item``, for certain."""
    for call in calls(source.tree):
        for node in model_references(call):
            value = text(node)
            if value is not None and _names(value, old):
                yield node, value


def _names(value: str, old: str) -> bool:
    return re.fullmatch(rf"{re.escape(old)}(?:\.\w+)?", value) is not None


def _renamed(source: Source, node: ast.expr, value: str, new: str) -> str:
    found = LITERAL.fullmatch(source.text(*source.span(node)))
    if not found:
        raise CannotEdit(source.path, node.lineno, f"{value!r} is not written as one plain string")
    _, dot, model = value.partition(".")
    return literal(f"{new}{dot}{model}", found[2], found[1])


def _mentions(source: Source, old: str, edited: set[ast.expr]) -> Iterator[tuple[int, str]]:
    passed_over = in_header(source.tree) | edited
    docstrings = {node.value for node in ast.walk(source.tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Constant) and node not in passed_over | docstrings:
            value = text(node)
            if value is not None and _names(value, old):
                yield node.lineno, value


def _tables_of(source: Source, call: ast.Call, tables: Tables) -> Iterator[Splice]:
    match called(call):
        case "CreateModel":
            yield from _created(source, call, tables)
        case "RenameModel":
            yield from _model_renamed(source, call, tables)
        case "AlterModelTable":
            yield from _table_altered(source, call, tables)
        case "DeleteModel":
            tables.pinned.pop(_name(source, call, "name").lower(), None)


def _name(source: Source, call: ast.Call, name: str, place: int = 0) -> str:
    value = text(argument(call, place, name))
    if value is None:
        raise CannotEdit(source.path, call.lineno, f"the {name} in {called(call)} is not a plain string")
    return value


def _created(source: Source, call: ast.Call, tables: Tables) -> Iterator[Splice]:
    model = _name(source, call, "name")
    tables.names[model.lower()] = model
    tables.pinned.pop(model.lower(), None)
    options = argument(call, 2, "options")
    if options is not None and not (isinstance(options, ast.Dict) and all(options.keys)):
        raise CannotEdit(
            source.path, call.lineno, f"the options of {model} are not a literal dictionary", hint=STATE_IT
        )
    stated = {text(key): value for key, value in zip(options.keys, options.values, strict=True)} if options else {}
    # A proxy has no table of its own.
    if "db_table" in stated or ("proxy" in stated and ast.unparse(stated["proxy"]) == "True"):
        return
    table = _pin(source, call, model, tables)
    if options is None:
        fields = argument(call, 1, "fields")
        if fields is None or any(keyword.arg is None for keyword in call.keywords):
            raise CannotEdit(source.path, call.lineno, f"the fields of {model} are not a literal list", hint=STATE_IT)
        yield _after(source, fields, _options_text(source, fields, table))
    else:
        yield _first_option(source, options, table)


def _pin(source: Source, call: ast.Call, model: str, tables: Tables) -> str:
    table = tables.default(model)
    if len(table) > LONGEST_TABLE:
        raise CannotEdit(
            source.path,
            call.lineno,
            f"the name of the table {table} is too long for some databases, so Django may have shortened it",
            hint=STATE_IT,
        )
    tables.pinned[model.lower()] = table
    return table


def _after(source: Source, node: ast.expr, made: str) -> Splice:
    end = source.span(node)[1]
    return Splice(end, end, made)


def _own_line(source: Source, node: ast.expr) -> tuple[str, str] | None:
    """The indentation and the line end, where a node, or the argument that it is, begins a line."""
    before = source.text(source.line_start(node), source.span(node)[0])
    if found := re.fullmatch(r"(\s*)(?:\w+\s*=\s*)?", before):
        return found[1], source.newline(node)
    return None


def _options_text(source: Source, fields: ast.expr, table: str) -> str:
    quote = source.quote
    option = f"{literal('db_table', quote)}: {literal(table, quote)}"
    if layout := _own_line(source, fields):
        indent, newline = layout
        return f",{newline}{indent}options={{{newline}{indent}    {option},{newline}{indent}}}"
    return f", options={{{option}}}"


def _first_option(source: Source, options: ast.Dict, table: str) -> Splice:
    option = f"{literal('db_table', source.quote)}: {literal(table, source.quote)}"
    if not options.keys:
        return Splice(*source.span(options), f"{{{option}}}")
    first = options.keys[0] or options  # no key is a `**`, which is refused before
    layout = _own_line(source, first)
    start = source.span(first)[0]
    return Splice(start, start, f"{option},{layout[1]}{layout[0]}" if layout else f"{option}, ")


def _model_renamed(source: Source, call: ast.Call, tables: Tables) -> Iterator[Splice]:
    """A stated table does not follow its model: an operation of its own renames it, just before."""
    old, new = _name(source, call, "old_name").lower(), _name(source, call, "new_name", 1)
    tables.names[new.lower()] = new
    if old not in tables.pinned:
        tables.pinned.pop(new.lower(), None)
        return
    del tables.pinned[old]
    table = _pin(source, call, new, tables)
    # Imported as RenameModel alone: then nothing says what AlterModelTable is called in this file.
    if not isinstance(call.func, ast.Attribute):
        raise CannotEdit(source.path, call.lineno, f"the table of {new} would keep its old name", hint=STATE_IT)
    tables.renamed.append((source.path, call.lineno, table))
    prefix = source.text(*source.span(call.func.value))
    quote = source.quote
    # In front of RenameModel, so that the model still has its old name.
    made = f"{prefix}.AlterModelTable(name={literal(old, quote)}, table={literal(table, quote)})"
    layout = _own_line(source, call)
    start = source.span(call)[0]
    yield Splice(start, start, f"{made},{layout[1]}{layout[0]}" if layout else f"{made}, ")


def _table_altered(source: Source, call: ast.Call, tables: Tables) -> Iterator[Splice]:
    """``table=None`` means the default name: it is that of the old label."""
    model, table = _name(source, call, "name"), argument(call, 1, "table")
    tables.pinned.pop(model.lower(), None)
    if isinstance(table, ast.Constant) and table.value is None:
        pinned = _pin(source, call, tables.names.get(model.lower(), model), tables)
        yield Splice(*source.span(table), literal(pinned, source.quote))
