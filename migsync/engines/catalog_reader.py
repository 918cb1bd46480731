"""What an engine reads of a schema: the part of :class:`migsync.engines.base.Engine` that is about catalogs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from migsync.engines.catalog import Execute, Part, PartRow, catalog_of

if TYPE_CHECKING:
    import sqlalchemy as sa


class CatalogReader(ABC):
    """Reads the catalog of a whole database, over whatever connection runs the statements."""

    def catalog(self, execute: Execute) -> dict[Part, str]:
        """Every part of the schema with its definition; tables of Django's and migsync's bookkeeping left out."""
        return catalog_of(self.parts(execute))

    @abstractmethod
    def parts(self, execute: Execute) -> Iterator[PartRow]:
        """Every part of the schema of a whole database, in the server's own words; the names that it gave included."""

    def comparable(self, rows: Iterable[PartRow]) -> Iterator[PartRow]:
        """The `parts` of a database whose age, server and administration do not matter."""
        yield from rows

    def look_into(  # noqa: B027 (not every engine has schemas)
        self, connection: sa.Connection, schema: str, *, alone: bool = False
    ) -> None:
        """Make `schema` the current one, for `parts` in this transaction; `alone`: they are those in it."""

    def schema_statement(self, connection: sa.Connection, schema: str) -> str:
        """What makes `schema` the current one of a session, for SQL to be run there; empty where there are none."""
        return ""

    def keep_to_schema(self, execute: Execute) -> None:  # noqa: B027 (as above)
        """From now on in this session, `parts` are those of the current schema alone."""

    def schemas_beside(self, execute: Execute) -> Sequence[str]:
        """The schemas that can hold tables, without the current one."""
        return ()

    def extension_tables(self, execute: Execute) -> Sequence[str]:
        """Tables that are no migration's work, named as in the catalog."""
        return ()
