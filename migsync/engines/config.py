"""How one database is reached, as a project or the command line states it; nothing here imports SQLAlchemy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, cast

from migsync.alias import TENANT, member_alias
from migsync.errors import MigsyncError

if TYPE_CHECKING:
    from sqlalchemy import URL


LOCK_TIMEOUT: Final = 10.0
"""Seconds to wait for a lock where nothing else is configured."""


@dataclass(frozen=True)
class SchemaChoice:
    """Which schemas of its database an entry stands for: those that a query returns, or names and patterns.

    In `patterns`, ``*`` and ``?`` are wildcards, among the schemas that have a ``django_migrations``.

    With `databases`, the members are databases, or files: each at the URL of the entry with its name for ``{tenant}``.
    Then the wildcards are among the databases of the server, or the files, and `asked` is the database of the query.
    """

    query: str = ""
    patterns: tuple[str, ...] = ()
    databases: bool = False
    asked: DatabaseConfig | None = None


@dataclass(frozen=True)
class DatabaseConfig:
    """One alias of the project.

    `url` is SQLAlchemy's; `connect_args` go to the driver as they are; `init` are statements to run on every new
    connection; `schema` is the one of ``django_migrations`` where it is not the connection's own. `use_tz` is Django's
    ``USE_TZ`` for it, None when not known. `lock_timeout` is how many seconds a read waits for a lock. An alias that
    cannot be used carries the `error`, which is raised only when the alias is asked for.

    An entry with `schemas` stands for many targets, its members. A member has the `entry` that it belongs to, and is in
    the entry's database or in its `own_database`. `migrate` is the command that migrates a member, with places for its
    name and for the arguments; empty where it is not known.
    """

    alias: str
    # The URL may hold a password: it is kept out of every representation.
    url: str | URL = field(repr=False)
    connect_args: Mapping[str, Any] = field(default_factory=dict, repr=False)
    init: tuple[str, ...] = ()
    schema: str = ""
    use_tz: bool | None = None
    error: MigsyncError | None = None
    lock_timeout: float = LOCK_TIMEOUT
    schemas: SchemaChoice | None = None
    entry: str = ""
    own_database: bool = False
    migrate: str = ""

    @property
    def shared_by(self) -> str:
        """The entry whose other members are in the same database; empty where there are none."""
        return "" if self.own_database else self.entry

    def member(self, name: str) -> DatabaseConfig:
        """The target of this entry in the schema, or in the database, of that name."""
        own = replace(self, alias=member_alias(self.alias, name, self.migrate), schemas=None, entry=self.alias)
        if self.schemas is None or not self.schemas.databases:
            return replace(own, schema=name)
        # The parts of the URL, which hold the name as it is: nothing is to be encoded.
        url = cast("URL", self.url)
        host, user, database = (part and part.replace(TENANT, name) for part in (url.host, url.username, url.database))
        return replace(own, url=url.set(host=host, username=user, database=database), own_database=True)
