"""About a database as a whole: its journal, its schemas, its other names."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence

from migsync.findings.entry import Texts, entry
from migsync.findings.finding import Severity
from migsync.words import count, text_list

SHOWN = 5


@entry("same-database", Severity.INFO)
def same_database(*, alias: str, same: str) -> Texts:
    """Two aliases lead to the same database.

    migsync plans and applies the changes of this database once, under one of the two aliases. Read replicas and
    read-only connections are often configured in this way. There is nothing to do.
    """
    return Texts(f"{alias} is the same database as {same}.", f"It is planned and applied once, as {same}.")


@entry("unseen-journal", Severity.WARNING)
def unseen_journal(*, reason: str) -> Texts:
    """The database user cannot see whether the database has migsync's journal.

    MySQL and MariaDB do not tell a user without privileges on a table whether the table exists. migsync makes the plan
    without the journal. If only the journal could tell what a record means, the plan is blocked.

    Grant the user the privilege that the message names. If this database keeps no journal, use `--no-journal`.
    """
    return Texts(
        "The database user cannot see whether this database has migsync's journal.",
        "The plan is made without it. If only the journal could tell what a record means, the plan is blocked.",
        reason,
    )


@entry("needs-changes", Severity.ERROR)
def needs_changes(*, changes: int, alias: str) -> Texts:
    """`migrate` was stopped, because the database still has names that were changed.

    The guard of the companion app found that `migsync apply` would change records of this database. Before that,
    `migrate` would take applied migrations for new ones and run them again. Django shows this as `migsync.E001`.

    - Run `migsync apply` for this database, and then `migrate`.
    - If you have just undone a run, go back to the older migration files first: the files and the records must fit.
    - To let `migrate` apply such changes itself, set `MIGSYNC_ON_MIGRATE = "sync"` in the settings.
    """
    return Texts(
        f"{alias}: {count(changes, 'record')} in django_migrations must change before `migrate` can run.",
        "`migrate` would take applied migrations for new ones.",
        f"Run first: {shlex.join(['python', 'manage.py', 'migsync', 'apply', '--database', alias])}",
    )


@entry("journal-kept", Severity.ERROR)
def journal_kept(*, runs: int) -> Texts:
    """`--no-journal` was given for a database that keeps a journal.

    The run would not be written to the journal. Later plans and undos rely on the journal, and would go wrong.

    Run the command again without `--no-journal`. The option is for databases in which migsync may not create tables.
    """
    return Texts(
        f"This database keeps a journal ({count(runs, 'run')}), but --no-journal was given.",
        "The journal would not know of this run. Later plans and undos rely on the journal, and would go wrong.",
        "Run the command again without `--no-journal`.",
    )


@entry("unnamed-schemas", Severity.WARNING, Severity.ERROR)
def unnamed_schemas(
    *,
    alias: str,
    schemas: Sequence[str],
    entry_key: str,
    by_url: bool = False,
    widened: bool = False,
    files_change: bool = False,
) -> Texts:
    """A PostgreSQL database has schemas with a table django_migrations that no entry in pyproject.toml names.

    Each schema has its own records, as in a project with django-tenants. migsync reads only the schemas that an entry
    in pyproject.toml names. It does not know what is applied in the others, and does not change them. For a command
    that changes migration files this is an error: the new files may be wrong for these schemas.

    - If the schemas belong to this project, name them in an entry: one with `schema`, many with `schemas`. Where an
      entry has `schemas` already, add them there.
    - If they belong to other projects, list them in `ignore-schemas`.

    The message contains the lines to add.
    """
    one = len(schemas) == 1
    there = "a schema" if one else f"{len(schemas)} schemas"
    connection = 'url_env = "DATABASE_URL"  (instead of --url)' if by_url else f"alias = {_toml(alias)}"
    named = f"schema = {_toml(schemas[0])}" if one else 'schemas = "auto"'
    lines = f"  [tool.migsync.databases.{entry_key}]\n  {connection}\n  {named}\n"
    if widened:
        lines = f'  [tool.migsync.databases.{entry_key}], in schemas ("auto" stands for all)\n'
    return Texts(
        f"The database of {alias} has a table django_migrations in {there} that no entry names: "
        f"{text_list(schemas, SHOWN)}.",
        f"migsync does not know what is applied in {'this schema' if one else 'these schemas'}"
        + (", and the changed files may be wrong for it." if files_change else "."),
        f"Name {'it' if one else 'them'} in pyproject.toml:\n"
        f"{lines}"
        f"Or ignore schemas, under [tool.migsync] (patterns such as {_toml('old_*')} work too):\n"
        f"  ignore-schemas = {_toml(list(schemas[:SHOWN]))}",
        Severity.ERROR if files_change else Severity.WARNING,
    )


def _toml(value: str | list[str]) -> str:
    return json.dumps(value, ensure_ascii=False)
