"""Many schemas read at once: the part of :class:`migsync.engines.base.Engine` that is about that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from migsync.engines.deadline import Deadline
from migsync.engines.target_table import Inspection, MigrationTable, Row

if TYPE_CHECKING:
    import sqlalchemy as sa


@dataclass(frozen=True, slots=True)
class TableRead:
    """What to read of a table: its rows ordered by `order`, in `groups` of columns.

    The server writes the columns `as_text` as it writes text.
    With `own_schema`, only the rows whose ``schema_name`` is empty; with `last`, only the last of all.
    """

    table: str
    groups: tuple[tuple[str, ...], ...]
    order: str
    as_text: frozenset[str] = frozenset()
    own_schema: bool = False
    last: bool = False


@dataclass(frozen=True, slots=True)
class SchemaRows:
    """What was read of one schema: `texts` has, by table, a JSON array for each group of columns.

    An element of the array is a value, or an array of values where the group has several columns. A table that is not
    there is missing.
    """

    inspection: Inspection
    texts: Mapping[str, Sequence[str]]


class SchemaReader:
    """Reads many schemas with a few statements, on an engine that can; and says which databases there are."""

    server_database: ClassVar[str] = ""
    """The database to connect to where none is meant; empty where a connection needs none."""
    databases_query: ClassVar[str] = ""
    """A query for the names of the databases of a server; empty for an engine without a server."""

    sends_many: ClassVar[bool] = False
    """Whether several statements can be sent at once, where they have no parameters."""

    def has_table(self, connection: sa.Connection, table: str, schema: str | None) -> bool:
        """Whether a table of ours is there."""
        return connection.dialect.has_table(connection, table, schema)

    def read_schemas(
        self, connection: sa.Connection, schemas: Sequence[str], reads: Sequence[TableRead]
    ) -> dict[str, SchemaRows]:
        """What the schemas hold, by their names. Those that cannot be read like this are missing: read them singly.

        A schema is missing too where the first of the tables is not in it, or where this user may not read one of them.
        """
        return {}

    def lock_and_read(
        self, connection: sa.Connection, table: MigrationTable, deadline: Deadline, queries: Sequence[str]
    ) -> tuple[Sequence[Row], list[Sequence[Any]]]:
        """``lock`` and ``read_rows`` of an engine that `sends_many`, and the rows of more `queries`, all sent at once.

        Everything is read under the lock. Nothing may have been sent in this transaction before.
        """
        raise NotImplementedError
