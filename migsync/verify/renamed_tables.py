"""Tables that the recorded migrations make, and that a database may have under another name; pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet

from migsync.engines.catalog import Part
from migsync.key import Key
from migsync.verify.composition import ON_TABLES, Catalog
from migsync.worker.migration_traces import MigrationTrace

WITH_NAMES = ON_TABLES | {"sequence"}
"""Kinds of parts that have names of their own, which a renamed table keeps."""


def is_named(part: Part, definition: str | None) -> bool:
    """Whether the part has a name that the migration gave it. Those without one are counted."""
    return part.kind in WITH_NAMES and definition is not None and not definition.isdecimal()


def renamed_tables(
    traces: Sequence[MigrationTrace], recorded: AbstractSet[Key], live: Catalog
) -> Mapping[str, Sequence[str]]:
    """For each table that is gone, those that no migration makes and that may be it.

    They have the columns that it had after one of the recorded migrations; or an index, a constraint or a sequence that
    such a migration made for it, under the same name. `migrate` would fail to make that a second time.
    """
    known = {Part(*part) for trace in traces for *part, _ in trace.changes}
    unexplained = _columns({part: each for part, each in live.items() if part not in known})
    elsewhere: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for part, definition in live.items():
        if part not in known and is_named(part, definition):
            elsewhere[part.kind, part.name].add(part.table or part.name)
    found: defaultdict[str, set[str]] = defaultdict(set)
    now: dict[Part, str] = {}
    for table, parts in _stages(traces, recorded, now):
        if Part("table", table, table) in live:
            continue
        columns = _columns(parts).get(table)
        found[table] |= {other for other, own in unexplained.items() if own and own == columns}
        for part, definition in parts.items():
            if is_named(part, definition):
                found[table] |= elsewhere.get((part.kind, part.name), set())
    return {table: sorted(others) for table, others in found.items() if others}


def _stages(
    traces: Sequence[MigrationTrace], recorded: AbstractSet[Key], now: dict[Part, str]
) -> Iterator[tuple[str, Mapping[Part, str]]]:
    """Each table with its parts, after each recorded migration that changes it."""
    for trace in traces:
        if trace.key not in recorded:
            continue
        for *part, definition in trace.changes:
            now.pop(Part(*part), None)
            if definition is not None:
                now[Part(*part)] = definition
        for table in {each[1] for each in trace.changes}:
            yield table, {part: each for part, each in now.items() if part.table == table}


def _columns(parts: Mapping[Part, str]) -> Mapping[str, frozenset[str]]:
    """The names of the columns of each table whose own part is among these."""
    found: dict[str, set[str]] = {part.table: set() for part in parts if part.kind == "table"}
    for part in parts:
        if part.kind == "column" and part.table in found:
            found[part.table].add(part.name)
    return {table: frozenset(names) for table, names in found.items()}
