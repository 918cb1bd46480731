"""A whole schema in the server's own words: every table, column, index, constraint, view, trigger.

The order of columns is left out, and so are names that Django or the server made up by themselves: they tell under
which name of a table or a column something was made first.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, NamedTuple

OURS: Final = re.compile(r"^(django_migrations|migsync_\w+|sqlite_\w+)$")
GENERATED: Final = re.compile(
    r"_[0-9a-f]{8}(_uniq|_like|_idx|_pk|_check|_fk(_\w*)?)?$"  # Django: _create_index_name
    r"|_(pkey|key\d*|check\d*|fkey\d*|excl\d*|chk_\d+|ibfk_\d+)$|^CONSTRAINT_\d+$"  # PostgreSQL, MySQL, MariaDB
)
OFTEN_UNNAMED: Final = frozenset({"index", "unique constraint", "primary key", "foreign key", "check", "constraint"})

Execute = Callable[[str], Iterable[tuple[Any, ...]]]
"""Runs one statement, in which ``%`` stands for itself, and gives its rows."""
PartRow = tuple[str, str, str, str]
"""(kind, table, name, definition) of one thing; its table or its name may be empty."""


class Part(NamedTuple):
    """One thing in a schema. `table` is empty for what belongs to none; a thing without a name has its definition."""

    kind: str
    table: str
    name: str


def catalog_of(parts: Iterable[PartRow]) -> dict[Part, str]:
    """Every part with its definition; tables of Django's and migsync's bookkeeping left out.

    A part that has no name of its own, and is there several times, has their number for a definition.
    """
    found: dict[Part, str] = {}
    for kind, table, name, definition in parts:
        if OURS.match(table or name):
            continue
        # Only kinds that Django and servers name by themselves: a table may be called ``door_key`` on purpose.
        if name and not (kind in OFTEN_UNNAMED and GENERATED.search(name)):
            found[Part(kind, table, name)] = definition
            continue
        part = Part(kind, table, definition)
        found[part] = str(int(found.get(part, "0")) + 1)
    return found


def link_tables(rows: Iterable[PartRow]) -> set[str]:
    """The tables that look like those of a ManyToManyField: an id, and the ids of two others.

    Whether Django makes that first id an integer or a bigint depends on its version and on DEFAULT_AUTO_FIELD, and it
    never changes one that is there.
    """
    columns: dict[str, set[str]] = {}
    for kind, table, name, _ in rows:
        if kind == "column":
            columns.setdefault(table, set()).add(name)
    return {
        table
        for table, names in columns.items()
        if len(names) == 3 and "id" in names and all(name == "id" or name.endswith("_id") for name in names)
    }


def differing(before: Mapping[Part, str], after: Mapping[Part, str]) -> list[Part]:
    """The parts that two catalogs do not have in common, sorted; of a table that only one has, the table alone."""
    parts = sorted(part for part in before.keys() | after.keys() if before.get(part) != after.get(part))
    tables = {part.table for part in parts if part.kind == "table" and (part in before) != (part in after)}
    return [part for part in parts if part.kind == "table" or part.table not in tables]


def decoded(value: Any) -> str:  # noqa: ANN401
    """A value of a row as text; some drivers give bytes for columns of information_schema."""
    return value.decode() if isinstance(value, bytes) else "" if value is None else str(value)
