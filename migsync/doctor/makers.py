"""Which migrations make a table, a column or an index, by their files."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import NamedTuple

from migsync.history import History
from migsync.history.contents import Action, Contents, PartKind
from migsync.history.migration import Key
from migsync.history.tables import TAKES, TableState, steps_of, tables

Columns = dict[str, dict[str, frozenset[str]]]
"""By table and field, the names that the column of the field may have."""


@dataclass(frozen=True, slots=True)
class Maker:
    """A migration that makes what is asked for.

    `made` is everything that it makes, as far as tables and columns go. `tables` are those that are new.
    """

    migration: Key
    made: Columns = field(default_factory=dict)
    tables: frozenset[str] = frozenset()


class AbsentPart(NamedTuple):
    """A table (without a field), or the column of a field; `shown` is ``table`` or ``table.column``."""

    table: str
    field: str
    shown: str


def absent(wanted: Columns, there: Mapping[str, AbstractSet[str]]) -> list[AbsentPart]:
    """What is wanted and not among the columns by table that are there: tables first; no columns of such tables."""
    tables = [AbsentPart(table, "", table) for table in wanted if table not in there]
    return tables + [
        AbsentPart(table, name, f"{table}.{max(names)}")
        for table, columns in wanted.items()
        if table in there
        for name, names in columns.items()
        if names.isdisjoint(there[table])
    ]


def makers(history: History, *, table: str = "", column: str = "", index: str = "") -> list[Maker]:
    """The migrations that make this table, this column (of `table`, where one is given) or this index, in order.

    A table that gets its name when a model or ``db_table`` is renamed counts as made. Empty where no file says so.
    """
    apps = [app for app in history.apps if history.names(app)]
    likely = [app for app in apps if (table or index).startswith(f"{app}_")]
    # Where the label does not tell, the name is in a file as it is: that of a `db_table`, a field or an index.
    words = {table, table.rpartition("_")[0]} if not column else {column, column.removesuffix("_id")}
    others = (app for app in apps if app not in likely and _mentions(history, app, {index} if index else words))
    for some in (likely, others):
        made = (_index_makers(history, app, index) if index else _makers(history, app, table, column) for app in some)
        if found := [maker for of_app in made for maker in of_app]:
            return found
    return []


def _mentions(history: History, app: str, words: AbstractSet[str]) -> bool:
    """Whether one of the words is in a file of the app."""
    sought = [word.encode() for word in words if word]
    for name in history.names(app):
        try:
            source = Path(history.migrations[Key(app, name)].path).read_bytes()
        except OSError:
            return True
        if any(word in source for word in sought):
            return True
    return False


def files_with(history: History, model: str) -> list[Key]:
    """The project's migrations that have a model, as ``app.model``, in a text of their file, whatever its case."""
    sought = re.compile(rb"[\"']" + re.escape(model.encode()) + rb"[\"']", re.IGNORECASE)
    return [
        key
        for key in history.order
        if key.app in history.first_party and sought.search(Path(history.migrations[key].path).read_bytes())
    ]


def models_near(history: History, model: str) -> list[str]:
    """The models of the app of ``app.model`` that have a name like this one, in lower case."""
    app, _, name = model.lower().partition(".")
    steps = (step for key in in_order(history, app) for step in steps_of(history.migrations[key].contents))
    return get_close_matches(name, {step.model for step in steps if step.part is PartKind.MODEL})


def remover(history: History, applied: AbstractSet[Key], maker: Key, table: str, column: str) -> Key | None:
    """The applied migration that has removed, or renamed, what `maker` made; None where it is still to be there."""
    gone = None
    for key, before, after in _states(history, maker.app, applied):
        if _has(before, table, column) and not _has(after, table, column):
            gone = key
        elif _has(after, table, column):
            gone = None
    return gone


def expected(history: History, applied: AbstractSet[Key], app: str) -> Columns:
    """The tables and columns of an app after the migrations that are applied."""
    *_, (_, _, after) = [(None, {}, {}), *_states(history, app, applied)]
    return after


def is_expected(part: str, there: Columns) -> bool:
    """Whether a table, or a column ``table.column``, is still to be there."""
    table, _, column = part.partition(".")
    return table in there and (not column or any(column in names for names in there[table].values()))


