"""How an engine makes scratch databases: the part of :class:`migsync.engines.base.Engine` that is about them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    import sqlalchemy as sa


class ScratchDatabases:
    """Makes databases on a server. An engine whose databases are files needs none of this."""

    ownerless_databases: ClassVar[str] = ""
    """A query for the names of databases that nobody uses or has claimed, and that this user can drop.

    They begin with its parameter ``prefix``.
    """

    def claim_database(self, connection: sa.Connection, name: str) -> None:
        """Make the session of this connection the owner of a database that it is about to create, until it ends."""

    def create_database(self, connection: sa.Connection, name: str) -> Sequence[str]:
        """Create a database like the connection's own; the schemas that it needs beside the one it has."""
        return ()

    def end_sessions(self, connection: sa.Connection, name: str) -> None:
        """End the sessions in a database that is to be dropped, where they would hinder that."""
