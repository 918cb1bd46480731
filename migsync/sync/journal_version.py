"""Which version of the journal a database holds. Alembic writes the version; reading it needs no Alembic."""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType

import sqlalchemy as sa

from migsync.errors import TargetError
from migsync.sync.journal_versions import VERSIONS

VERSION_TABLE = "migsync_version"
NEWEST: str = VERSIONS[-1].revision


def journal_version(connection: sa.Connection, schema: str | None, versions: Sequence[ModuleType] = VERSIONS) -> str:
    """The version of the journal that is there; empty where there is none.

    Raises TargetError for one that only a newer migsync knows.
    """
    if not connection.dialect.has_table(connection, VERSION_TABLE, schema):
        return ""
    table = sa.table(VERSION_TABLE, sa.column("version_num"), schema=schema)
    heads = connection.scalars(sa.select(table.c.version_num)).all()
    known = {version.revision for version in versions}
    for head in heads:
        if head not in known:
            raise TargetError(
                f"The journal in this database has the version {head}, which this migsync does not know.",
                "A newer migsync has been at work here; what it wrote could be misread.",
                "Upgrade migsync: python -m pip install --upgrade migsync",
            )
    return heads[0] if heads else ""


def journal_is_current(connection: sa.Connection, schema: str | None) -> bool:
    """Whether the tables are there, in the newest version."""
    return journal_version(connection, schema) == NEWEST
