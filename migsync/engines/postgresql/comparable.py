"""A PostgreSQL catalog without what depends on the version of Django, or on how a database is administered."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from migsync.engines.catalog import PartRow, link_tables

ADMINISTRATION: Final = frozenset({"grants", "default privileges", "publication", "statistics"})
COLUMN: Final = re.compile(
    r"^(?P<type>.*?)(?: COLLATE \S+)? (?P<null>NOT NULL|NULL)(?: (?P<rest>(?:DEFAULT|GENERATED|IDENTITY)\b.*))?$"
)
NUMBER: Final = re.compile(r"^(?:small|big)int\b")
PARTITIONED: Final = re.compile(r"\b(?:RANGE|LIST|HASH) \(")
CONSTRAINTS: Final = frozenset({"primary key", "unique constraint", "constraint"})


def comparable(rows: Iterable[PartRow]) -> Iterator[PartRow]:
    """The same parts; a serial column is an identity, and the index of a constraint goes with the constraint."""
    found = list(rows)
    links = link_tables(found)
    named = {(table, name) for kind, table, name, _ in found if kind in CONSTRAINTS}
    for kind, table, name, definition in found:
        if kind == "table":
            yield kind, table, name, "partitioned" if PARTITIONED.search(definition) else ""
        elif kind == "column":
            number = name == "id" and table in links
            yield from _column(table, name, NUMBER.sub("integer", definition) if number else definition)
        elif kind == "function":
            # Behind the body are the privileges.
            yield kind, table, name, re.sub(r"(\$function\$|\$procedure\$)(?!.*\1).*$", r"\1", definition)
        elif kind in ADMINISTRATION or (kind == "sequence" and table) or (kind == "index" and (table, name) in named):
            continue
        else:
            yield kind, table, name, definition


def _column(table: str, name: str, definition: str) -> Iterator[PartRow]:
    # Behind the dashes are storage, statistics, privileges and the comment.
    said = COLUMN.match(definition.partition(" -- ")[0])
    if said is None:
        yield "column", table, name, definition
        return
    kept, rest = f"{said['type']} {said['null']}", said["rest"] or ""
    if rest.startswith("IDENTITY") or "nextval()" in rest:
        kept += " IDENTITY"
    elif rest.startswith("DEFAULT"):
        yield "default", table, name, rest.removeprefix("DEFAULT ")
    elif rest:
        kept += f" {rest}"
    yield "column", table, name, kept
