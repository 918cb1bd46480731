"""The names by which people call targets: the alias of a database, or ``tenants:acme`` for a member of an entry."""

from __future__ import annotations

from typing import Final, Self

SEPARATOR: Final = ":"
"""Between an entry that stands for many schemas and one of them."""
TENANT: Final = "{tenant}"
"""In the URL of an entry that stands for many databases, and in the command of an entry, the place of a name."""
ARGUMENTS: Final = "{arguments}"
"""In the command of an entry, the place of the arguments of ``migrate``."""


class MemberAlias(str):
    """The alias of an entry's member, with what a hint tells to type in order to migrate it.

    `migrate` is a command with places for its arguments and for the member; empty where none is known. Only the project
    knows it, and the alias is all that a finding knows of its database.
    """

    __slots__ = ("migrate",)

    migrate: str

    def __new__(cls, alias: str, migrate: str = "") -> Self:
        """The alias of a member, and the command of its entry."""
        made = super().__new__(cls, alias)
        made.migrate = migrate
        return made


def member_alias(entry: str, member: str, migrate: str = "") -> MemberAlias:
    """The alias of the schema, or the database, `member` of an entry."""
    return MemberAlias(f"{entry}{SEPARATOR}{member}", migrate)


def entry_of(alias: str) -> str:
    """The entry of a member; any other alias is itself."""
    return alias.partition(SEPARATOR)[0]


def schema_of(alias: str) -> str:
    """The schema of a member, or the pattern in its place; empty for any other alias."""
    return alias.partition(SEPARATOR)[2]
