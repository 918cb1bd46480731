"""What the user of a connection may do with ``django_migrations``, and how tables beside it are stored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

RIGHTS: Final = ("SELECT", "INSERT", "UPDATE", "DELETE")
"""What `migrate` and `migsync apply` need between them on ``django_migrations``."""


@dataclass(frozen=True, slots=True)
class TableAccess:
    """`missing` are those of the RIGHTS that the user does not have, as far as the server tells it.

    `creates` is whether it may create tables beside ``django_migrations``, as the journal needs. `grants` are the
    statements for what is missing, to be run by an administrator; `create_grants` the same for CREATE.
    `without_transactions` are tables whose storage engine has none, each with the name of the engine.
    """

    missing: tuple[str, ...] = ()
    creates: bool = True
    grants: str = ""
    create_grants: str = ""
    without_transactions: tuple[tuple[str, str], ...] = ()
