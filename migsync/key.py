"""What Django calls a migration by.

It stands below every room, so that all of them, findings included, can name a migration.
"""

from __future__ import annotations

from typing import NamedTuple


class Key(NamedTuple):
    """(app label, name): the identity that Django gives a migration."""

    app: str
    name: str

    def __str__(self) -> str:
        return f"{self.app}.{self.name}"

    @classmethod
    def parse(cls, text: str) -> Key:
        """``shop.0001_initial`` as a key; raises ValueError when there is no app or no name."""
        app, _, name = text.partition(".")
        if not app or not name:
            raise ValueError(f"{text!r} is not APP.NAME")
        return cls(app, name)
