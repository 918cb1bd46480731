"""The journal's tables: created and upgraded by Alembic on the target's own connection.

Alembic's command module keeps module state, so it is not used: a MigrationContext is all that is needed, and the
version modules are handed to it, which works from a wheel and in threads.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from io import StringIO
from types import ModuleType
from typing import Any

import sqlalchemy as sa
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext, RevisionStep
from alembic.script.base import Script
from alembic.script.revision import RevisionMap
from sqlalchemy.exc import DBAPIError
from sqlalchemy.schema import CreateTable

from migsync.engines import Engine, ErrorKind, engine_named
from migsync.sync.journal.tables import NEWEST, VERSION_TABLE, journal_version
from migsync.sync.journal.versions import VERSIONS

PLACE = "A schema"
"""Stands for the schema in statements that are made once for all; it has to be quoted."""


def upgrade_journal(connection: sa.Connection, schema: str | None, versions: Sequence[ModuleType] = VERSIONS) -> None:
    """Create the journal's tables, or bring older ones up to date, in the connection's transaction.

    On MySQL every statement commits; an interrupted upgrade goes on where it stopped.
    """
    if journal_version(connection, schema, versions) == versions[-1].revision:
        return
    context = _context(connection, schema, versions)
    context.run_migrations(op=Operations(context), schema=schema)


def upgraded(connection: sa.Connection, behaviour: Engine, schema: str | None, version: str) -> bool:
    """Bring a journal of an older `version` up to date, where the user may; an empty one stands for none.

    False where the transaction, and every lock with it, has ended by that. Raises the driver's errors.
    """
    try:
        if behaviour.sends_many and schema and not version:
            connection.exec_driver_sql(_creation(connection, behaviour, schema))
        else:
            upgrade_journal(connection, schema)
    except DBAPIError as error:
        # All versions have the same table of runs. Who may write that, and create no tables, goes on with the old ones.
        if not version or behaviour.error_kind(error) is not ErrorKind.DENIED:
            raise
        connection.rollback()
        return False
    if not behaviour.transactional_ddl:
        # Each CREATE has committed already.
        connection.commit()
    return behaviour.transactional_ddl


def _creation(connection: sa.Connection, behaviour: Engine, schema: str) -> str:
    """The statements that create the tables, to be sent at once: to have Alembic make them takes longer."""
    quote = connection.dialect.identifier_preparer.quote_identifier  # it doubles percent signs, as drivers want
    return _creation_in_place(behaviour.name).replace(quote(PLACE), quote(schema))


@cache
def _creation_in_place(engine: str) -> str:
    return journal_ddl(engine, PLACE).replace("%", "%%")


def journal_ddl(engine: str, schema: str = "", *, upgrade: bool = False) -> str:
    """SQL text that creates the journal's tables where they are absent, the same every time.

    `upgrade`: an older journal gets the newest version, too, which needs the right to UPDATE it. Without, the next
    ``migsync apply`` sets it.
    """
    # paramstyle: else every % in a name is doubled.
    behaviour = engine_named(engine)
    dialect = sa.make_url(f"{behaviour.driver}://").get_dialect()(paramstyle="named")  # type: ignore[call-arg]
    text = StringIO()
    context = MigrationContext.configure(dialect=dialect, opts={"as_sql": True, "output_buffer": text})
    operations = Operations(context)
    for version in VERSIONS:
        version.upgrade(operations, schema or None)
    # Alembic would write these two statements for a first time only.
    table = sa.Table(
        VERSION_TABLE,
        sa.MetaData(),
        sa.Column("version_num", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("version_num", name=f"{VERSION_TABLE}_pkc"),
        schema=schema or None,
    )
    operations.execute(CreateTable(table, if_not_exists=True))
    name = dialect.identifier_preparer.format_table(table)
    absent = f"{behaviour.from_nothing} WHERE NOT EXISTS (SELECT 1 FROM {name})"  # noqa: S608 (no value of a person's in it)
    operations.execute(f"INSERT INTO {name} (version_num) SELECT '{NEWEST}'{absent}")
    if upgrade:
        older = ", ".join(f"'{version.revision}'" for version in VERSIONS[:-1])
        operations.execute(f"UPDATE {name} SET version_num = '{NEWEST}' WHERE version_num IN ({older})")  # noqa: S608 (ours)
    lines = (line.rstrip() for line in text.getvalue().splitlines())
    return "".join(f"{line}\n" for line in lines if line)


def _context(
    connection: sa.Connection, schema: str | None, versions: Sequence[ModuleType] = VERSIONS
) -> MigrationContext:
    def steps(heads: tuple[str, ...], _: MigrationContext) -> Iterator[RevisionStep]:
        scripts = {version.revision: Script(version, version.revision, version.__file__ or "") for version in versions}
        revisions = RevisionMap(scripts.values)
        missing = revisions.iterate_revisions("head", heads[0] if heads else "base")
        for revision in reversed(list(missing)):
            yield RevisionStep(revisions, scripts[revision.revision], is_upgrade=True)

    # Alembic asks `fn` for the steps from the version in the database; its own answer needs a directory of files.
    options: dict[str, Any] = {"version_table": VERSION_TABLE, "version_table_schema": schema, "fn": steps}
    return MigrationContext.configure(connection, opts=options)
