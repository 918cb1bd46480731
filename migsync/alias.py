"""The names by which people call targets: the alias of a database, or ``tenants:acme`` for a member of an entry."""

from __future__ import annotations

import shlex
from typing import Final, Self

SEPARATOR: Final = ":"
"""Between an entry that stands for many schemas and one of them."""
TENANT: Final = "{tenant}"
"""In the URL of an entry that stands for many databases, and in the command of an entry, the place of a name."""
ARGUMENTS: Final = "{arguments}"
"""In the command of an entry, the place of the arguments of ``migrate``."""


class EntryAlias(str):
    """An alias that Django's commands do not take: that of an entry, or of its member.

    `migrate` is what a hint tells to type instead, with a place for the arguments; empty where that is not known.
    Only the project knows it, and the alias is all that a finding knows of its database.
    """

    __slots__ = ("migrate",)

    migrate: str

    def __new__(cls, alias: str, migrate: str = "") -> Self:
        """The alias, and the command of its entry."""
        made = super().__new__(cls, alias)
        made.migrate = migrate
        return made


def member_alias(entry: str, member: str, migrate: str = "") -> EntryAlias:
    """The alias of the schema, or the database, `member` of an entry; `migrate` has a place for its name."""
    return EntryAlias(f"{entry}{SEPARATOR}{member}", migrate.replace(TENANT, shlex.quote(member)))


def entry_of(alias: str) -> str:
    """The entry of a member; any other alias is itself."""
    return alias.partition(SEPARATOR)[0]


def schema_of(alias: str) -> str:
    """The schema of a member, or the pattern in its place; empty for any other alias."""
    return alias.partition(SEPARATOR)[2]


def is_of_entry(alias: str) -> bool:
    """True for an alias that Django does not know."""
    return isinstance(alias, EntryAlias) or bool(schema_of(alias))
