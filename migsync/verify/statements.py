"""Which statements of a migration a database lacks; pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from migsync.engines.catalog import Part
from migsync.verify.composition import Catalog, PartResult, is_as
from migsync.verify.renamed_tables import is_named
from migsync.worker.migration_traces import Statement


@dataclass(frozen=True)
class MissingStatements:
    """The statements of a migration that a database lacks, in their order; `last` is the last that it has.

    They are `number` in all. Without `missing`, it cannot be told: a statement ran in part, or something else changed
    what it made.
    """

    missing: tuple[str, ...] = ()
    last: str = ""
    number: int = 0


def missing_statements(
    statements: Sequence[Statement],
    results: Iterable[PartResult],
    live: Catalog,
    tables_made: Collection[str],
    before: Catalog,
) -> MissingStatements:
    """Which of these statements of a migration are to be run, so that nothing is left of these results.

    Those that apply it, for what is not there; or those that unapply it, for what is. Only if all of them can run on
    what is there. `tables_made` are those of all migrations, `before` is what there is before the first statement on a
    database where nothing differs.
    """
    wrong = {each.part for each in results}
    tables = {part.table for part in wrong if part.kind == "table"}
    # SQLite builds a changed table anew under another name: of such a row of statements no part runs alone.
    changes = [change for each in statements for change in each.changes if change[0] == "table"]
    first, last_of = {each[1]: each[3] for each in reversed(changes)}, {each[1]: each[3] for each in changes}
    passing = {table for table in first if first[table] is not None and last_of[table] is None}
    missing: list[str] = []
    last, now, built = "", dict(live), dict(before)
    for place, statement in enumerate(statements):
        parts = {Part(*part): definition for *part, definition in statement.changes}
        if not parts:
            continue
        lacking = {part for part in parts if part in wrong or part.table in tables}
        lacking -= {part for part in lacking if _is_done(part, statements[place:], live)}
        if not lacking:
            last = statement.sql
        elif (
            any(
                part.table in passing or (part not in lacking and definition is not None and part in live)
                for part, definition in parts.items()
            )
            or not _fits_columns(parts, now, built)
            or not _can_run(statement, parts, now, tables_made)
        ):
            return MissingStatements()
        else:
            missing.append(statement.sql)
            now = _after(now, parts)
        built = _after(built, parts)
    return MissingStatements(tuple(missing), last, sum(bool(each.changes) for each in statements))


def _after(catalog: Catalog, parts: Mapping[Part, str | None]) -> dict[Part, str]:
    """The catalog once a statement has made these parts, and removed those without a definition."""
    made = {part: definition for part, definition in parts.items() if definition is not None}
    return {part: definition for part, definition in catalog.items() if part not in parts} | made


def _fits_columns(parts: Mapping[Part, str | None], now: Catalog, built: Catalog) -> bool:
    """Whether each column that the statement adds is not there yet, and each that it alters is."""
    return all(
        (part in now) == (part in built)
        for part, definition in parts.items()
        if part.kind == "column" and definition is not None
    )


def _is_done(part: Part, statements: Sequence[Statement], live: Catalog) -> bool:
    """Whether the first of these statements has made the part: it is as they leave it, or a later one changes it."""
    found = live.get(part)
    after = [definition for each in statements for *other, definition in each.changes if Part(*other) == part]
    return any(is_as(part, definition, found) for definition in after) or (found is not None and len(after) > 1)


def _can_run(
    statement: Statement, parts: Mapping[Part, str | None], now: Catalog, tables_made: Collection[str]
) -> bool:
    """Whether what the statement needs is there, and nothing has a name that it gives."""
    tables = {part.table for part in now if part.kind == "table"}
    made = {part.table for part, definition in parts.items() if part.kind == "table" and definition is not None}
    # Also a table that it only refers to, as a foreign key does.
    named = set(re.findall(r"\w+", statement.sql)) & set(tables_made)
    if (named | {part.table for part in parts if part.table}) - tables - made or made & tables:
        return False
    gone = {part for part, definition in parts.items() if definition is None}
    # What goes with its table need not be there.
    dropped = {part.table for part in gone if part.kind == "table"}
    if any(part not in now for part in gone if part.kind == "table" or part.table not in dropped):
        return False
    # A renamed table keeps its indexes, and most engines know an index by its name alone.
    taken = {part[::2] for part, definition in now.items() if part not in gone and is_named(part, definition)}
    new = {part[::2] for part, definition in parts.items() if is_named(part, definition)}
    return not new & taken
