"""An address: what SQLAlchemy and the driver need to reach one database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlalchemy import URL


@dataclass(frozen=True)
class Address:
    """`connect_args` go to the driver; `init` are statements for every new connection.

    `dropped` are the names of options that were left out because the driver here has nothing like them.
    """

    # Passwords may be in both.
    url: URL = field(repr=False)
    connect_args: Mapping[str, Any] = field(default_factory=dict, repr=False)
    init: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()


def split_statements(text: str) -> tuple[str, ...]:
    """Statements out of an ``init_command``, cut at each ``;`` that is in no quotes."""
    statements, start, quote = [], 0, ""
    for place, character in enumerate(f"{text};"):
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"`":
            quote = character
        elif character == ";":
            statements.append(text[start:place].strip())
            start = place + 1
    # A quote that is never closed: one statement, and the database says what is wrong with it.
    statements.append(text[start:].strip())
    return tuple(statement for statement in statements if statement)
