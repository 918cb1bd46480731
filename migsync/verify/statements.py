"""Which statements of a migration a database lacks; pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from migsync.engines.catalog import Part
from migsync.verify.composition import Catalog, MigrationResult, is_as
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


def missing_statements(statements: Sequence[Statement], result: MigrationResult, live: Catalog) -> MissingStatements:
    """What is to be run, so that the database has all of a migration of which it has a part."""
    wrong = {each.part for each in result.differences}
    tables = {part.table for part in wrong if part.kind == "table"}
    # SQLite builds a changed table anew under another name: of such a row of statements no part runs alone.
    changes = [change for each in statements for change in each.changes if change[0] == "table"]
    first, last_of = {each[1]: each[3] for each in reversed(changes)}, {each[1]: each[3] for each in changes}
    passing = {table for table in first if first[table] is not None and last_of[table] is None}
    missing: list[str] = []
    last = ""
    for place, statement in enumerate(statements):
        parts = {Part(*part): definition for *part, definition in statement.changes}
        if not parts:
            continue
        lacking = {part for part in parts if part in wrong or part.table in tables}
        lacking -= {part for part in lacking if _is_done(part, statements[place:], live)}
        if not lacking:
            last = statement.sql
        elif any(
            part.table in passing or (part not in lacking and definition is not None and part in live)
            for part, definition in parts.items()
        ):
            return MissingStatements()
        else:
            missing.append(statement.sql)
    return MissingStatements(tuple(missing), last, sum(bool(each.changes) for each in statements))


def _is_done(part: Part, statements: Sequence[Statement], live: Catalog) -> bool:
    """Whether the first of these statements has made the part: it is as they leave it, or a later one changes it."""
    found = live.get(part)
    after = [definition for each in statements for *other, definition in each.changes if Part(*other) == part]
    return any(is_as(part, definition, found) for definition in after) or (found is not None and len(after) > 1)
