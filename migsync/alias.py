"""The names by which people call targets: the alias of a database, or ``tenants:acme`` for a member of an entry."""

from __future__ import annotations

from typing import Final

SEPARATOR: Final = ":"
"""Between an entry that stands for many schemas and one of them."""


def member_alias(entry: str, schema: str) -> str:
    """The alias of an entry's member."""
    return f"{entry}{SEPARATOR}{schema}"


def entry_of(alias: str) -> str:
    """The entry of a member; any other alias is itself."""
    return alias.partition(SEPARATOR)[0]


def schema_of(alias: str) -> str:
    """The schema of a member, or the pattern in its place; empty for any other alias."""
    return alias.partition(SEPARATOR)[2]
