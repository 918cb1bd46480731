"""About a database as a whole: its journal, its schemas, its other names."""

from __future__ import annotations

import json
from collections.abc import Sequence

from migsync.findings.entry import Texts, entry
from migsync.findings.finding import Severity
from migsync.words import count, sample

SHOWN = 5


@entry("same-database", Severity.INFO)
def same_database(*, alias: str, same: str) -> Texts:
    """Two aliases lead to the same database.

    It is planned and applied once, under the first of the two aliases. Replicas and read-only connections are usually
    configured so.
    """
    return Texts(f"{alias} is the same database as {same}.", "It is planned and applied once.")


@entry("unseen-journal", Severity.WARNING)
def unseen_journal(*, reason: str) -> Texts:
    """The user that migsync connects as cannot see whether the database holds a journal.

    MySQL and MariaDB do not tell a user without privileges on a table whether the table exists. The plan is made
    without the journal. Where only a journal could tell what a record is, the plan is blocked.

    Grant the privilege that the message names, or use `--no-journal` if this database keeps no journal.
    """
    return Texts(
        "This user cannot see whether this database holds migsync's journal.",
        "The plan is made without it. Where only a journal could tell what a record is, the plan is blocked.",
        reason,
    )


@entry("journal-kept", Severity.ERROR)
def journal_kept(*, runs: int) -> Texts:
    """`--no-journal` was given for a database that keeps a journal.

    The journal would not know of this run. The next plan and the next undo rest on the journal, and would go wrong.

    Leave `--no-journal` out. It is for databases in which migsync may not create tables.
    """
    return Texts(
        f"This database keeps a journal of migsync ({count(runs, 'run')}), and --no-journal is for databases that keep "
        "none.",
        "The journal would not know of this run. The next plan and undo rest on the journal, and would go wrong.",
        "Leave out --no-journal.",
    )


@entry("unnamed-schemas", Severity.WARNING)
def unnamed_schemas(*, alias: str, schemas: Sequence[str], entry_key: str, by_url: bool) -> Texts:
    """A PostgreSQL database has schemas with a `django_migrations` that migsync was not told about.

    Every schema has records of its own, as in a project with django-tenants. migsync reads only the schemas that an
    entry in pyproject.toml names. It cannot say what is applied in the others, and does not change them.

    Name the schemas of this project, or list those of other projects in `ignore-schemas`. The message shows the lines.
    """
    there = "a schema" if len(schemas) == 1 else f"{len(schemas)} schemas"
    connection = 'url_env = "DATABASE_URL"  (instead of --url)' if by_url else f"alias = {_toml(alias)}"
    return Texts(
        f"The database of {alias} has django_migrations in {there} that no entry names: {sample(schemas, SHOWN)}.",
        "migsync does not read the records there, so it cannot say what is applied.",
        f"Name {'it' if len(schemas) == 1 else 'each of them'} in pyproject.toml:\n"
        f"  [tool.migsync.databases.{entry_key}]\n"
        f"  {connection}\n"
        f"  schema = {_toml(schemas[0])}\n"
        f"Or leave schemas out, under [tool.migsync] (patterns such as {_toml('old_*')} work too):\n"
        f"  ignore-schemas = {_toml(list(schemas[:SHOWN]))}",
    )


def _toml(value: str | list[str]) -> str:
    return json.dumps(value, ensure_ascii=False)