def last_makers(history: History, applied: AbstractSet[Key], app: str) -> dict[tuple[str, str], Key]:
    """The last applied migration that made each table (without a field) and each column (by its field)."""
    found: dict[tuple[str, str], Key] = {}
    for key, before, after in _states(history, app, applied):
        for table, fields in after.items():
            known = before.get(table)
            if known is None:
                found[table, ""] = key
            found |= {(table, field): key for field in fields if known is None or field not in known}
    return found


def pending_removers(history: History, pending: AbstractSet[Key], app: str) -> dict[tuple[str, str], Key]:
    """The first pending migration that removes or renames each table (without a field) and each column (by field)."""
    found: dict[tuple[str, str], Key] = {}
    for key, before, after in _states(history, app):
        if key in pending:
            for table, fields in before.items():
                left = after.get(table)
                if left is None:
                    found.setdefault((table, ""), key)
                gone = fields if left is None else [field for field in fields if field not in left]
                for field in gone:
                    found.setdefault((table, field), key)
    return found


def _makers(history: History, app: str, table: str, column: str) -> Iterator[Maker]:
    for key, before, after in _states(history, app):
        there = _has(before, table, column)
        if (_has(after, table, column) and not there) or (
            there and _creates(history.migrations[key].contents, app, table, column)
        ):
            yield Maker(key, new_parts(before, after), frozenset(after.keys() - before.keys()))


def _creates(contents: Contents, app: str, table: str, column: str) -> bool:
    """Whether a file creates what is there already."""
    state = TableState()
    state.run(each for each in contents.operations if each.kind in ("CreateModel", "AddField"))
    return _has(columns_of(state, app, made_here=not column), table, column)


def _index_makers(history: History, app: str, index: str) -> Iterator[Maker]:
    for key in in_order(history, app):
        steps = [step for step in steps_of(history.migrations[key].contents) if step.action is not Action.REMOVE]
        if any(step.part is PartKind.INDEX and index in (step.name, step.value) for step in steps):
            yield Maker(key)


def index_removers(history: History, app: str, index: str) -> list[Key]:
    """The migrations that remove or rename an index, or a constraint, in order; none where a later one makes it."""
    found: list[Key] = []
    for key in in_order(history, app):
        steps = [each for each in steps_of(history.migrations[key].contents) if each.part is PartKind.INDEX]
        if any(each.name == index and each.action in TAKES for each in steps):
            found.append(key)
        elif any(index in (each.name, each.value) for each in steps):
            found.clear()
    return found


def _states(
    history: History, app: str, applied: AbstractSet[Key] | None = None
) -> Iterator[tuple[Key, Columns, Columns]]:
    """The migrations of an app (those that are `applied`), each with the columns before and after it."""
    state = TableState()
    before: Columns = {}
    for key in in_order(history, app):
        if applied is None or key in applied:
            contents = history.migrations[key].contents
            state.run(contents.operations)
            if any(step.part is not PartKind.CODE for step in steps_of(contents)):
                after = columns_of(state, app)
                yield key, before, after
                before = after


def in_order(history: History, app: str) -> Iterable[Key]:
    """The migrations of an app; of a squash and what it replaces only the latter, where all of it is on disk."""
    for key in (Key(app, name) for name in history.names(app)):
        replaces = history.migrations[key].replaces
        if not replaces or not all(replaced in history.migrations for replaced in replaces):
            yield key


def columns_of(state: TableState, app: str, *, made_here: bool = True, certain: bool = False) -> Columns:
    """The tables of a state with their columns; with `made_here`, only those that it makes itself.

    With `certain`, without the fields of which the files do not tell that they have a column: a field of a class that
    is not Django's may be a many-to-many field, or be made of other fields, as a composite primary key is.
    """
    return {
        name: {
            field: column.names(field)
            for field, (column, place) in table.columns.items()
            # Django reserves the name "pk" for a composite primary key, which is no column.
            if not certain or place.part is PartKind.LINK or (column.is_certain and field != "pk")
        }
        for name, table in tables(state, app).items()
        if table.made or not made_here
    }


def new_parts(before: Columns, after: Columns) -> Columns:
    """The tables and columns that are new: tables in the order in which they are made, columns by field."""
    made: Columns = {}
    for table, columns in after.items():
        there = {name for names in before.get(table, {}).values() for name in names}
        new = {field: names for field, names in sorted(columns.items()) if not names & there}
        if new or table not in before:
            made[table] = new
    return made


def _has(columns: Columns, table: str, column: str) -> bool:
    if not column:
        return table in columns
    return any(column in names for each in ([table] if table else columns) for names in columns.get(each, {}).values())
