"""The proof by two databases: the old and the new files build the same schema."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from typing import Any

import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy.exc import SAWarning

from migsync.companion.proof.catalog import OURS, Part, read_catalog
from migsync.companion.proof.process import Answer, Failure, ask, overlay
from migsync.companion.proof.scratch import scratch_database
from migsync.companion.proposal import Proposal
from migsync.findings import Finding, Severity
from migsync.project import Project

MEANING = "A database built from the new files is another one than the old files build."


def prove_schema(project: Project, proposal: Proposal, alias: str = "default") -> tuple[Finding, ...]:
    """Build the old and the new history on two scratch databases of the alias's engine, and compare the schemas.

    Each difference is a finding; columns are compared as sets. Raises UnknownAlias, the alias's own error, Unreachable,
    and NotPermitted where no database can be created.
    """
    [config] = project.targets([alias])
    with ExitStack() as stack:
        old, new = (stack.enter_context(scratch_database(config)) for _ in range(2))
        request = {"task": "build", "alias": alias}
        answers = ask(
            project, [{**request, "name": old.name}, {**request, "name": new.name}], [{}, overlay(proposal.files)]
        )
        failures = tuple(_failures(*answers))
        if failures:
            return failures
        before = stack.enter_context(old.connection())
        after = stack.enter_context(new.connection())
        return tuple(compare_schemas(before, after))


def _failures(old: Answer, new: Answer) -> Iterator[Finding]:
    if old.failure:
        meaning = "There is no schema to compare with; whether the new files are to blame cannot be told."
        yield _not_built("The files as they are", old.failure, meaning)
    elif new.failure:
        yield _not_built("The new files", new.failure, "The files as they are do.")


def _not_built(which: str, failure: Failure, meaning: str) -> Finding:
    return Finding(
        "schema-not-built",
        Severity.ERROR,
        f"{which} build no schema. {failure.sentence}",
        meaning,
        file=failure.file,
        line=failure.line,
    )


def compare_schemas(old: sa.Connection, new: sa.Connection) -> list[Finding]:
    """Every difference between two databases, bookkeeping tables left out."""
    with warnings.catch_warnings():
        # Indexes on expressions, which SQLite's reflection leaves out, and types it has no class for: the catalog
        # holds both.
        warnings.simplefilter("ignore", SAWarning)
        warnings.filterwarnings("ignore", module="alembic")
        alembics = _alembic(old, new)
        before, after = read_catalog(old), read_catalog(new)
    # What Alembic has named, or what goes with a whole table, is said already.
    named = {name for _, _, name in alembics}
    tables = {table for _, table, name in alembics if table == name}
    differing = [part for part in sorted(before.keys() | after.keys()) if before.get(part) != after.get(part)]
    return [
        *(_difference(words) for words, _, _ in alembics),
        *(
            _difference(_catalog_words(part, before, after))
            for part in differing
            if part.name not in named and part.table not in tables
        ),
    ]


def _alembic(old: sa.Connection, new: sa.Connection) -> list[tuple[str, str, str]]:
    """(in words, table, what it is about) for each difference that Alembic's autogenerate sees."""
    metadata = sa.MetaData()
    metadata.reflect(new)
    options = {
        "compare_type": True,
        "compare_server_default": True,
        "include_name": lambda name, kind, _: _included(name, kind),
        "include_object": lambda _, name, kind, *__: _included(name, kind),
    }
    found = compare_metadata(MigrationContext.configure(old, opts=options), metadata)
    return [_alembic_words(difference) for difference in _flat(found)]


def _included(name: str | None, kind: str) -> bool:
    return kind != "table" or not OURS.match(name or "")


def _flat(differences: Iterable[Any]) -> Iterator[tuple[Any, ...]]:
    """Alembic groups the changes of one column in a list."""
    for difference in differences:
        if isinstance(difference, list):
            yield from difference
        else:
            yield difference


def _alembic_words(difference: tuple[Any, ...]) -> tuple[str, str, str]:
    verb, _, kind = difference[0].partition("_")
    when = "only the new files make it" if verb == "add" else "only the old files make it"
    if verb == "modify":
        _, _, table, column, _, before, after = difference
        return f"The {kind} of {table}.{column}: {_shown(before)} before, {_shown(after)} after.", table, column
    if kind == "column":
        _, _, table, column = difference
        return f"The column {table}.{column.name}: {when}.", table, column.name
    item = difference[1]
    if kind == "table":
        return f"The table {item.name}: {when}.", item.name, item.name
    table = item.table.name if getattr(item, "table", None) is not None else str(getattr(item, "name", ""))
    columns = ", ".join(column.name for column in getattr(item, "columns", ()))
    word = {"fk": "foreign key"}.get(kind, kind.replace("_", " "))
    return f"The {word} {item.name or ''} on {table} ({columns}): {when}.", table, str(item.name or columns)


def _catalog_words(part: Part, before: Mapping[Part, str], after: Mapping[Part, str]) -> str:
    where = f" on {part.table}" if part.table and part.table != part.name else ""
    what = f"The {part.kind} {part.name}{where}"
    if part not in after:
        return f"{what}: only the old files make it."
    if part not in before:
        return f"{what}: only the new files make it."
    return f"{what}: {before[part]} before, {after[part]} after."


def _shown(value: Any) -> str:  # noqa: ANN401 -- types, booleans, DefaultClause
    if value is None:
        return "none"
    if isinstance(value, sa.DefaultClause):
        return str(value.arg)
    return str(value) if not isinstance(value, bool) else ("NULL" if value else "NOT NULL")


def _difference(found: str) -> Finding:
    return Finding("schema-differs", Severity.ERROR, found, MEANING)
